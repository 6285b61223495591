import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { appendFileSync, mkdtempSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import type { Detection } from '../../../src/domain/detection.js';
import { ingestOptionsSchema, openIngest, type Ingest } from '../../../src/ingest/index.js';
import { MessageSplitter } from '../../../src/ingest/lines.js';
import { silentLogger } from '../../../src/util/logger.js';

let dir = '';
let found: Detection[] = [];
let ingest: Ingest | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingest-'));
  found = [];
});
afterEach(async () => {
  await ingest?.close();
  ingest = undefined;
  rmSync(dir, { recursive: true, force: true });
});

async function open(...sources: object[]): Promise<Ingest> {
  await ingest?.close();
  ingest = await openIngest(ingestOptionsSchema.parse({ sources }), {
    dataDir: dir,
    emit: (detection) => found.push(detection),
    log: silentLogger,
    now: Date.now,
  });
  return ingest;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const eve = (n: number, change: object = {}): string =>
  `${JSON.stringify({
    timestamp: new Date().toISOString(),
    event_type: 'alert',
    src_ip: '203.0.113.7',
    src_port: n,
    dest_ip: '192.0.2.1',
    dest_port: 80,
    proto: 'TCP',
    app_proto: 'http',
    flow: { pkts_toserver: 3, pkts_toclient: 3 },
    alert: { signature_id: 1, signature: 's', category: 'c', severity: 1 },
    ...change,
  })}\n`;
const DROP =
  '<4>Nov 21 10:00:00 fw2 kernel: nft-drop: IN=eth0 OUT= SRC=203.0.113.7 DST=192.0.2.1 PROTO=TCP SPT=1 DPT=22';
const ports = () => found.map((d) => d.srcPort);

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
const dial = (port: number): Promise<Socket> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', () => undefined);
  });

describe('an EVE file', () => {
  const source = () => ({ name: 'suricata', kind: 'eve-file', path: join(dir, 'eve.json') });
  const write = (text: string): void => appendFileSync(join(dir, 'eve.json'), text);

  it('is followed from its end, through rotation, cutting, and a restart, without loss or repeat', async () => {
    write(eve(1));
    await open(source());
    write(eve(2));
    await until('the new line', () => found.length === 1);

    const line = eve(3);
    write(line.slice(0, 50));
    renameSync(join(dir, 'eve.json'), join(dir, 'eve.json.1'));
    appendFileSync(join(dir, 'eve.json.1'), line.slice(50));
    writeFileSync(join(dir, 'eve.json'), eve(4));
    await until('both sides of the rotation', () => found.length === 3);

    // The file was longer than it is after the cut: that shows whenever it is looked at.
    write(`{"event_type":"stats","pad":"${'x'.repeat(2000)}"}\n`);
    await until('all of it is read', () => ingest!.stats()['suricata_ignored'] === 1);
    truncateSync(join(dir, 'eve.json'));
    write(eve(5));
    await until('after the cut', () => found.length === 4);

    await ingest?.close();
    ingest = undefined;
    write(eve(6) + eve(7));
    await open(source());
    await until('what was written meanwhile', () => found.length === 6);
    assert.deepEqual(ports(), [2, 3, 4, 5, 6, 7]);
  });

  it('that is not there yet is said so, and read from its start when it comes', async () => {
    await open(source());
    await until('the problem', () => ingest!.problems()[0]?.problem.includes('not there yet') === true);
    write(eve(1));
    await until('the line', () => found.length === 1);
    await until('the problem is over', () => ingest!.problems().length === 0);
  });

  it('leads to detections that may block and prove the address when the flow does', async () => {
    await open(source());
    write(eve(1) + eve(2, { flow: { pkts_toserver: 1, pkts_toclient: 0 } }));
    await until('both', () => found.length === 2);
    assert.deepEqual(found.map((d) => [d.noBlock, d.spoofable]), [[undefined, false], [undefined, true]]); // prettier-ignore
    assert.equal(found[0]?.sensor, 'ingest:suricata');
    assert.deepEqual(found[0].metadata?.['ingest_source'], ['suricata']);
  });

  it('keeps its rate by waiting: nothing is lost', async () => {
    await open({ ...source(), per_second: 200, burst: 10 });
    const startMs = performance.now();
    for (let n = 1; n <= 100; n++) write(eve(n));
    await until('all', () => found.length === 100);
    assert.equal(ingest!.stats()['suricata_findings'], 100);
    // Read in one chunk, then the debt is paid before the next.
    write(eve(101));
    await until('the one after the debt', () => found.length === 101);
    assert.ok(performance.now() - startMs > 250, String(performance.now() - startMs));
  });

  it('counts what is too old, too mild, too long or broken, and takes none of it', async () => {
    await open({ ...source(), min_severity: 'medium', max_line_bytes: 2048, max_age_secs: 60 });
    write(eve(1, { timestamp: '2020-01-01T00:00:00.000000+0000' }));
    write(eve(2, { alert: { signature_id: 1, severity: 3 } }));
    write(eve(3, { payload: 'x'.repeat(4000) }));
    write('{"event_type":"alert",\n');
    write(eve(4));
    await until('the good one', () => found.length === 1);
    const s = ingest!.stats();
    assert.deepEqual(
      [s['suricata_stale'], s['suricata_below'], s['suricata_too_long'], s['suricata_malformed']],
      [1, 1, 1, 1],
    );
  });
});

