import { basename, resolve } from 'node:path';
import { measureLive } from './behaviour-live.js';
import type { BenchContext, BenchFigure, BenchSection } from './section.js';
import { startWorker } from './worker-process.js';

const PACKETS = 65_536;
const PASSES = 24;

/** Passes over a capture, which is longer than the made-up traffic. */
const CAPTURE_PASSES = 9;

interface Workload {
  name: string;
  what: string;
  options: object;
}

const WORKLOADS: readonly Workload[] = [
  {
    name: 'mixed',
    what: 'web flows of 12 packets and DNS flows of 2, three to one (9.5 packets a flow), each between another two of 400 clients and 200 servers; 50,000 packets a second',
    options: { traffic: 'mixed', packets: PACKETS, passes: PASSES },
  },
  {
    name: 'scan',
    what: 'a scan by one source: SYN and RST of ever other ports of 256 hosts, 2 packets a flow; 50,000 packets a second',
    options: { traffic: 'scan', packets: PACKETS, passes: PASSES },
  },
];

interface Answer {
  with: number;
  without: number;
  detections: number;
}

/** What the behaviour detectors add to a packet, with and without them in one run. */
export const behaviourSection: BenchSection = {
  name: 'behaviour',
  title: 'Behaviour detectors',
  async run(context, skip) {
    return [...(await measureWorkloads(context)), ...(await measureLive(context, skip))];
  },
};

async function measureWorkloads({ progress, captures = [] }: BenchContext): Promise<BenchFigure[]> {
  const figures: BenchFigure[] = [];
  for (const { name, what, options } of [...WORKLOADS, ...captures.map(ofCapture)]) {
    progress(what);
    const measured = (await startWorker('behaviour', options).next()) as unknown as Answer;
    figures.push(
      {
        name: `behaviour_${name}_without`,
        value: measured.without,
        unit: 'ns/packet',
        text: `CPU time of decode and flow table, ${what}`,
      },
      { name: `behaviour_${name}_with`, value: measured.with, unit: 'ns/packet', text: 'with all detectors' },
      {
        name: `behaviour_${name}_adds`,
        value: measured.with - measured.without,
        unit: 'ns/packet',
        text: 'what all detectors add (aim: at most 150)',
      },
    );
  }
  return figures;
}

function ofCapture(path: string, i: number): Workload {
  const options = { traffic: 'files', packets: 0, passes: CAPTURE_PASSES, paths: [resolve(path)] };
  return { name: `capture${i + 1}`, what: basename(path), options };
}
