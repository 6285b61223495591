import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { countNumbers, numberedAlert, openTestForwarder, testDeps, testOptions } from './support/events.js';
import { freePort, waitFor } from './support/receivers.js';

const skip =
  spawnSync('nats-server', ['-v']).error === undefined ? false : 'nats-server is not installed (Debian: nats-server)';

describe('NATS JetStream as the receiver', { skip }, () => {
  let dir = '';
  let port = 0;
  let server: ChildProcess | undefined;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'portcullis-nats-'));
    port = await freePort();
    const authorization = 'authorization { token: "s3cret" }';
    writeFileSync(
      join(dir, 'nats.conf'),
      `listen: 127.0.0.1:${port}\n${authorization}\njetstream { store_dir: "${dir}/js" }\n`,
    );
    await start();
    const nc = await connect({ servers: `127.0.0.1:${port}`, token: 's3cret' });
    await (await jetstreamManager(nc)).streams.add({ name: 'siem', subjects: ['portcullis.events.>'] });
    await nc.close();
  });
  after(() => {
    server?.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });

  async function start(): Promise<void> {
    server = spawn('nats-server', ['-c', join(dir, 'nats.conf')], { stdio: 'ignore' });
    await waitFor('nats-server answers', () =>
      connect({ servers: `127.0.0.1:${port}`, token: 's3cret', reconnect: false, timeout: 500 }).then(
        async (nc) => {
          await nc.close();
          return true;
        },
        () => false,
      ),
    );
  }

  async function stored(): Promise<string[]> {
    const nc = await connect({ servers: `127.0.0.1:${port}`, token: 's3cret' });
    const manager = await jetstreamManager(nc);
    const { state } = await manager.streams.info('siem');
    const lines: string[] = [];
    for (let seq = state.first_seq; seq <= state.last_seq && state.messages > 0; seq++) {
      const message = await manager.streams.getMessage('siem', { seq });
      if (message) lines.push(message.string());
    }
    await nc.close();
    return lines;
  }

  const destination = (change: object = {}) => ({
    name: 'bus',
    preset: 'nats' as const,
    url: `nats://127.0.0.1:${port}`,
    token: 's3cret',
    ...change,
  });

  it('stores every event once, also when the server is killed in between', async (t) => {
    const forwarder = await openTestForwarder(t, testOptions([destination()]), testDeps(mkdtempSync(join(dir, 'a-'))));
    for (let n = 0; n < 1000; n++) forwarder.push(numberedAlert(n));
    await waitFor('some are there', () => forwarder.status()[0]!.confirmed > 0);
    for (let n = 1000; n < 2000; n++) forwarder.push(numberedAlert(n));
    server?.kill('SIGKILL');
    for (let n = 2000; n < 2500; n++) forwarder.push(numberedAlert(n));
    await waitFor('it retries', () => forwarder.status()[0]!.state === 'retrying');
    await start();
    await waitFor('all are confirmed', () => forwarder.status()[0]!.backlogEvents === 0, 60_000);
    const counts = countNumbers(await stored());
    const wrong = Array.from({ length: 2500 }, (_, n) => n).filter((n) => counts.get(n) !== 1);
    assert.deepEqual(wrong, [], 'lost or stored twice');
    const tested = await forwarder.test('bus');
    assert.ok(tested.ok, tested.error);
    assert.match(tested.answer, /stream siem has it as number/);
    assert.match(tested.bytes, /PUB portcullis\.events\.health Nats-Msg-Id: /);
  });

  const faults: [string, object, RegExp][] = [
    ['a wrong token', { token: 'wrong' }, /authorization/i],
    ['a subject that no stream stores', { subject: 'nobody.stores.this' }, /no JetStream stream stores/],
  ];
  for (const [what, change, message] of faults) {
    it(`is misconfigured with ${what}, and keeps everything`, async (t) => {
      const where = mkdtempSync(join(dir, 'b-'));
      const forwarder = await openTestForwarder(t, testOptions([destination(change)]), testDeps(where));
      forwarder.push(numberedAlert(1));
      await waitFor('it says so', () => forwarder.status()[0]!.state === 'misconfigured');
      assert.match(forwarder.status()[0]!.lastError, message);
      assert.equal(forwarder.status()[0]!.dropped, 0);
      assert.ok(forwarder.status()[0]!.backlogEvents >= 1);
    });
  }
});
