import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { nodeArgs } from '../../support/program.js';
import { cannotRun, ip } from '../../timing/capture/netns.js';

interface Result {
  packets: number;
  flows: string[];
  vectors: string[];
}

const CLIENT = `feat-${process.pid}a`;
const SERVER = `feat-${process.pid}b`;
const dir = mkdtempSync(join(tmpdir(), 'portcullis-features-'));
const skip = cannotRun();

/** Answers HTTP-like requests of many sizes over TCP and echoes UDP. */
const SERVE = `
  const net = require('node:net'), dgram = require('node:dgram');
  const udp = dgram.createSocket('udp4').on('message', (m, r) => udp.send(m, r.port, r.address)).bind(5300);
  net.createServer((s) => s.on('error', () => {}).on('data', (d) => s.end(Buffer.alloc(Number(d.toString())))))
    .listen(8080, () => process.stdout.write('up\\n'));`;

/** Connections that finish, that are refused, and datagrams that come back. */
const ASK = `
  const net = require('node:net'), dgram = require('node:dgram');
  const talk = (port, bytes) => new Promise((done) => {
    const s = net.connect(port, '10.79.1.2', () => s.write(String(bytes)));
    s.on('error', () => {}).on('close', done).resume();
  });
  const ask = () => new Promise((done) => {
    const u = dgram.createSocket('udp4').on('message', () => u.close(done));
    u.send('x'.repeat(40), 5300, '10.79.1.2');
  });
  (async () => {
    for (let i = 0; i < 25; i++) await Promise.all([talk(8080, 1 + i * 997), talk(9000 + i, 1), ask()]);
  })();`;

before(() => {
  if (skip !== false) return;
  for (const netns of [CLIENT, SERVER]) ip('netns', 'add', netns);
  ip('link', 'add', 'feat0', 'netns', CLIENT, 'type', 'veth', 'peer', 'name', 'feat0', 'netns', SERVER);
  for (const [i, netns] of [CLIENT, SERVER].entries()) {
    ip('-n', netns, 'address', 'add', `10.79.1.${i + 1}/24`, 'dev', 'feat0');
    ip('-n', netns, 'link', 'set', 'feat0', 'up');
  }
});

after(() => {
  rmSync(dir, { recursive: true });
  if (skip !== false) return;
  for (const netns of [CLIENT, SERVER]) ip('netns', 'delete', netns);
});

function start(netns: string, argv: readonly string[]) {
  const child = spawn('ip', ['netns', 'exec', netns, process.execPath, ...argv], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

test('live traffic and the file of the same packets give the same flows and the same features', { skip }, async () => {
  const program = nodeArgs('test/integration/features/equality-child.ts');
  const sensor = start(SERVER, [...program, 'feat0', join(dir, 'live.pcap')]);
  assert.equal((await sensor.lines.next()).value, 'ready');
  const server = start(SERVER, ['-e', SERVE]);
  assert.equal((await server.lines.next()).value, 'up');
  execFileSync('ip', ['netns', 'exec', CLIENT, process.execPath, '-e', ASK], { timeout: 30_000 });
  server.child.kill();
  sensor.child.stdin.end();
  const line = await sensor.lines.next();
  await once(sensor.child, 'close');
  const { kernelDrops, live, offline } = JSON.parse(String(line.value)) as {
    kernelDrops: number;
    live: Result;
    offline: Result;
  };
  assert.equal(kernelDrops, 0);
  assert.ok(live.flows.length >= 75, `${live.flows.length} flows`);
  assert.equal(live.packets, offline.packets);
  assert.deepEqual(live.flows, offline.flows);
  assert.deepEqual(live.vectors, offline.vectors);
  // The comparison can fail: one changed value is seen.
  const changed = live.vectors.with(0, live.vectors[0]!.replace(/.$/, 'x'));
  assert.throws(() => {
    assert.deepEqual(changed, offline.vectors);
  });
});
