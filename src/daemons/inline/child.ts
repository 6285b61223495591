import { AppError, errorMessage } from '../../util/errors.js';
import { setThreadPriority } from '../../util/priority.js';
import { createLogger } from '../log.js';
import { keepRealtime } from '../realtime.js';
import { BEAT_MS, type ChildCommand, type ChildMessage } from './pool.js';
import { startWorker, type Worker } from './worker.js';

/** One worker of several (`inline.queue.fanout`), as a process of its own. */
const tell = (message: ChildMessage): void => void process.send?.(message);
const abort = new AbortController();
let worker: Worker | undefined;
let work: Promise<void> = Promise.resolve();

// Terminals signal the whole group; the daemon says when to end.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', () => {
  void (worker?.stop(0) ?? Promise.resolve()).finally(() => process.exit(0));
});
process.on('message', (raw) => {
  work = work
    .then(() => obey(raw as ChildCommand))
    .catch((error: unknown) => {
      const known = error instanceof AppError ? error : undefined;
      tell({
        type: 'failed',
        code: known?.code ?? 'inline.worker_failed',
        message: errorMessage(error),
        fix: known?.fix ?? '',
      });
      if (worker === undefined) process.exit(3);
    });
});

async function obey(command: ChildCommand): Promise<void> {
  if (command.type === 'start') {
    const { config, number } = command;
    setThreadPriority(-15);
    const log = createLogger('inline', config.log_level);
    worker = startWorker(
      config,
      number,
      {
        detection: (value) => tell({ type: 'out', name: 'detection', value }),
        drops: (value) => tell({ type: 'out', name: 'drops', value }),
        transition: (value) => tell({ type: 'out', name: 'transition', value }),
      },
      log,
    );
    if (config.realtime) keepRealtime(abort.signal);
    setInterval(() => {
      if (worker) tell({ type: 'beat', state: worker.state() });
    }, BEAT_MS);
    tell({ type: 'ready' });
  } else if (command.type === 'command') worker?.command(command.command);
  else {
    await worker?.stop(command.drainMs);
    abort.abort();
    process.exit(0);
  }
}
