import { createQueueRules, listeners, type InlineOptions } from '../inline/index.js';
import { errorMessage } from '../util/errors.js';

/** What became of the rules that bring packets to the queue: none were there, they are gone, or somebody judges by them. */
export type InlineFlush = 'none' | 'lifted' | 'judging';

/**
 * Takes away the rules of an inline daemon that is gone: with `fail: closed` they drop all chosen traffic until it is back.
 * While it runs it would bring them back within a second, so they stay. A problem with them keeps no block from being lifted.
 * @returns of several configurations what concerns the operator most
 */
export async function liftInline(all: readonly InlineOptions[]): Promise<InlineFlush> {
  const done: InlineFlush[] = [];
  for (const options of all) {
    try {
      done.push(await liftOne(options));
    } catch (error) {
      process.stderr.write(`The rules of the inline daemon may still be there: ${errorMessage(error)}\n`);
    }
  }
  return done.find((what) => what === 'judging') ?? done.find((what) => what === 'lifted') ?? 'none';
}

async function liftOne(options: InlineOptions): Promise<InlineFlush> {
  const rules = createQueueRules(options);
  try {
    if (rules.counters() === undefined) return 'none';
    if (listeners(options) > 0) return 'judging';
    await rules.remove();
    return 'lifted';
  } finally {
    rules.close();
  }
}

export function sayInline(what: InlineFlush): void {
  if (what === 'lifted')
    process.stdout.write(
      'The rules of the inline daemon, which is gone, are removed too: nothing waits for a verdict.\n',
    );
  if (what === 'judging')
    process.stderr.write(
      'The inline daemon runs and goes on dropping what its rules say. To end that too, stop it (systemctl stop\n' +
        'portcullis-inline) and flush again, or switch inline verdicts off in the console.\n',
    );
}
