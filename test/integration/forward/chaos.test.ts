import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Forwarder, type SiemOptionsInput } from '../../../src/forward/index.js';
import { makeCertificates, SERVER_NAME, type Certificates } from './support/certificates.js';
import { delivery, numberedAlert, openTestForwarder, testDeps, testOptions } from './support/events.js';
import {
  createRsyslog,
  createSyslogNg,
  freePort,
  hasRsyslog,
  killReceivers,
  unpackSyslogNg,
  waitFor,
  type Receiver,
} from './support/receivers.js';

/** Events a second; a longer soak: PORTCULLIS_SOAK_SECS=600. */
const RATE = 1000;
const SOAK_SECS = Number(process.env['PORTCULLIS_SOAK_SECS'] ?? 0);
const ROTATE_SECS = 1;
/** Three confirmations in a row that take longer, and none is waited for any more: a busy machine must not come near. */
const CLOSE_TIMEOUT_SECS = 15;

type Destination = NonNullable<SiemOptionsInput['destinations']>[number];

/** A receiver with one way in, and the destination that fits it. */
interface Target {
  receiver: Receiver;
  destination: Destination;
}

let dir = '';
let certificates: Certificates;
const syslogNg = hasRsyslog ? unpackSyslogNg() : { reason: 'rsyslog is missing' };
const skip = hasRsyslog ? false : 'rsyslogd is not installed (Debian: rsyslog rsyslog-gnutls rsyslog-relp)';

/** Every confirmed transport that has a real receiver here. */
async function makeTargets(where: string): Promise<Target[]> {
  const port = await Promise.all([freePort(), freePort(), freePort(), freePort(), freePort()]);
  const tls = { ca: certificates.ca, ...certificates.client, servername: SERVER_NAME };
  const transport = { host: '127.0.0.1', rotate_secs: ROTATE_SECS, close_timeout_secs: CLOSE_TIMEOUT_SECS };
  const targets: Target[] = [
    {
      receiver: createRsyslog(join(where, 'tcp'), { tcp: port[0] }),
      destination: { name: 'rsyslog-tcp', preset: 'rsyslog', transport: { ...transport, port: port[0] } },
    },
    {
      receiver: createRsyslog(join(where, 'mtls'), { tls: port[1] }, certificates),
      destination: {
        name: 'rsyslog-mtls',
        preset: 'rsyslog',
        tls,
        transport: { ...transport, protocol: 'tls', port: port[1] },
      },
    },
    {
      receiver: createRsyslog(join(where, 'relp'), { relp: port[2] }),
      destination: {
        name: 'rsyslog-relp',
        preset: 'rsyslog',
        transport: { host: '127.0.0.1', protocol: 'relp', port: port[2], close_timeout_secs: CLOSE_TIMEOUT_SECS },
      },
    },
  ];
  if ('dir' in syslogNg) {
    targets.push(
      {
        receiver: createSyslogNg(syslogNg.dir, join(where, 'ng-tcp'), { tcp: port[3] }),
        destination: { name: 'syslog-ng-tcp', preset: 'syslog-ng', transport: { ...transport, port: port[3] } },
      },
      {
        receiver: createSyslogNg(syslogNg.dir, join(where, 'ng-mtls'), { tls: port[4] }, certificates),
        destination: {
          name: 'syslog-ng-mtls',
          preset: 'syslog-ng',
          tls,
          transport: { ...transport, protocol: 'tls', port: port[4] },
        },
      },
    );
  }
  return targets;
}

