import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test, { after, before } from 'node:test';
import { startHarness, type Harness } from './harness.js';

let h: Harness;
let token: string;

before(async () => {
  h = await startHarness();
  await h.addUser('olga', 'operator');
  token = (await h.login('olga')).token;
});
after(() => h.close());

/** @param from the address of the client */
async function open(from = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port: h.api.port, host: '127.0.0.1', localAddress: from });
  await once(socket, 'connect');
  return socket;
}

/** One request over a connection of our own that would stay open. */
async function ask(socket: Socket, method: string, path: string, body?: unknown) {
  const text = body === undefined ? '' : JSON.stringify(body);
  const head = [
    `${method} /api/v1${path} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${token}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...(text === '' ? [] : ['Content-Type: application/json']),
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${text}`);
  let answer = '';
  const length = () => Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? Infinity);
  while (answer.length < answer.indexOf('\r\n\r\n') + 4 + length()) answer += String((await once(socket, 'data'))[0]);
  return {
    status: Number(answer.slice(9, 12)),
    closes: /^connection: close\r$/im.test(answer),
    body: JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as Record<string, unknown>,
  };
}

test('a change is confirmed over a connection opened after it, and over no other', async () => {
  const [maker, idle, old] = [await open(), await open(), await open('127.0.0.2')];
  // The server must have seen them before the change is made.
  assert.equal((await ask(idle, 'GET', '/changes')).status, 200);
  assert.equal((await ask(old, 'GET', '/changes')).status, 200);
  const ended = once(idle, 'end');
  const made = await ask(maker, 'PUT', '/policies/scanners', { yaml: 'a: 2', comment: 'wider', confirmSecs: 60 });
  assert.equal(made.status, 200);
  assert.ok(made.closes, 'the connection that made the change is closed');
  await ended;
  const { id } = made.body['pending'] as { id: string };

  const refused = await ask(old, 'POST', `/changes/${id}/confirm`);
  assert.deepEqual([refused.status, refused.body['code']], [409, 'change.same_connection']);
  assert.ok(refused.closes, 'so that the next try comes over a new one');

  const fresh = await open();
  const confirmed = await ask(fresh, 'POST', `/changes/${id}/confirm`);
  assert.deepEqual([confirmed.status, confirmed.body['outcome']], [200, 'confirmed']);
  assert.equal((await ask(fresh, 'POST', `/changes/${id}/confirm`)).status, 404);
  fresh.destroy();
});

test('the change of the mode waits for its confirmation too, and can be taken back over any connection', async () => {
  const socket = await open();
  assert.equal((await ask(socket, 'PUT', '/mode', { mode: 'enforce', confirmSecs: 60 })).status, 200);
  const next = await open();
  const items = (await ask(next, 'GET', '/changes')).body['items'] as { id: string; kind: string }[];
  assert.deepEqual(
    items.map((c) => c.kind),
    ['mode'],
  );
  const reverted = await ask(next, 'POST', `/changes/${items[0]?.id ?? ''}/revert`);
  assert.deepEqual([reverted.status, reverted.body['outcome']], [200, 'reverted']);
  assert.ok(h.audited.some((a) => a.action === 'change.revert'));
  next.destroy();
});

test('a time for the confirmation that is too short is refused', async () => {
  const answer = await h.call('PUT', '/mode', { token, body: { mode: 'enforce', confirmSecs: 1 } });
  assert.equal(answer.status, 400);
});
