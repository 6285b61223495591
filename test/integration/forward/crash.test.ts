import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nodeArgs } from '../../support/program.js';
import { countNumbers, delivery, numberedAlert, openTestForwarder, testDeps, testOptions } from './support/events.js';
import { createRsyslog, freePort, hasRsyslog, killReceivers, waitFor, type Receiver } from './support/receivers.js';

const skip = hasRsyslog ? false : 'rsyslogd is not installed (Debian: rsyslog)';
const SENDER = nodeArgs('test/integration/forward/support/sender.ts');
const ROUNDS = Number(process.env['PORTCULLIS_CRASH_ROUNDS'] ?? 4);

let dir = '';

before(() => {
  dir = mkdtempSync(join(tmpdir(), 'portcullis-crash-'));
});
after(() => {
  killReceivers();
  rmSync(dir, { recursive: true, force: true });
});

describe('our own end', { skip }, () => {
  /** Runs the sender; kills it after so many milliseconds of sending. @returns the durable count. */
  function runSender(dataDir: string, port: number, from: number, to: number, killAfterMs: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [...SENDER, dataDir, String(port), String(from), String(to)], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let durable = from;
      let errors = '';
      let timer: NodeJS.Timeout | undefined;
      child.stderr.on('data', (data: Buffer) => {
        errors += data.toString();
      });
      child.stdout.on('data', (data: Buffer) => {
        for (const match of data.toString().matchAll(/durable (\d+)/g)) durable = Number(match[1]);
        if (killAfterMs > 0) timer ??= setTimeout(() => child.kill('SIGKILL'), killAfterMs);
      });
      child.once('exit', (code, signal) => {
        if (signal === 'SIGKILL' || code === 0) resolve(durable);
        else reject(new Error(errors.slice(-1000)));
      });
    });
  }

  it(`killed -9 at ${ROUNDS} random moments, loses nothing that was in the spool`, async (t) => {
    const port = await freePort();
    const receiver: Receiver = createRsyslog(join(dir, 'rsyslog'), { tcp: port });
    await receiver.start();
    const dataDir = join(dir, 'data');
    mkdirSync(dataDir);
    const promised: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const from = round * 10_000;
      const upTo = await runSender(dataDir, port, from, from + 10_000, 100 + Math.random() * 700);
      for (let n = from; n < upTo; n++) promised.push(n);
      t.diagnostic(`round ${round}: ${upTo - from} in the spool when killed`);
    }
    const end = ROUNDS * 10_000 + 100;
    await runSender(dataDir, port, ROUNDS * 10_000, end, 0);
    for (let n = ROUNDS * 10_000; n < end; n++) promised.push(n);
    const counts = countNumbers(receiver.lines());
    const lost = promised.filter((n) => !counts.has(n));
    const twice = promised.reduce((sum, n) => sum + (counts.get(n) ?? 1) - 1, 0);
    t.diagnostic(`${promised.length} promised, ${lost.length} lost, ${twice} twice`);
    assert.deepEqual(lost, []);
    assert.ok(promised.length > ROUNDS * 20, 'each round got something into the spool');
    await receiver.stop();
  });
});

/** A small file system in memory; needs root. */
function mountSmall(where: string, bytes: number): boolean {
  mkdirSync(where, { recursive: true });
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', where]).status === 0;
}

describe('full disk', { skip }, () => {
  it('counts what it cannot keep, goes on when there is room, and reports the gap', async (t) => {
    const where = join(dir, 'small');
    if (!mountSmall(where, 1024 * 1024)) {
      t.skip('mounting a tmpfs needs root');
      return;
    }
    try {
      const port = await freePort();
      const receiver = createRsyslog(join(dir, 'full'), { tcp: port });
      const options = testOptions([{ name: 'a', preset: 'rsyslog', transport: { host: '127.0.0.1', port } }], {
        spool: { memory_bytes: '2MiB', segment_bytes: '64KiB' },
      });
      const forwarder = await openTestForwarder(t, options, testDeps(where));
      let pushed = 0;
      await waitFor('events are refused', async () => {
        for (let i = 0; i < 100; i++) forwarder.push(numberedAlert(pushed++));
        await waitFor(
          'written or refused by the disk',
          () => forwarder.stats().spoolPending === 0 || forwarder.stats().spoolError !== '',
        );
        return forwarder.stats().refused > 0;
      });
      assert.match(forwarder.stats().spoolError, /ENOSPC/);
      await receiver.start();
      await waitFor('the backlog is delivered', () => forwarder.status()[0]!.backlogEvents === 0, 60_000);
      await waitFor('the disk works again', () => forwarder.stats().spoolError === '');
      forwarder.push(numberedAlert(pushed++));
      await waitFor(
        'the gap is reported',
        () => receiver.lines().some((line) => line.includes('gap:spool_full')),
        60_000,
      );
      await forwarder.close(60_000);
      const { refused } = forwarder.stats();
      const lines = receiver.lines();
      const missing = delivery(lines, pushed).missing.length;
      const reported = lines
        .flatMap((line) => (line.includes('gap:spool_full') ? [Number(/cn1=(\d+)/.exec(line)?.[1])] : []))
        .reduce((sum, n) => sum + n, 0);
      assert.ok(missing > 0 && missing <= refused, `${missing} missing, ${refused} refused`);
      // The news that the destination is down may have been refused too, and then it is part of the gap.
      assert.ok(reported >= missing && reported <= missing + 2, `${missing} missing, ${reported} reported`);
      await receiver.stop();
    } finally {
      spawnSync('umount', ['-l', where]);
    }
  });
});

describe('a clock that jumps', { skip }, () => {
  it('by ten hours, forward and back, loses and expires nothing', async (t) => {
    const where = join(dir, 'clock');
    mkdirSync(where);
    const port = await freePort();
    const receiver = createRsyslog(join(dir, 'clock-rsyslog'), { tcp: port });
    await receiver.start();
    let shiftMs = 0;
    const options = testOptions(
      [{ name: 'a', preset: 'rsyslog', transport: { host: '127.0.0.1', port, rotate_secs: 0.5 } }],
      {
        spool: { max_age: '1h' },
      },
    );
    const forwarder = await openTestForwarder(t, options, { ...testDeps(where), now: () => Date.now() + shiftMs });
    for (let n = 0; n < 300; n++) {
      if (n === 100) shiftMs = 36_000_000;
      if (n === 200) shiftMs = -36_000_000;
      forwarder.push({ ...numberedAlert(n), tsMs: Date.now() + shiftMs });
      if (n % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await forwarder.close(60_000);
    assert.deepEqual(delivery(receiver.lines(), 300).missing, []);
    assert.equal(forwarder.stats().droppedByLimit, 0);
    await receiver.stop();
  });
});