/** Pushes at RATE until `done` says so. @returns how many were pushed. */
async function pushUntil(forwarder: Forwarder, from: number, done: (pushed: number) => boolean): Promise<number> {
  const startedMs = performance.now();
  let n = 0;
  while (!done(from + n)) {
    const due = ((performance.now() - startedMs) * RATE) / 1000;
    for (; n < due; n++) forwarder.push(numberedAlert(from + n));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return from + n;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Kills a receiver after a stall. syslog-ng closes a connection when it has read it and writes its file later, from memory: a
 * kill between the two loses what it has confirmed (docs/siem/syslog-ng). So it is stopped where its file holds all of that:
 * a stopped process confirms nothing more.
 */
async function kill({ receiver, destination }: Target, forwarder: Forwarder, stallMs: number): Promise<void> {
  const stored = (): boolean => {
    const { confirmed } = forwarder.status().find((s) => s.name === destination.name)!;
    return delivery(receiver.lines(), confirmed).missing.length === 0;
  };
  receiver.signal('SIGSTOP');
  await pause(stallMs);
  // Confirmations that were on their way when it stopped are counted meanwhile.
  for (await pause(500); !stored(); await pause(500)) {
    receiver.signal('SIGCONT');
    await pause(20);
    receiver.signal('SIGSTOP');
  }
  await receiver.stop('SIGKILL');
}

async function drained(forwarder: Forwarder): Promise<void> {
  await waitFor(
    'every destination confirms everything',
    () => forwarder.status().every((s) => s.backlogEvents === 0),
    60_000,
  );
}

describe('chaos with real receivers', { skip }, () => {
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'portcullis-chaos-'));
    certificates = makeCertificates(dir);
  });
  after(() => {
    killReceivers();
    rmSync(dir, { recursive: true, force: true });
  });

  const scenarios: [string, (targets: Target[], forwarder: Forwarder) => Promise<void>][] = [
    [
      'kill -9 and come back',
      async (targets, forwarder) => {
        await Promise.all(targets.map((target) => kill(target, forwarder, 0)));
        await Promise.all(targets.map(({ receiver }) => receiver.start()));
      },
    ],
    [
      'restart in good order',
      async (targets) => {
        await Promise.all(targets.map(({ receiver }) => receiver.stop('SIGTERM')));
        await Promise.all(targets.map(({ receiver }) => receiver.start()));
      },
    ],
    [
      'stall, then die, and come back',
      async (targets, forwarder) => {
        await Promise.all(targets.map((target) => kill(target, forwarder, 1500)));
        await Promise.all(targets.map(({ receiver }) => receiver.start()));
      },
    ],
  ];

  it('a receiver that is down at the start gets everything once it is up', async (t) => {
    const where = mkdtempSync(join(dir, 'down-'));
    const targets = await makeTargets(where);
    const forwarder = await openTestForwarder(t, testOptions(targets.map((t) => t.destination)), testDeps(where));
    for (let n = 0; n < 1000; n++) forwarder.push(numberedAlert(n));
    await waitFor('every destination retries', () => forwarder.status().every((s) => s.state === 'retrying'));
    await Promise.all(targets.map((t) => t.receiver.start()));
    await drained(forwarder);
    await forwarder.close(5000);
    for (const { receiver, destination } of targets) {
      const { missing, duplicates } = delivery(receiver.lines(), 1000);
      assert.deepEqual(missing, [], destination.name);
      assert.equal(duplicates, 0, destination.name);
      await receiver.stop();
    }
  });

  for (const [title, disturb] of scenarios) {
    it(`receivers that ${title} lose nothing; duplicates stay within rate x interval`, async (t) => {
      const where = mkdtempSync(join(dir, 'run-'));
      const targets = await makeTargets(where);
      const receivers = targets.map((target) => target.receiver);
      await Promise.all(receivers.map((r) => r.start()));
      const forwarder = await openTestForwarder(t, testOptions(targets.map((x) => x.destination)), testDeps(where));
      let rounds = 0;
      let disturbed = false;
      const endMs = performance.now() + SOAK_SECS * 1000;
      let sent = await pushUntil(forwarder, 0, (n) => n >= RATE);
      do {
        disturbed = false;
        const disturbance = disturb(targets, forwarder).then(() => {
          disturbed = true;
        });
        sent = await pushUntil(forwarder, sent, () => disturbed);
        await disturbance;
        sent = await pushUntil(
          forwarder,
          sent,
          (
            (goal) => (n: number) =>
              n >= goal
          )(sent + RATE / 2),
        );
        rounds++;
      } while (performance.now() < endMs);
      await drained(forwarder);
      const resent = forwarder.status().map((s) => `${s.name} ${s.resent}`);
      await forwarder.close(5000);
      await Promise.all(receivers.map((r) => r.stop()));
      for (const { receiver, destination } of targets) {
        const { missing, duplicates } = delivery(receiver.lines(), sent);
        t.diagnostic(`${destination.name}: ${sent} sent, ${missing.length} missing, ${duplicates} twice`);
        assert.equal(
          missing.length,
          0,
          `${destination.name} lost ${missing.slice(0, 5).join()} (${resent.join(', ')})`,
        );
        // What is unconfirmed when the receiver goes away: at most rotate_events, or a whole stall's worth of retries.
        assert.ok(duplicates <= rounds * 2 * 5000, `${destination.name}: ${duplicates} duplicates`);
      }
    });
  }
});
