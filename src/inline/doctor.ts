import { errorMessage } from '../util/errors.js';
import { createPrograms } from './rules/programs.js';
import { hasNftQueue } from './rules/rules.js';

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
