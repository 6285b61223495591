import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { initFleet } from '../../../src/fleet/index.js';
import { ensureStreams } from '../../../src/fleet/streams.js';
import { waitFor } from '../../lab/wait.js';

const missing = existsSync('/usr/sbin/nats-server') ? undefined : 'nats-server is not installed';
const HOST = '127.77.0.1';
const PORT = 24_222;
const dir = mkdtempSync(join(tmpdir(), 'portcullis-nats-'));
let nats: ChildProcess | undefined;
const open: NatsConnection[] = [];

async function dial(name: string): Promise<NatsConnection> {
  const read = (file: string): string => readFileSync(join(dir, 'm', name, file), 'utf8');
  const tls = { ca: read('ca.pem'), cert: read('tls.pem'), key: read('tls.key') };
  const nc = await connect({ servers: [`${HOST}:${PORT}`], tls, inboxPrefix: `_INBOX_${name}`, reconnect: false });
  open.push(nc);
  return nc;
}

before(async () => {
  if (missing !== undefined) return;
  const authority = initFleet({
    ...{ dir: join(dir, 'f'), fleet: 'acme', nodes: [{ name: 'nats1', host: HOST }] },
    ports: { client: PORT, cluster: PORT + 1, leaf: PORT + 2 },
    natsFolder: join(dir, 'f/nats/{node}'),
    storeDir: join(dir, 'store'),
    storeMiB: 512,
    nowMs: Date.now(),
  });
  authority.join({ name: 'box1', role: 'box', site: 'hq', out: join(dir, 'm/box1') });
  authority.join({ name: 'box2', role: 'box', site: 'hq', out: join(dir, 'm/box2') });
  authority.join({ name: 'server1', role: 'server', site: 'hq', out: join(dir, 'm/server1') });
  mkdirSync(join(dir, 'store'));
  nats = spawn('nats-server', ['-c', join(dir, 'f/nats/nats1/nats.conf')], { stdio: 'ignore' });
  const nc = await waitFor('NATS answers', () => dial('server1').catch(() => undefined));
  const js = jetstream(nc);
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const bucket = (name: string) => new Kvm(js).open(name);
  const { signal } = new AbortController();
  const session = { nc, js, jsm, bucket, inboxPrefix: '_INBOX_server1', signal };
  await ensureStreams(session, { replicas: 1, streamMiB: 64 });
});
after(async () => {
  await Promise.all(open.map((nc) => nc.close().catch(() => undefined)));
  nats?.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

const forbidden = /[Pp]ermissions? [Vv]iolation/;

test('a box writes under its own name and under no other', { skip: missing ?? false }, async () => {
  const kv = await new Kvm(await dial('box1')).open('PORTCULLIS_DECISIONS');
  assert.ok((await kv.put('box1.box1.one', 'x')) > 0, 'the control');
  await assert.rejects(kv.put('box2.box2.one', 'x'), forbidden);
  await assert.rejects(kv.put('server1.box1.one', 'x'), forbidden);
  const members = await new Kvm(await dial('box1')).open('PORTCULLIS_MEMBERS');
  await assert.rejects(members.put('box2', '{}'), forbidden);
});

test(
  'a box holds no lease, takes no work, and deletes no stream; a server does the first two',
  { skip: missing ?? false },
  async () => {
    const box = await dial('box1');
    const leases = await new Kvm(box).open('PORTCULLIS_LEASES');
    await assert.rejects(leases.put('scheduler', 'box1'), forbidden);
    const jsm = await jetstreamManager(box, { checkAPI: false });
    await assert.rejects(jsm.consumers.info('PORTCULLIS_DETECTIONS', 'partition-0'), forbidden);
    await assert.rejects(jsm.streams.delete('PORTCULLIS_DETECTIONS'), forbidden);
    const server = await dial('server1');
    const own = await new Kvm(server).open('PORTCULLIS_LEASES');
    assert.ok((await own.put('scheduler', 'server1')) > 0);
    const manager = await jetstreamManager(server, { checkAPI: false });
    assert.equal((await manager.consumers.info('PORTCULLIS_DETECTIONS', 'partition-0')).name, 'partition-0');
    await assert.rejects(manager.streams.delete('PORTCULLIS_DETECTIONS'), forbidden);
  },
);

test('who has no certificate of the fleet is not let in', { skip: missing ?? false }, async () => {
  const ca = readFileSync(join(dir, 'm/box1/ca.pem'), 'utf8');
  await assert.rejects(connect({ servers: [`${HOST}:${PORT}`], tls: { ca }, reconnect: false, timeout: 3000 }));
});
