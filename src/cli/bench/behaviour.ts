import type { BenchSection } from './section.js';
import { startWorker } from './worker-process.js';

const PACKETS = 65_536;
const PASSES = 60;

const WORKLOADS = [
  { traffic: 'mixed', what: 'web and DNS traffic' },
  { traffic: 'scan', what: 'a scan, one flow for two packets' },
] as const;

interface Answer {
  with: number;
  without: number;
  detections: number;
}

/** What the behaviour detectors add to a packet, with and without them in one run. */
export const behaviourSection: BenchSection = {
  name: 'behaviour',
  title: 'Behaviour detectors',
  async run({ progress }) {
    const figures = [];
    for (const { traffic, what } of WORKLOADS) {
      progress(what);
      const worker = startWorker('behaviour', { traffic, packets: PACKETS, passes: PASSES });
      const measured = (await worker.next()) as unknown as Answer;
      figures.push(
        {
          name: `behaviour_${traffic}_without`,
          value: measured.without,
          unit: 'ns/packet',
          text: `CPU time of decode and flow table, ${what}`,
        },
        { name: `behaviour_${traffic}_with`, value: measured.with, unit: 'ns/packet', text: 'with all detectors' },
        {
          name: `behaviour_${traffic}_adds`,
          value: measured.with - measured.without,
          unit: 'ns/packet',
          text: 'what all detectors add (aim: at most 150)',
        },
      );
    }
    return figures;
  },
};
