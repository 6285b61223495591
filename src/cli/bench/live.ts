import { errorMessage } from '../../util/errors.js';
import { median, type BenchContext, type BenchFigure, type BenchSection } from './section.js';
import { startSuricata } from './suricata.js';
import { createVethPair, type VethPair } from './veth.js';
import { startWorker, type Worker } from './worker-process.js';

const ROUNDS = 5;
const WARM_UP_ROUNDS = 2;
/** As fast as the generator can, and a rate that a small office reaches at busy times. */
const LOADS = [
  { name: 'full', ratePps: 0, packets: 1_000_000 },
  { name: '50kpps', ratePps: 50_000, packets: 200_000 },
] as const;

/** What a capture program did with one round of packets. */
export interface Round {
  cpuUs: number;
  packets: number;
}

/** A program under test: it captures while the generator sends, and says at each `mark` what it did since the last. */
interface Subject {
  name: string;
  mark(): Promise<Round>;
  stop(): void;
}

/** CPU time a packet live over veth, against npm `cap` and Suricata on the same traffic. */
export const liveSection: BenchSection = {
  name: 'live',
  title: 'Live over veth to flow table',
  async run(context, skip) {
    let veth: VethPair;
    try {
      veth = createVethPair('portcullis-bench');
    } catch (error) {
      skip(`needs root and iproute2: ${errorMessage(error)}`);
      return [];
    }
    try {
      return await compare(veth, context, skip);
    } finally {
      veth.remove();
    }
  },
};

async function compare(veth: VethPair, context: BenchContext, skip: (reason: string) => void): Promise<BenchFigure[]> {
  const figures: BenchFigure[] = [];
  for (const open of [
    () => startSource('afpacket', veth),
    () => startSource('cap', veth),
    () => startSuricata(veth.to, context.dir),
  ]) {
    const subject: Subject | string = await open();
    if (typeof subject === 'string') {
      skip(subject);
      continue;
    }
    try {
      for (const load of LOADS) figures.push(...(await measure(subject, load, veth, context)));
    } finally {
      subject.stop();
    }
  }
  return [...figures, ...ratios(figures)];
}

async function startSource(kind: 'afpacket' | 'cap', veth: VethPair): Promise<Subject | string> {
  const worker = startWorker('consume', { source: { kind, interface: veth.to.interface } }, veth.to.netns);
  try {
    await worker.next();
  } catch (error) {
    return `${kind}: ${errorMessage(error)}`;
  }
  return { name: kind, mark: async () => (await worker.ask('mark')) as unknown as Round, stop: () => worker.stop() };
}

async function measure(
  subject: Subject,
  load: (typeof LOADS)[number],
  veth: VethPair,
  context: BenchContext,
): Promise<BenchFigure[]> {
  const { ratePps, packets } = load;
  const generator: Worker = startWorker(
    'generate',
    { interface: veth.from.interface, packets, ratePps },
    veth.from.netns,
  );
  const costs: number[] = [];
  const rates: number[] = [];
  let lost = 0;
  try {
    await generator.next();
    for (let round = 0; round < ROUNDS + WARM_UP_ROUNDS; round++) {
      context.progress(`${subject.name}, ${load.name}, round ${round + 1} of ${ROUNDS + WARM_UP_ROUNDS}`);
      await subject.mark();
      const { sent, secs } = (await generator.ask('send')) as { sent: number; secs: number };
      const result = await settled(subject, sent);
      if (round < WARM_UP_ROUNDS) continue;
      costs.push((result.cpuUs * 1000) / Math.max(1, result.packets));
      rates.push(sent / secs);
      lost += sent - result.packets;
    }
  } finally {
    generator.stop();
  }
  const share = (lost / (ROUNDS * packets)) * 100;
  return [
    {
      name: `live_${subject.name}_${load.name}_cpu`,
      value: median(costs),
      unit: 'ns/packet',
      text: `CPU time of ${subject.name}${subject.name === 'cap' ? ' and its capture process' : ''} at ${Math.round(median(rates) / 1000)} kpps, median of ${ROUNDS} rounds`,
    },
    {
      name: `live_${subject.name}_${load.name}_loss`,
      value: share,
      unit: '%',
      text: `packets not seen of ${ROUNDS * packets} sent`,
    },
  ];
}

/** Adds up marks until everything arrived, or nothing more comes. */
export async function settled(subject: Pick<Subject, 'mark'>, sent: number): Promise<Round> {
  const total = { cpuUs: 0, packets: 0 };
  for (let quiet = 0; quiet < 5 && total.packets < sent;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const round = await subject.mark();
    total.cpuUs += round.cpuUs;
    total.packets += round.packets;
    quiet = round.packets === 0 ? quiet + 1 : 0;
  }
  return total;
}

/** How many times the CPU of `afpacket` the others need. */
function ratios(figures: readonly BenchFigure[]): BenchFigure[] {
  return LOADS.flatMap(({ name }) => {
    const own = figures.find((f) => f.name === `live_afpacket_${name}_cpu`)?.value;
    return ['cap', 'suricata'].flatMap((other) => {
      const value = figures.find((f) => f.name === `live_${other}_${name}_cpu`)?.value;
      if (own === undefined || value === undefined) return [];
      return [
        {
          name: `ratio_${other}_${name}`,
          value: value / own,
          unit: 'x',
          text: `CPU of ${other} for each of afpacket's, ${name}`,
        },
      ];
    });
  });
}
