import { AppError, errorMessage } from '../../util/errors.js';
import { setThreadPriority } from '../../util/priority.js';
import { writePacketIndex } from '../packets/packet-index.js';
import { analyse } from './analyse.js';
import type { ChildMessage, ChildProblem, ChildTask } from './child-messages.js';

/**
 * The process that reads captures for the server: hostile files and long computations stay away from the process that
 * decides. Gets one task, answers, ends.
 */
setThreadPriority(10);

function send(message: ChildMessage): void {
  process.send?.(message);
}

function toProblem(error: unknown): ChildProblem {
  if (!(error instanceof AppError)) return { kind: 'bug', code: 'lab.failed', message: errorMessage(error) };
  const { kind, code, message, fix } = error;
  return { kind, code, message, ...(fix === undefined ? {} : { fix }) };
}

async function run(task: ChildTask): Promise<void> {
  if (task.op === 'index') send({ op: 'indexed', facts: await writePacketIndex(task.capture, task.index) });
  else send({ op: 'analysed', result: await analyse(task, (packets) => send({ op: 'progress', packets })) });
}

process.once('message', (task) => {
  run(task as ChildTask)
    .catch((error: unknown) => {
      send({ op: 'failed', problem: toProblem(error) });
    })
    .finally(() => process.disconnect());
});
// Without the server there is nobody to tell.
process.once('disconnect', () => process.exit());
