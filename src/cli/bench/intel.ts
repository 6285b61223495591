import type { BenchSection } from './section.js';
import { startWorker } from './worker-process.js';

const INDICATORS = 1_000_000;

interface Answer {
  with: number;
  without: number;
  megabytes: number;
  lookup: number;
}

/** A million indicators: their memory, and what matching adds to the packet path, with and without in one run. */
export const intelSection: BenchSection = {
  name: 'intel',
  title: 'Threat intelligence',
  async run({ progress }) {
    progress('a million indicators');
    const worker = startWorker('intel', { indicators: INDICATORS, packets: 65_536, passes: 24 });
    const measured = (await worker.next()) as unknown as Answer;
    return [
      { name: 'intel_memory', value: measured.megabytes, unit: 'MB', text: '1,000,000 indicators (aim: at most 200)' },
      { name: 'intel_lookup', value: measured.lookup, unit: 'ns', text: 'CPU time to look one address up' },
      { name: 'intel_without', value: measured.without, unit: 'ns/packet', text: 'CPU time of decode and flow table' },
      {
        name: 'intel_adds',
        value: measured.with - measured.without,
        unit: 'ns/packet',
        text: 'what matching of the addresses of each new flow adds',
      },
    ];
  },
};
