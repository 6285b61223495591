import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createServiceManager, sendDatagram, socketAddress } from '../../../src/daemons/service-manager.js';

/** Receives datagrams on a Unix socket and prints them, one a line; Node itself has no such sockets. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace("@", "\\0", 1) if sys.argv[1].startswith("@") else sys.argv[1])
print("bound", flush=True)
for _ in range(int(sys.argv[2])):
    print(s.recv(4096).decode().replace("\\n", "|"), flush=True)
`;

/** @param onText what is done with all that was received so far, each time there is more. */
async function received(
  name: string,
  count: number,
  send: () => void,
  onText: (text: string) => void = () => undefined,
): Promise<string[]> {
  const child = spawn('python3', ['-c', RECEIVER, name, String(count)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (text === '') send();
    text += chunk;
    onText(text);
  });
  await once(child, 'close');
  return text.trim().split('\n').slice(1);
}

describe('the service manager', () => {
  it('is told that the daemon is ready, that it lives, and that it stops', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'notify-'));
    const stop = new AbortController();
    const keepAlive = setInterval(() => undefined, 1000);
    try {
      const name = join(dir, 's');
      let stopping = (): void => undefined;
      const onText = (text: string): void => {
        if ((text.match(/WATCHDOG=1/g)?.length ?? 0) >= 2) stopping();
      };
      const begin = (): void => {
        const environment = { NOTIFY_SOCKET: name, WATCHDOG_USEC: '40000', WATCHDOG_PID: String(process.pid) };
        const manager = createServiceManager(stop.signal, environment);
        assert.equal(environment.NOTIFY_SOCKET, undefined, 'programs it starts cannot speak for it');
        manager.ready('console at http://127.0.0.1:8443');
        stopping = manager.stopping;
      };
      const lines = await received(name, 4, begin, onText);
      assert.equal(lines[0], 'READY=1|STATUS=console at http://127.0.0.1:8443');
      assert.deepEqual(lines.slice(1, 3), ['WATCHDOG=1', 'WATCHDOG=1']);
    } finally {
      stop.abort();
      clearInterval(keepAlive);
      rmSync(dir, { recursive: true });
    }
  });

  it('can be a socket without a file', async () => {
    const name = `@portcullis-test-${process.pid}`;
    assert.deepEqual(await received(name, 1, () => assert.equal(sendDatagram(name, 'READY=1'), true)), ['READY=1']);
    assert.equal(sendDatagram(name, 'READY=1'), false, 'nobody listens any longer');
  });

  it('is not told anything where nobody asked, and gets no sign of life meant for another process', async () => {
    const sent: string[] = [];
    const send = (_name: string, text: string): boolean => sent.push(text) > 0;
    const stop = new AbortController();
    let keepAlive: NodeJS.Timeout | undefined;
    createServiceManager(stop.signal, {}, send).ready('works');
    assert.deepEqual(sent, []);
    const environment = { NOTIFY_SOCKET: '/run/s', WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' };
    createServiceManager(stop.signal, environment, send).ready('works');
    const ours = { ...environment, NOTIFY_SOCKET: '/run/s', WATCHDOG_PID: String(process.pid) };
    const toUs: string[] = [];
    // Its first sign of life comes after any that the other would have had.
    await new Promise<void>((resolve) => {
      const count = (_name: string, text: string): boolean => {
        if (toUs.push(text) === 3) resolve();
        return true;
      };
      createServiceManager(stop.signal, ours, count).ready('works');
      keepAlive = setTimeout(resolve, 60_000);
    });
    clearTimeout(keepAlive);
    assert.equal(toUs.length, 3);
    assert.deepEqual(sent, ['READY=1\nSTATUS=works']);
    stop.abort();
  });

  it('writes the address as the kernel reads it', () => {
    assert.deepEqual([...socketAddress('/a')], [1, 0, 47, 97, 0]);
    assert.deepEqual([...socketAddress('@a')], [1, 0, 0, 97]);
  });
});
