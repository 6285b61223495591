import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { openStore, type Store } from '../../../src/store/index.js';
import { sampleAlert, sampleDecision } from '../../unit/store/samples.js';
import { fillDisk } from '../../support/full-disk.js';

const root = mkdtempSync(join(tmpdir(), 'portcullis-full-'));
const disk = join(root, 'disk');
mkdirSync(disk);
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]).status === 0;
const skip = mounted ? false : 'a file system of its own needs root';
const filler = join(disk, 'filler');

after(() => {
  if (mounted) execFileSync('umount', ['--lazy', disk]);
  rmSync(root, { recursive: true });
});

const open = (): Promise<Store> =>
  openStore({
    path: join(disk, 'portcullis.db'),
    waitingFile: join(disk, 'waiting.journal'),
    batchMs: 5,
    thread: false,
  });

test(
  'what is blocked and lifted on a full disk is known after a restart, with room again or without',
  { skip },
  async () => {
    const nowMs = Date.now();
    const step = { atMs: nowMs, op: 'created', actor: 'olga', reason: 'test' } as const;
    const make = (value: string) => sampleDecision({ expiresMs: 0, createdMs: nowMs, value, enforcement: 'applied' });
    const [lifted, blocked] = [make('192.0.2.1'), make('192.0.2.2')];
    const inForce = async (store: Store): Promise<string[]> =>
      (await store.decisions.active(Date.now())).map(({ value }) => value);
    const first = await open();
    await first.decisions.save({ decision: lifted, step });
    fillDisk(filler);
    // Alerts take what the write-ahead log has left.
    for (let i = 0; i < 2000; i++) first.alerts.queue({ alert: sampleAlert() });
    await assert.rejects(first.flush(), { code: 'store.full' }, 'mutation control: nothing can be written');
    first.decisions.queue({ decision: blocked, step });
    first.decisions.queue({ decision: { ...lifted, enforcement: 'revoked' }, step: { ...step, op: 'released' } });
    assert.deepEqual(await inForce(first), [blocked.value]);
    await first.close();
    const second = await open();
    assert.deepEqual(await inForce(second), [blocked.value], 'while the disk is full');
    await second.close();
    rmSync(filler);
    const third = await open();
    await third.flush();
    assert.deepEqual(await inForce(third), [blocked.value]);
    await third.close();
    const fourth = await openStore({ path: join(disk, 'portcullis.db'), thread: false });
    assert.deepEqual(await inForce(fourth), [blocked.value], 'it is in the database');
    await fourth.close();
  },
);
