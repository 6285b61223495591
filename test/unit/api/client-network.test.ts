import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { Duplex } from 'node:stream';
import { it } from 'node:test';
import { Shares, clientNetwork, shareConnections } from '../../../src/api/client-network.js';
import type { AccessControl } from '../../../src/api/auth/access.js';
import { createLiveFeed } from '../../../src/api/live.js';
import { apiOptionsSchema } from '../../../src/api/options.js';
import { silentLogger } from '../../../src/util/logger.js';

it('a client is its IPv4 address or its IPv6 /64, however that is written', () => {
  assert.equal(clientNetwork('::ffff:192.0.2.1'), '192.0.2.1');
  assert.equal(clientNetwork('2001:db8::a:b:c:d'), clientNetwork('2001:db8::1'));
  assert.equal(clientNetwork('fe80::1%eth0'), clientNetwork('fe80::2%eth1'));
  assert.notEqual(clientNetwork('2001:db8:0:1::1'), clientNetwork('2001:db8::1'));
  assert.equal(clientNetwork('::1'), '::1');
});

it('a share is given back once, and loopback is not counted', () => {
  const shares = new Shares(2);
  const [first, second] = [shares.take('2001:db8::1'), shares.take('2001:db8::2')];
  assert.ok(first && second);
  assert.equal(shares.take('2001:db8::3'), undefined);
  assert.ok(shares.take('2001:db8:0:1::3'), 'another network');
  first();
  first();
  assert.ok(shares.take('2001:db8::3'));
  assert.equal(shares.take('2001:db8::4'), undefined, 'given back once only');
  for (let i = 0; i < 5; i++)
    assert.ok(shares.take('127.0.0.1') && shares.take('::1') && shares.take('::ffff:127.0.0.1'));
});

class FakeSocket extends EventEmitter {
  readonly remoteAddress: string;
  destroyed = false;
  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

it('one client cannot hold all connections of the server', () => {
  const server = new EventEmitter();
  shareConnections(server as unknown as Server, 3);
  const open = (address: string): FakeSocket => {
    const socket = new FakeSocket(address);
    server.emit('connection', socket);
    return socket;
  };
  const hoard = Array.from({ length: 5 }, () => open('192.0.2.1'));
  assert.deepEqual(
    hoard.map(({ destroyed }) => destroyed),
    [false, false, false, true, true],
  );
  assert.equal(open('192.0.2.2').destroyed, false);
  hoard[0]?.emit('close');
  assert.equal(open('192.0.2.1').destroyed, false);
});

/** A connection that asks for the live feed and never says who it is. @returns the status of the answer */
function ask(server: EventEmitter, address: string): { status: string; end: () => void } {
  let answer = '';
  const socket = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      answer += chunk.toString('latin1');
      done();
    },
  });
  const headers = {
    host: 'fw.example',
    origin: 'https://fw.example',
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  const request = { method: 'GET', url: '/api/v1/live', headers, socket: { remoteAddress: address } };
  server.emit('upgrade', request as unknown as IncomingMessage, socket, Buffer.alloc(0));
  return { status: answer.slice(9, 12), end: () => socket.emit('close') };
}

it('who does not say who it is takes no place in the live feed from others', () => {
  const access: AccessControl = { authenticate: () => Promise.reject(new Error('nobody')) };
  const feed = createLiveFeed({
    access,
    options: apiOptionsSchema.parse({ liveClients: 5 }),
    log: silentLogger,
    now: Date.now,
  });
  const server = new EventEmitter();
  feed.attach(server);
  try {
    const asked = Array.from({ length: 30 }, () => ask(server, '192.0.2.1'));
    assert.equal(asked.filter(({ status }) => status === '101').length, 20);
    assert.equal(asked.filter(({ status }) => status === '503').length, 10);
    assert.equal(ask(server, '192.0.2.2').status, '101', 'another client comes in');
    asked[0]?.end();
    assert.equal(ask(server, '192.0.2.1').status, '101', 'a place is free again');
  } finally {
    feed.close();
  }
});
