import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { openBusServer, runBusClient, type BusServer, type SensorReport } from '../../../src/bus/index.js';
import { IPC_VERSION } from '../../../src/contract/ipc.js';
import type { Detection } from '../../../src/domain/detection.js';
import { sampleDecision, sampleFlow } from '../store/samples.js';

const detection: Detection = {
  id: '01890000-0000-7000-8000-000000000001',
  tier: 'behaviour', signatureId: 1, gid: 2, rev: 1, label: 'port_scan', title: 'Port scan', category: 'recon',
  severity: 'medium', score: 0.9, confidence: 0.8, offender: '203.0.113.7', spoofable: false, evidence: [],
  packetUs: 1, detectedUs: 2, sensor: 'edge', srcIp: '203.0.113.7', srcPort: 1, dstIp: '192.0.2.1', dstPort: 22, proto: 6,
}; // prettier-ignore

/** Waits for a condition with a bound. */
async function until(what: string, condition: () => boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > end) assert.fail(`not within a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe('bus over Unix sockets', () => {
  let dir: string;
  let paths: { sensorPath: string; responderPath: string };
  let abort: AbortController;
  let server: BusServer | undefined;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'bus-'));
    paths = { sensorPath: join(dir, 's.sock'), responderPath: join(dir, 'r.sock') };
    abort = new AbortController();
  });
  afterEach(async () => {
    abort.abort();
    await server?.close();
    server = undefined;
    rmSync(dir, { recursive: true });
  });

  const silent = { onSensor: () => undefined, onResponder: () => undefined };
  const sensorOptions = {
    role: 'sensor' as const,
    name: 'edge',
    info: () => ({ interfaces: ['lan0'] }),
    minBackoffMs: 5,
  };

  it('carries messages both ways and says who is connected', async () => {
    const seen: [SensorReport, string][] = [];
    server = await openBusServer(paths, { ...silent, onSensor: (message, peer) => seen.push([message, peer.name]) });
    const commands: unknown[] = [];
    const client = runBusClient(
      { ...sensorOptions, path: paths.sensorPath, onMessage: (command) => commands.push(command) },
      abort.signal,
    );
    client.send({ type: 'detection', detection });
    await until('detection', () => seen.length === 1);
    assert.deepEqual(seen, [[{ type: 'detection', detection }, 'edge']]);
    assert.deepEqual(server.peers()[0]?.info, { interfaces: ['lan0'] });
    assert.equal(server.toSensor('edge', { type: 'reload', what: 'rules' }), true);
    assert.equal(server.toSensor('other', { type: 'reload', what: 'rules' }), false);
    await until('command', () => commands.length === 1);
    assert.deepEqual(commands, [{ type: 'reload', what: 'rules' }]);
  });

  it('hands messages over in the types of the domain', async () => {
    let got: Detection | undefined;
    server = await openBusServer(paths, {
      ...silent,
      onSensor: (message) => {
        if (message.type === 'detection') got = message.detection;
      },
    });
    const client = runBusClient({ ...sensorOptions, path: paths.sensorPath, onMessage: () => undefined }, abort.signal);
    client.send({ type: 'detection', detection });
    await until('detection', () => got !== undefined);
    assert.deepEqual(got, detection);
  });

  it('sends detections queued before the connection ahead of flows', async () => {
    const order: string[] = [];
    const client = runBusClient({ ...sensorOptions, path: paths.sensorPath, onMessage: () => undefined }, abort.signal);
    client.send({ type: 'flows', flows: [sampleFlow()] });
    client.send({ type: 'stats', atMs: 1, stats: {} });
    client.send({ type: 'detection', detection });
    server = await openBusServer(paths, { ...silent, onSensor: (message) => order.push(message.type) });
    await until('three messages', () => order.length === 3);
    assert.deepEqual(order, ['detection', 'flows', 'stats']);
  });

  it('connects again when the server comes back, and replaces a socket file left behind', async () => {
    server = await openBusServer(paths, silent);
    let connects = 0;
    const client = runBusClient(
      { ...sensorOptions, path: paths.sensorPath, onMessage: () => undefined, onConnect: () => connects++ },
      abort.signal,
    );
    await until('first connection', () => client.connected);
    await server.close();
    await until('disconnect', () => !client.connected);
    writeFileSync(paths.sensorPath, '');
    const seen: string[] = [];
    server = await openBusServer(paths, { ...silent, onSensor: (message) => seen.push(message.type) });
    client.send({ type: 'detection', detection });
    await until('detection after reconnect', () => seen.length === 1);
    assert.equal(connects, 2);
  });

  it('drops the oldest flows, not detections, while the server is away, and counts them', () => {
    const client = runBusClient(
      { ...sensorOptions, path: paths.sensorPath, onMessage: () => undefined, maxQueuedBytes: 20_000 },
      abort.signal,
    );
    client.send({ type: 'detection', detection });
    let kept = 0;
    for (let i = 0; i < 200; i++) if (client.send({ type: 'flows', flows: [sampleFlow()] })) kept++;
    const stats = client.stats();
    assert.ok(kept > 5 && kept < 100, String(kept));
    assert.equal(stats['shedBulk'], 200 - kept);
    assert.equal(stats['shedUrgent'], 0);
    assert.ok((stats['queuedBytes'] ?? 0) <= 21_000);
  });

  it('counts bad messages, logs them once a kind, and keeps the connection', async () => {
    const seen: string[] = [];
    const warnings: object[] = [];
    const log = { debug() {}, info() {}, error() {}, warn: (fields: object) => warnings.push(fields) };
    server = await openBusServer(paths, { ...silent, onSensor: (message) => seen.push(message.type) }, { log });
    const socket = connect(paths.sensorPath);
    const hello = { type: 'hello', role: 'sensor', version: IPC_VERSION, name: 'x', pid: 1, info: {} };
    socket.write(`${JSON.stringify(hello)}\n`);
    for (let i = 0; i < 5; i++) socket.write('garbage\n{"type":"detection","detection":{}}\n{"no":"type"}\n[]\n');
    socket.write('{"type":"__proto__"}\n');
    const split = JSON.stringify({ type: 'detection', detection });
    socket.write(split.slice(0, 40));
    socket.write(`${split.slice(40)}\n`);
    await until('good message', () => seen.length === 1);
    assert.equal(server.stats()['bus_rejected'], 21);
    assert.equal(warnings.length, 4);
    socket.destroy();
  });

  it('cuts a connection that sends an endless line, no hello, the wrong role or the wrong version', async () => {
    server = await openBusServer({ ...paths, maxLineBytes: 4096 }, silent);
    const hello = { type: 'hello', role: 'sensor', version: IPC_VERSION, name: 'x', pid: 1, info: {} };
    const attempts = [
      'x'.repeat(5000),
      `${JSON.stringify({ type: 'detection', detection })}\n`,
      `${JSON.stringify({ ...hello, role: 'responder' })}\n`,
      `${JSON.stringify({ ...hello, version: IPC_VERSION + 1 })}\n`,
      `${JSON.stringify(hello)}\n${JSON.stringify(hello)}\n`,
    ];
    for (const text of attempts) {
      const socket = connect(paths.sensorPath);
      socket.on('error', () => undefined);
      socket.write(text);
      await once(socket, 'close');
    }
    assert.equal(server.stats()['bus_cut'], attempts.length);
    assert.deepEqual(server.peers(), []);
  });

  it('gives the sockets exactly the permissions asked for', async () => {
    server = await openBusServer({ ...paths, mode: 0o620 }, silent);
    assert.equal(statSync(paths.sensorPath).mode & 0o777, 0o620);
    assert.equal(statSync(paths.responderPath).mode & 0o777, 0o620);
  });

  it('says clearly when another server listens, the directory is missing or the group is unknown', async () => {
    server = await openBusServer(paths, silent);
    await assert.rejects(openBusServer(paths, silent), { code: 'bus.in_use' });
    const missing = { sensorPath: join(dir, 'no/way/s.sock'), responderPath: join(dir, 'no/way/r.sock') };
    await assert.rejects(openBusServer(missing, silent), { code: 'bus.cannot_listen' });
    const other = { sensorPath: join(dir, 's2'), responderPath: join(dir, 'r2') };
    await assert.rejects(openBusServer({ ...other, group: 'no-such-group' }, silent), { code: 'bus.unknown_group' });
    const long = { sensorPath: join(dir, 'x'.repeat(120)), responderPath: join(dir, 'r') };
    await assert.rejects(openBusServer(long, silent), { code: 'bus.path_too_long' });
  });

  it('says nothing of failed dials while the server may be starting, and warns once when it should be there', async () => {
    const warningsOf = async (startupMs: number): Promise<string[]> => {
      const warnings: string[] = [];
      const log = { debug() {}, info() {}, error() {}, warn: (_: object, text: string) => warnings.push(text) };
      const end = new AbortController();
      const client = runBusClient(
        { ...sensorOptions, path: paths.sensorPath, onMessage: () => undefined, log, startupMs },
        end.signal,
      );
      server = await openBusServer(paths, silent);
      await until('the client is connected', () => client.connected);
      end.abort();
      await client.done;
      await server.close();
      return warnings;
    };
    assert.deepEqual(await warningsOf(3_600_000), []);
    assert.deepEqual(await warningsOf(0), ['bus connection failed, will retry']);
  });

  it('ends with the signal', async () => {
    server = await openBusServer(paths, silent);
    const client = runBusClient({ ...sensorOptions, path: paths.sensorPath, onMessage: () => undefined }, abort.signal);
    await until('connection', () => client.connected);
    abort.abort();
    await client.done;
    const never = new AbortController();
    const waiting = runBusClient(
      { ...sensorOptions, path: join(dir, 'nobody'), onMessage: () => undefined, minBackoffMs: 60_000 },
      never.signal,
    );
    never.abort();
    await waiting.done;
  });

  it('keeps detections moving while the peer reads slowly', async () => {
    const plain = createServer();
    plain.listen(paths.sensorPath);
    await once(plain, 'listening');
    const client = runBusClient({ ...sensorOptions, path: paths.sensorPath, onMessage: () => undefined }, abort.signal);
    const [socket] = (await once(plain, 'connection')) as [Socket];
    socket.pause();
    await until('connection', () => client.connected);
    const flows = Array.from({ length: 100 }, () => sampleFlow());
    for (let i = 0; i < 100; i++) client.send({ type: 'flows', flows });
    client.send({ type: 'detection', detection });
    const types: string[] = [];
    let rest = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) types.push((JSON.parse(line) as { type: string }).type);
    });
    socket.resume();
    await until('all messages', () => types.length === 102);
    assert.ok(types.indexOf('detection') < 60, `detection came as number ${types.indexOf('detection')} of 102`);
    socket.destroy();
    abort.abort();
    await client.done;
    await new Promise((resolve) => plain.close(resolve));
  });

  it('passes a snapshot of many decisions to the responder in one message', async () => {
    const got: number[] = [];
    server = await openBusServer(paths, silent);
    const client = runBusClient(
      {
        role: 'responder',
        name: 'edge',
        info: () => ({}),
        path: paths.responderPath,
        onMessage: (command) => {
          if (command.type === 'sync') got.push(command.decisions.length);
        },
      },
      abort.signal,
    );
    await until('connection', () => client.connected && server?.peers().length === 1);
    const decisions = Array.from({ length: 20_000 }, () => sampleDecision());
    assert.equal(server.toResponders({ type: 'sync', decisions }), 1);
    await until('snapshot', () => got.length === 1);
    assert.deepEqual(got, [20_000]);
  });
});