describe('an EVE socket', () => {
  it('takes what Suricata writes to it, is closed to others, and replaces a stale socket', async () => {
    const path = join(dir, 'eve.sock');
    await open({ name: 's', kind: 'eve-socket', path });
    assert.equal(statSync(path).mode & 0o777, 0o660);
    const client = connect(path);
    client.write(eve(1) + eve(2).slice(0, 30));
    client.write(eve(2).slice(30));
    await until('both', () => found.length === 2);
    client.destroy();
    await open({ name: 's', kind: 'eve-socket', path });
    const again = connect(path);
    again.end(eve(3));
    await until('the third', () => found.length === 3);
  });
});

describe('syslog from other firewalls', () => {
  it('over UDP is taken from listed senders only, never blocks, and above its rate is lost and counted', async () => {
    const port = await freePort();
    await open({ name: 'fw', kind: 'syslog-udp', port, per_second: 1, burst: 5 });
    const socket = createSocket('udp4');
    for (let i = 0; i < 20; i++) socket.send(DROP, port, '127.0.0.1');
    await until('all are counted', () => {
      const s = ingest!.stats();
      return s['fw_findings']! + s['fw_over_rate']! === 20;
    });
    assert.ok(found.length >= 5 && found.length <= 7, String(found.length));
    assert.ok(found.every((d) => d.noBlock === true && d.spoofable));

    await open({ name: 'fw', kind: 'syslog-udp', port, allow_from: ['192.0.2.0/24'] });
    socket.send(DROP, port, '127.0.0.1');
    await until('it is refused', () => ingest!.stats()['fw_refused'] === 1);
    socket.close();
  });

  it('over TCP is read with either framing, in pieces, and bounded in connections', async () => {
    const port = await freePort();
    await open({ name: 'fw', kind: 'syslog-tcp', port, max_connections: 2, may_block: true });
    const a = await dial(port);
    const text = `${DROP.length} ${DROP}${DROP}\n${DROP.length + 1} ${DROP}\n`;
    for (const piece of text.match(/.{1,7}/gs)!) a.write(piece);
    await until('three', () => found.length === 3);
    assert.equal(found[0]?.noBlock, undefined, 'the operator said that it may');
    assert.equal(found[0]?.spoofable, true, 'a refused SYN proves nothing');
    const b = await dial(port);
    const c = await dial(port);
    await until('the third connection is refused', () => c.destroyed || ingest!.stats()['fw_refused'] === 1);
    a.destroy();
    b.destroy();
  });

  it('over TCP never blocks unless the operator says so', async () => {
    const port = await freePort();
    await open({ name: 'fw', kind: 'syslog-tcp', port });
    const a = await dial(port);
    a.end(`${DROP}\n`);
    await until('one', () => found.length === 1);
    assert.equal(found[0]?.noBlock, true);
  });

  it('on a port that is taken says which source and why', async () => {
    const port = await freePort();
    const first = await open({ name: 'fw', kind: 'syslog-tcp', port });
    await assert.rejects(
      openIngest(ingestOptionsSchema.parse({ sources: [{ name: 'two', kind: 'syslog-tcp', port }] }), {
        dataDir: dir,
        emit: () => undefined,
        log: silentLogger,
        now: Date.now,
      }),
      /two cannot listen.*EADDRINUSE/,
    );
    assert.deepEqual(first.problems(), []);
  });

  const wrong: [string, object, RegExp][] = [
    ['blocks by UDP', { kind: 'syslog-udp', may_block: true }, /forge/],
    ['a listener for everybody', { kind: 'syslog-tcp', listen: '0.0.0.0' }, /list of senders/],
    ['a file without a path', { kind: 'eve-file' }, /needs a path/],
    ['TLS without a certificate', { kind: 'syslog-tls' }, /cert_file/],
  ];
  for (const [what, source, message] of wrong) {
    it(`is refused with ${what}`, () => {
      const parsed = ingestOptionsSchema.safeParse({ sources: [{ name: 'a', ...source }] });
      assert.match(parsed.error?.message ?? '', message);
    });
  }
});

describe('cutting a stream into messages', () => {
  const cut = (data: Buffer, sizes: number[], max = 64, octets = true): { lines: string[]; long: number } => {
    const lines: string[] = [];
    let long = 0;
    const splitter = new MessageSplitter(max, octets, { line: (text) => lines.push(text), tooLong: () => long++ });
    let at = 0;
    for (let i = 0; at < data.length; i++) {
      const size = Math.max(1, sizes[i % sizes.length] ?? 1);
      splitter.push(data.subarray(at, at + size));
      at += size;
      assert.ok(splitter.pending <= max + 8, String(splitter.pending));
    }
    return { lines, long };
  };

  it('gives the same messages however the bytes arrive, whatever they are', () => {
    const token = fc.constantFrom(
      '5 hello',
      '\n',
      '3 a\nb',
      '<1>x\n',
      '999999 ',
      '99999999 x\n',
      '0 ',
      '7',
      ' ',
      'é',
      '64 ',
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(token, fc.string({ maxLength: 90 })), { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
        (parts, sizes) => {
          const data = Buffer.from(parts.join(''));
          assert.deepEqual(cut(data, sizes), cut(data, [data.length]));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('passes over a message that is too long and goes on after it', () => {
    assert.deepEqual(cut(Buffer.from(`${'x'.repeat(100)}\nok\n`), [13]), { lines: ['ok'], long: 1 });
    assert.deepEqual(cut(Buffer.from(`100 ${'x'.repeat(100)}2 ok`), [13]), { lines: ['ok'], long: 1 });
  });
});
