import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import {
  connectionOf,
  kernelView,
  readTable,
  TCP_STATES,
  type Connection,
} from '../../../src/forward/transports/tcp-state.js';
import { askKernel } from '../../../src/forward/transports/sock-diag.js';

const ESTABLISHED = 1;

for (const host of ['127.0.0.1', '::1']) {
  describe(`the kernel's view of a connection to ${host}`, () => {
    const server = createServer({ allowHalfOpen: true });
    let client: Socket;
    let peer: Socket;
    let connection: Connection;
    before(async () => {
      server.listen(0, host);
      await once(server, 'listening');
      const accepted = once(server, 'connection') as Promise<[Socket]>;
      client = connect({ port: (server.address() as AddressInfo).port, host, allowHalfOpen: true });
      await once(client, 'connect');
      [peer] = await accepted;
      connection = connectionOf(client)!;
    });
    after(() => {
      client.destroy();
      peer.destroy();
      server.close();
    });

    it('is the same by a lookup and from the text table, from its start to TIME_WAIT', async () => {
      const both = (state: number): void => {
        assert.deepEqual(askKernel(connection), { state, unacknowledged: 0 });
        assert.deepEqual(readTable(connection), { state, unacknowledged: 0 });
      };
      both(ESTABLISHED);
      peer.pause();
      client.end();
      await once(client, 'finish');
      await until(() => isIn(TCP_STATES.FIN_WAIT2));
      both(TCP_STATES.FIN_WAIT2);
      client.resume();
      peer.resume();
      peer.end();
      await once(client, 'end');
      await until(() => isIn(TCP_STATES.TIME_WAIT));
      both(TCP_STATES.TIME_WAIT);
    });

    it('is "gone" where there is no such connection', () => {
      assert.equal(askKernel({ ...connection, localPort: 1 }), 'gone');
      assert.equal(readTable({ ...connection, localPort: 1 }), 'gone');
      assert.equal(kernelView({ ...connection, localPort: 1 }), 'gone');
    });

    function isIn(state: number): boolean {
      const view = askKernel(connection);
      return typeof view === 'object' && view.state === state;
    }
  });
}

async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!condition()) {
    assert.ok(performance.now() < endMs, 'the state did not come');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
