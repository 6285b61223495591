import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { busSocketPath, openBusServer, type BusPeerRole, type BusServer } from '../../../src/bus/index.js';

/** Numbers that no account has: what the units call portcullis, portcullis-sensor and portcullis-responder. */
const SHARED = 61_000;
const GROUPS: Readonly<Record<BusPeerRole, number>> = { sensor: 61_001, responder: 61_002, inline: 61_003 };
const USER = 61_009;
const missing = process.getuid?.() === 0 ? false : 'needs root: it acts as other accounts';

const dir = mkdtempSync(join(tmpdir(), 'portcullis-bus-'));
let bus: BusServer | undefined;

before(async () => {
  if (missing) return;
  // As tmpfiles.d makes them.
  chownSync(dir, 0, SHARED);
  chmodSync(dir, 0o750);
  for (const [role, gid] of Object.entries(GROUPS)) {
    mkdirSync(join(dir, role));
    chownSync(join(dir, role), 0, gid);
    chmodSync(join(dir, role), 0o2750);
  }
  bus = await openBusServer(
    {
      sensorPath: busSocketPath(dir, 'sensor'),
      responderPath: busSocketPath(dir, 'responder'),
      inlinePath: busSocketPath(dir, 'inline'),
    },
    { onSensor: () => undefined, onResponder: () => undefined },
  );
});
after(async () => {
  await bus?.close();
  rmSync(dir, { recursive: true });
});

/** What a process of that group, without any privilege, is told when it dials. */
function dial(own: BusPeerRole, other: BusPeerRole): string {
  const script = `require('net').connect(process.argv[1]).on('connect', () => { console.log('connected'); process.exit(); }).on('error', (e) => console.log(e.code))`;
  const identity = ['--reuid', String(USER), '--regid', String(SHARED), '--groups', String(GROUPS[own])];
  const command = [...identity, '--inh-caps=-all', process.execPath, '-e', script, busSocketPath(dir, other)];
  // The server answers in this process, which must not be blocked: accepting is the kernel's work.
  return spawnSync('setpriv', command, { encoding: 'utf8', env: { PATH: process.env['PATH'] } }).stdout.trim();
}

test('each daemon can dial its own socket and no other', { skip: missing }, () => {
  execFileSync('setpriv', ['--version'], { stdio: 'ignore' });
  for (const [role, gid] of Object.entries(GROUPS) as [BusPeerRole, number][]) {
    const { gid: owner, mode } = statSync(busSocketPath(dir, role));
    assert.equal(owner, gid, 'the socket has the group of its folder');
    assert.equal(mode & 0o777, 0o660);
    assert.equal(dial(role, role), 'connected');
    for (const other of Object.keys(GROUPS) as BusPeerRole[])
      if (other !== role) assert.equal(dial(role, other), 'EACCES');
  }
});

test('without folders of their own the sockets are made all the same, for whoever may enter', async () => {
  const plain = join(dir, 'plain');
  mkdirSync(plain);
  const own = await openBusServer(
    { sensorPath: busSocketPath(plain, 'sensor'), responderPath: busSocketPath(plain, 'responder') },
    { onSensor: () => undefined, onResponder: () => undefined },
  );
  assert.ok(statSync(busSocketPath(plain, 'responder')).isSocket());
  await own.close();
});
