import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { HeldSocket, judgeClose, TCP_STATES } from '../../../src/forward/transports/held-socket.js';

describe('judging a close', () => {
  const ok = { error: 0, unacknowledged: 0 };
  const cases: [string, Parameters<typeof judgeClose>[0], ReturnType<typeof judgeClose>][] = [
    ['both sides ended in good order', { ...ok, state: TCP_STATES.CLOSE }, 'delivered'],
    ['a reset ended it', { ...ok, state: TCP_STATES.CLOSE, error: 104 }, 'lost'],
    ['a reset came and the state is old', { ...ok, state: TCP_STATES.LAST_ACK, error: 32 }, 'lost'],
    [
      'the closes crossed and all data was acknowledged',
      { ...ok, state: TCP_STATES.CLOSING, unacknowledged: 1 },
      'delivered',
    ],
    [
      'the closes crossed and data is outstanding',
      { ...ok, state: TCP_STATES.CLOSING, unacknowledged: 700 },
      'undecided',
    ],
    [
      'the receiver closed first and data is outstanding',
      { ...ok, state: TCP_STATES.CLOSE_WAIT, unacknowledged: 25 },
      'undecided',
    ],
    ['the receiver closed first after all data', { ...ok, state: TCP_STATES.LAST_ACK, unacknowledged: 1 }, 'delivered'],
    ['its FIN has not come yet', { ...ok, state: 5 }, 'undecided'],
    ['the connection is still open', { ...ok, state: 1 }, 'undecided'],
  ];
  for (const [title, view, verdict] of cases) {
    it(`${title}: ${verdict}`, () => {
      assert.equal(judgeClose(view), verdict);
    });
  }
});

for (const host of ['127.0.0.1', '::1']) {
  describe(`the kernel's view of a connection to ${host}`, () => {
    let server: Server;
    before(async () => {
      server = createServer({ allowHalfOpen: true }).listen(0, host);
      await once(server, 'listening');
    });
    after(() => server.close());

    async function open(): Promise<{ client: Socket; peer: Socket; held: HeldSocket }> {
      const accepted = once(server, 'connection') as Promise<[Socket]>;
      const client = connect({ port: (server.address() as AddressInfo).port, host, allowHalfOpen: true });
      await once(client, 'connect');
      const held = HeldSocket.of(client);
      assert.ok(held);
      const [peer] = await accepted;
      return { client, peer, held };
    }

    it('says "delivered" when the receiver read everything and closed, after Node has closed its own descriptor', async () => {
      const { client, peer, held } = await open();
      client.write('all of it');
      client.end();
      assert.notEqual(judgeClose(held.view()), 'lost');
      peer.resume();
      client.resume();
      await once(peer, 'end');
      assert.equal(judgeClose(held.view()), 'undecided', 'the receiver has not closed yet');
      peer.end();
      await once(client, 'close');
      await until(() => judgeClose(held.view()) === 'delivered');
      held.release();
    });

    it('says "lost" when the receiver closed cleanly before our data reached it', async () => {
      const { client, peer, held } = await open();
      client.on('error', () => undefined);
      // The client does not read yet, so the close that has come is not seen when the data goes out.
      peer.resume();
      peer.end();
      await once(peer, 'finish');
      peer.destroy();
      await once(peer, 'close');
      client.write('too late');
      client.end();
      await until(() => judgeClose(held.view()) === 'lost');
      assert.equal(judgeClose(held.view()), 'lost', 'reading the error once does not lose it');
      client.destroy();
      held.release();
    });

    it('gives its descriptor back', async () => {
      const count = (): number => readdirSync('/proc/self/fd').length;
      const { client, peer, held } = await open();
      const withIt = count();
      held.release();
      assert.equal(count(), withIt - 1);
      client.destroy();
      peer.destroy();
    });
  });
}

it('there is nothing to hold where a socket has no descriptor', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(client, 'connect');
  client.destroy();
  await once(client, 'close');
  assert.equal(HeldSocket.of(client), undefined);
  server.close();
});

async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!condition()) {
    assert.ok(performance.now() < endMs, 'the state did not come');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
