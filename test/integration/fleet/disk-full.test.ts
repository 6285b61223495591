import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { openReplica } from '../../../src/fleet/replica.js';
import { openSpool } from '../../../src/fleet/spool.js';
import { waitFor } from '../../lab/wait.js';
import { aDecision, makeFleet } from '../../unit/fleet/support.js';
import { fillDisk } from '../../support/full-disk.js';

const root = mkdtempSync(join(tmpdir(), 'portcullis-full-'));
const disk = join(root, 'disk');
mkdirSync(disk);
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk]).status === 0;
const skip = mounted ? false : 'a file system of its own needs root';
const fleet = makeFleet({ box1: { role: 'box', site: 'hq' } });
const trust = fleet.trust('box1');
const filler = join(disk, 'filler');

after(() => {
  if (mounted) execFileSync('umount', [disk]);
  rmSync(root, { recursive: true });
});

test(
  'what a box has detected waits while its disk is full, and is written whole when there is room',
  { skip },
  async () => {
    const spool = openSpool(join(disk, 'spool'), 1 << 20);
    const line = (n: number): string => `${n} ${'x'.repeat(500)}`;
    for (let i = 0; i < 10; i++) spool.append(line(i));
    await waitFor('the first lines', () => spool.read(1).length === 1);
    spool.rewind();
    fillDisk(filler);
    for (let i = 10; i < 30; i++) spool.append(line(i));
    await turn();
    assert.equal(spool.stats().waiting, 30);
    rmSync(filler);
    const found: string[] = [];
    await waitFor('all of them', () => (found.push(...spool.read(100)), found.length >= 30));
    assert.deepEqual(
      found.map((text) => text.split(' ')[0]),
      Array.from({ length: 30 }, (_, i) => String(i)),
    );
    assert.ok(
      found.every((text, i) => text === line(i)),
      'no half lines',
    );
    assert.equal(spool.stats().dropped, 0);
    spool.close();
  },
);

test(
  'decisions of the fleet count while the disk is full, and are in the file when there is room',
  { skip },
  async () => {
    const dir = join(disk, 'replica');
    const replica = await openReplica(dir, trust.refuseAll, Date.now());
    fillDisk(filler);
    const ids = Array.from({ length: 20 }, () => {
      const decision = fleet.sealer('box1').decision(aDecision({ reason: 'x'.repeat(400) }), {
        ...{ issuer: 'box1', reach: 'all', version: 1 },
      });
      assert.equal(replica.put({ state: 'active', decision }), true);
      return decision.id;
    });
    assert.ok(ids.every((id) => replica.get('box1', id) !== undefined));
    assert.equal(replica.isSaved, false);
    replica.expire(Date.now());
    assert.equal(replica.isSaved, false, 'there is no room yet');
    rmSync(filler);
    replica.expire(Date.now() + 60_000);
    assert.equal(replica.isSaved, true);
    const written = readFileSync(join(dir, 'decisions.jsonl'), 'utf8');
    assert.ok(ids.every((id) => written.includes(id)));
    replica.close();
  },
);
