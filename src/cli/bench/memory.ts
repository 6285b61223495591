import type { BenchSection } from './section.js';
import { startWorker } from './worker-process.js';

interface MemoryAnswer {
  packets: number;
  flows: number;
  rssMiB: number[];
  cpuUs: number;
}

interface FloodAnswer extends MemoryAnswer {
  created: number;
  evicted: number;
  ended: number;
}

/** Memory over many packets and flows: it must reach a plateau and stay there. */
export const memorySection: BenchSection = {
  name: 'memory',
  title: 'Memory over 10 million packets',
  async run({ progress }) {
    progress('10 million packets');
    const worker = startWorker('memory', { packets: 10_000_000, maxFlows: 262_144 });
    const { packets, flows, rssMiB, cpuUs } = (await worker.next()) as unknown as MemoryAnswer;
    const half = rssMiB[4]!;
    const end = rssMiB.at(-1)!;
    return [
      { name: 'memory_flows', value: flows, unit: 'flows', text: `flows opened by ${packets} packets` },
      {
        name: 'memory_end',
        value: end,
        unit: 'MiB',
        text: `resident memory at the end; every tenth: ${rssMiB.join(' ')}`,
      },
      { name: 'memory_growth', value: end - half, unit: 'MiB', text: 'growth in the second half' },
      {
        name: 'memory_cpu',
        value: (cpuUs * 1000) / packets,
        unit: 'ns/packet',
        text: 'CPU time, including making the packets',
      },
    ];
  },
};

/** A SYN flood with random sources: the table stays within its bound and what it evicts is counted. */
export const floodSection: BenchSection = {
  name: 'flood',
  title: 'SYN flood from random sources',
  async run({ progress }) {
    progress('2 million SYNs');
    const worker = startWorker('flood', { packets: 2_000_000, maxFlows: 131_072 });
    const { packets, flows, created, evicted, ended, rssMiB, cpuUs } = (await worker.next()) as unknown as FloodAnswer;
    const lost = created - ended - flows;
    return [
      { name: 'flood_flows', value: flows, unit: 'flows', text: `flows kept of ${created} opened by ${packets} SYNs` },
      { name: 'flood_evicted', value: evicted, unit: 'flows', text: `evicted and reported; ${lost} unaccounted for` },
      {
        name: 'flood_memory',
        value: rssMiB.at(-1)!,
        unit: 'MiB',
        text: `resident memory at the end; every tenth: ${rssMiB.join(' ')}`,
      },
      { name: 'flood_cpu', value: (cpuUs * 1000) / packets, unit: 'ns/packet', text: 'CPU time a SYN' },
    ];
  },
};
