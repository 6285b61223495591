import { errorMessage } from '../../util/errors.js';
import { settled, type Round } from './live.js';
import { median, type BenchContext, type BenchFigure } from './section.js';
import { createVethPair, type VethPair } from './veth.js';
import { startWorker } from './worker-process.js';

const ROUNDS = 5;
const WARM_UP_ROUNDS = 2;
/** The rates of the section live. */
const LOADS = [
  { name: 'full', ratePps: 0, packets: 500_000 },
  { name: '50kpps', ratePps: 50_000, packets: 100_000 },
] as const;
const TURNS = ['without', 'with'] as const;

/** The traffic of the section live over veth, by the packet path with and without all detectors, in turns in one process. */
export async function measureLive(context: BenchContext, skip: (reason: string) => void): Promise<BenchFigure[]> {
  let veth: VethPair;
  try {
    veth = createVethPair('portcullis-bench');
  } catch (error) {
    skip(`live needs root and iproute2: ${errorMessage(error)}`);
    return [];
  }
  const source = { kind: 'afpacket', interface: veth.to.interface };
  const watcher = startWorker('watch', { source }, veth.to.netns);
  try {
    await watcher.next();
    const subject = { mark: async () => (await watcher.ask('mark')) as unknown as Round };
    const figures: BenchFigure[] = [];
    for (const load of LOADS) {
      const costs: Record<(typeof TURNS)[number], number[]> = { without: [], with: [] };
      const { ratePps, packets } = load;
      const generator = startWorker('generate', { interface: veth.from.interface, packets, ratePps }, veth.from.netns);
      let lost = 0;
      try {
        await generator.next();
        for (let round = 0; round < ROUNDS + WARM_UP_ROUNDS; round++) {
          for (const turn of TURNS) {
            context.progress(`live, ${load.name}, ${turn}, round ${round + 1} of ${ROUNDS + WARM_UP_ROUNDS}`);
            await watcher.ask(turn);
            const { sent } = (await generator.ask('send')) as { sent: number };
            const result = await settled(subject, sent);
            if (round < WARM_UP_ROUNDS) continue;
            costs[turn].push((result.cpuUs * 1000) / Math.max(1, result.packets));
            lost += sent - result.packets;
          }
        }
      } finally {
        generator.stop();
      }
      figures.push(...figuresOf(load.name, median(costs.without), median(costs.with), lost));
    }
    return figures;
  } finally {
    watcher.stop();
    veth.remove();
  }
}

function figuresOf(load: string, without: number, withAll: number, lost: number): BenchFigure[] {
  const name = (end: string): string => `behaviour_live_${load}_${end}`;
  const unit = 'ns/packet';
  return [
    {
      name: name('without'),
      value: without,
      unit,
      text: `CPU time of capture, decode and flow table, live traffic, median of ${ROUNDS} rounds, ${lost} packets lost`,
    },
    { name: name('with'), value: withAll, unit, text: 'with all detectors' },
    { name: name('adds'), value: withAll - without, unit, text: 'what all detectors add (aim: at most 150)' },
  ];
}
