import assert from 'node:assert/strict';
import test, { mock } from 'node:test';
import { startChores } from '../../../src/daemons/server/timers.js';
import type { Logger } from '../../../src/util/logger.js';

test('a regular task that throws, at once or later, is logged, and all come again', async () => {
  mock.timers.enable({ apis: ['setInterval'] });
  const errors: string[] = [];
  const log = { error: ({ err }: { err: Error }) => errors.push(err.message) } as unknown as Logger;
  let runs = 0;
  const stop = startChores(
    {
      second() {
        runs++;
        return [Promise.reject(new Error('later'))];
      },
      minute() {
        throw new Error('no space left on device');
      },
      hour: () => [],
    },
    log,
  );
  mock.timers.tick(120_000);
  await new Promise(setImmediate);
  stop();
  mock.timers.reset();
  assert.equal(runs, 120);
  assert.deepEqual(errors.sort(), ['later', 'no space left on device'], 'each is told once within a minute');
});
