import { recall } from '../daemons/inline/memory.js';
import type { DoctorItem } from '../enforce/index.js';
import { findJudging, findQueueWays, type Backend, type InlineOptions, type Judging } from '../inline/index.js';
import { errorMessage } from '../util/errors.js';

const LOOK = 'See whether the inline daemon runs and what it says: systemctl status portcullis-inline, or its log.';

/** Which ways to a packet queue there are and, on a box that wants one, whether its packets are judged. */
export async function inlineItems(options: InlineOptions): Promise<DoctorItem[]> {
  const { nft, iptables, problem } = await findQueueWays();
  const item = { id: 'inline.queue', title: 'Inline queue' };
  const ways = [...(nft ? ['the queue statement of nft'] : []), ...(iptables ? ['NFQUEUE of iptables-nft'] : [])];
  if (ways.length === 0)
    return [
      {
        ...item,
        status: options.enabled ? 'problem' : 'warning',
        detail: `Neither nft nor iptables-nft can queue packets: ${problem}`,
        fix: 'Install iptables, run as root, and use a kernel with nft_queue or xt_NFQUEUE; inline verdicts need one of them.',
      },
    ];
  const way: DoctorItem = { ...item, status: 'ok', detail: `Packets reach a queue by ${ways.join(' or ')}.` };
  if (!options.enabled) return [way];
  const backend = options.backend === 'auto' ? (nft ? 'nft' : 'iptables') : options.backend;
  return [way, await judgingItem(options, backend)];
}

async function judgingItem(options: InlineOptions, backend: Backend): Promise<DoctorItem> {
  const item = { id: 'inline.judging', title: 'Inline verdicts' };
  const { mode } = recall(options.state_dir);
  if (mode === 'off')
    return {
      ...item,
      status: 'warning',
      detail: 'They are switched off: no packet waits for a verdict.',
      fix: 'Switch them on in the console, or leave inline.enabled out of the configuration.',
    };
  try {
    const judging = await findJudging(options, backend);
    if (judging !== 'judged') return { ...item, status: 'problem', detail: whatIsWrong(judging, options), fix: LOOK };
  } catch (error) {
    return { ...item, status: 'problem', detail: errorMessage(error), fix: 'Run as root, or with CAP_NET_ADMIN.' };
  }
  return { ...item, status: 'ok', detail: `Chosen packets are judged (${mode}, fail ${options.fail}).` };
}

function whatIsWrong(judging: Exclude<Judging, 'judged'>, { fail, queue }: InlineOptions): string {
  const last = queue.first + queue.fanout - 1;
  const queues = queue.fanout === 1 ? `queue ${queue.first}` : `each of the queues ${queue.first} to ${last}`;
  switch (judging) {
    case 'rules_missing':
      return 'The rules that bring packets to the queue are not all there: chosen traffic passes unjudged.';
    case 'nobody_listens':
      return `Nobody listens at ${queues}: chosen traffic ${fail === 'open' ? 'passes unjudged' : 'is dropped'}.`;
    case 'no_life':
      return 'The inline daemon shows no life: chosen traffic passes unjudged.';
  }
}
