import { readFileSync } from 'node:fs';
import { errorMessage } from '../util/errors.js';
import type { InlineOptions } from './options.js';
import { createPrograms } from './rules/programs.js';
import { TABLE, type Backend } from './rules/render.js';
import { createQueueRules, hasNftQueue } from './rules/rules.js';

/** How packets can reach a queue on this box. */
export interface QueueWays {
  nft: boolean;
  iptables: boolean;
  /** What iptables said when it refused. */
  problem: string;
}

const PROBE = 'PORTCULLIS_PROBE';

/** Asks the kernel for both ways; nothing is left behind. */
export async function findQueueWays(netns?: string): Promise<QueueWays> {
  const programs = createPrograms(netns);
  const nft = await hasNftQueue(programs);
  const script = ['*mangle', `:${PROBE} - [0:0]`, `-A ${PROBE} -j NFQUEUE --queue-num 0 --queue-bypass`, 'COMMIT', ''];
  try {
    await programs.load('iptables-nft-restore', ['--noflush', '--test'], script.join('\n'));
    return { nft, iptables: true, problem: '' };
  } catch (error) {
    return { nft, iptables: false, problem: errorMessage(error) };
  }
}

/** Why chosen packets are not judged, or that they are. */
export type Judging = 'judged' | 'rules_missing' | 'nobody_listens' | 'no_life';

/** Asks the kernel whether somebody judges: the rules, who listens at the queues, and whether life was shown. */
export async function findJudging(options: InlineOptions, backend: Backend): Promise<Judging> {
  const rules = createQueueRules(options);
  try {
    if (!rules.areThere(backend)) return 'rules_missing';
  } finally {
    rules.close();
  }
  if (listeners(options) < options.queue.fanout) return 'nobody_listens';
  if (options.fail === 'closed') return 'judged';
  const alive = await createPrograms().run('nft', ['list', 'set', 'inet', TABLE, 'alive']);
  return alive.includes('elements') ? 'judged' : 'no_life';
}

/** At how many of our queues somebody listens. */
export function listeners({ queue: { first, fanout } }: InlineOptions): number {
  const numbers = [...readQueues().matchAll(/^\s*(\d+)/gm)].map(([, text]) => Number(text));
  return numbers.filter((number) => number >= first && number < first + fanout).length;
}

/** /proc/net/netfilter/nfnetlink_queue: a line for each queue that somebody listens at, beginning with its number. */
export function readQueues(): string {
  try {
    return readFileSync('/proc/net/netfilter/nfnetlink_queue', 'utf8');
  } catch {
    return '';
  }
}
