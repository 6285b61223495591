import { createResponder, enforceOptionsSchema } from '../../../enforce/index.js';
import { decisionFor } from '../enforce-decisions.js';
import { answer } from './answer.js';

/** What a responder of its own is to do with a list of this many hosts. */
export interface BlocksTask {
  what: 'load' | 'start';
  netns: string;
  stateDir: string;
  hosts: number;
}

export interface BlocksAnswer {
  ms: number;
  cpuMs: number;
  desired: number;
  /** Highest resident memory of the process, megabytes. */
  peakMb: number;
}

/** As the server sends it. */
const PER_PART = 200;

/** Takes a list in, or starts with one in the journal, in a process that does nothing else. */
export async function measureBlocks(task: BlocksTask): Promise<void> {
  const responder = createResponder(
    enforceOptionsSchema.parse({ backend: 'nftables', log_blocked: false, state_dir: task.stateDir }),
    { netns: task.netns },
    { report: () => undefined, state: () => undefined, hits: () => undefined, incident: () => undefined },
  );
  if (task.what === 'load') await responder.start();
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  if (task.what === 'start') await responder.start();
  else {
    for (let from = 0; from < task.hosts; from += PER_PART) {
      const decisions = Array.from({ length: PER_PART }, (_, i) => {
        const n = from + i;
        return decisionFor(`100.${64 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`, 'feed');
      });
      const isLast = from + PER_PART >= task.hosts;
      await responder.sync(JSON.parse(JSON.stringify(decisions)) as typeof decisions, { syncId: 'list', last: isLast });
    }
    await responder.idle();
  }
  const ms = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  const result: BlocksAnswer = {
    ms,
    cpuMs: (user + system) / 1000,
    desired: responder.state().desired,
    peakMb: process.resourceUsage().maxRSS / 1000,
  };
  await responder.stop();
  answer(result);
}
