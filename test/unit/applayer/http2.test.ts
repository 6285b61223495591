import assert from 'node:assert/strict';
import { createServer, connect as connectTcp, type AddressInfo, type Socket } from 'node:net';
import { connect, createServer as createHttp2Server } from 'node:http2';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { fieldOf, openFlow, play, type Said } from './talk.js';

/** What a real client and a real server say to each other, in the order in which it passes. */
async function record(): Promise<Said[]> {
  const said: Said[] = [];
  const server = createHttp2Server();
  server.on('stream', (stream, headers) => {
    stream.resume();
    stream.on('end', () => {
      const isZipped = headers[':path'] === '/zipped';
      stream.respond({
        ':status': 404,
        'x-note': 'Not here; \u00e9',
        ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
      });
      stream.end(isZipped ? gzipSync('zipped answer') : 'plain answer');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const sockets: Socket[] = [];
  const tap = createServer((client) => {
    const upstream = connectTcp(port, '127.0.0.1');
    sockets.push(client, upstream);
    client.on('data', (d) => said.push(['C', Uint8Array.from(d)]) && upstream.write(d));
    upstream.on('data', (d) => said.push(['S', Uint8Array.from(d)]) && client.write(d));
    for (const s of [client, upstream]) s.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => tap.listen(0, '127.0.0.1', resolve));
  const session = connect(`http://127.0.0.1:${(tap.address() as AddressInfo).port}`);
  const ask = (path: string, body: string, more: Record<string, string> = {}): Promise<void> =>
    new Promise((resolve, reject) => {
      const request = session.request({ ':method': 'POST', ':path': path, 'user-agent': 'A client/1.0 (x)', ...more });
      request.on('close', resolve).on('error', reject).resume();
      request.end(body);
    });
  await ask('/first?q=<script>', 'a=1');
  await ask('/first?q=<script>', 'again', { 'x-long': 'v'.repeat(40_000) });
  await ask('/zipped', '');
  await new Promise<void>((resolve) => session.close(resolve));
  for (const s of sockets) s.destroy();
  await Promise.all([server, tap].map((s) => new Promise((resolve) => s.close(resolve))));
  return said;
}

test('HTTP/2 of a real client and server is read, however it is cut', async () => {
  const said = await record();
  for (const size of [Infinity, 100, 1]) {
    const flow = play(openFlow(), said, size);
    assert.equal(flow.proto, 'http2');
    const field = (name: string, d: 0 | 1): string[] => fieldOf(flow.transactions, name, d);
    assert.deepEqual(field('http.uri', 0), ['/first?q=<script>', '/first?q=<script>', '/zipped']);
    assert.deepEqual(field('http.method', 0), ['POST', 'POST', 'POST']);
    assert.deepEqual(field('http.user_agent', 0), Array<string>(3).fill('A client/1.0 (x)'));
    assert.ok(field('http.host', 0).every((h) => h === '127.0.0.1'));
    assert.deepEqual(field('http.request_body', 0), ['a=1', 'again']);
    assert.deepEqual(field('http.stat_code', 1), ['404', '404', '404']);
    assert.deepEqual(field('file.data', 1), ['plain answer', 'plain answer', 'zipped answer']);
    assert.match(field('http.header', 1)[0]!, /\r\nx-note: Not here; \u00e9\r\n/);
    assert.match(field('http.header_names', 0)[0]!, /^\r\n:.*\r\nuser-agent\r\n\r\n$/s);
    assert.match(field('http.header', 0)[1]!, /x-long: v{40000}\r\n/);
    assert.deepEqual(
      flow.transactions.flatMap((tx) => tx.events),
      [],
    );
  }
});

test('numbers of control frames are of their stream, or of the connection', () => {
  const frame = (type: number, flags: number, stream: number, ...body: number[]): Uint8Array =>
    Uint8Array.from([0, 0, body.length, type, flags, 0, 0, 0, stream, ...body]);
  const said: Said[] = [
    ['C', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['C', frame(4, 0, 0, 0, 2, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0)],
    ['C', frame(1, 0x25, 1, 0, 0, 0, 0, 200, 0x82, 0x84)],
    ['C', frame(8, 0, 1, 0, 0, 3, 232)],
    ['S', frame(7, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2)],
  ];
  const [settings, request, goaway] = play(openFlow(), said, 5).transactions;
  assert.equal(settings!.side, 0);
  assert.equal(settings!.number('http2.settings=2', 0), 0);
  assert.equal(settings!.number('http2.settings=4', 0), 65_536);
  assert.equal(request!.number('http2.frametype=1', 0), 1);
  assert.equal(request!.number('http2.priority', 0), 200);
  assert.equal(request!.number('http2.window', 0), 1000);
  assert.equal(request!.number('http2.window', 1), undefined);
  assert.equal(goaway!.number('http2.frametype=7', 1), 1);
  assert.equal(goaway!.number('http2.errorcode', 1), 2);
});
