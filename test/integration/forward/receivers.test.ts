import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it, type TestContext } from 'node:test';
import { testDestination, type SiemOptionsInput } from '../../../src/forward/index.js';
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

type Destination = NonNullable<SiemOptionsInput['destinations']>[number];

const skip = hasRsyslog ? false : 'rsyslogd is not installed (Debian: rsyslog rsyslog-gnutls rsyslog-relp)';
const syslogNg = hasRsyslog ? unpackSyslogNg() : { reason: 'rsyslog is missing' };
const COUNT = 200;

let dir = '';
let certificates: Certificates;
let rsyslog: Receiver;
const port = { tcp: 0, udp: 0, relp: 0, tls: 0 };

describe('rsyslog as the receiver', { skip }, () => {
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'portcullis-rsyslog-'));
    certificates = makeCertificates(dir);
    for (const key of ['tcp', 'udp', 'relp'] as const) port[key] = await freePort();
    rsyslog = createRsyslog(join(dir, 'rsyslog'), { tcp: port.tcp, udp: port.udp, relp: port.relp });
    await rsyslog.start();
  });
  after(() => {
    killReceivers();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Sends numbered events that start at `from` and waits until they are confirmed. */
  async function deliver(t: TestContext, destination: Destination, from: number): Promise<void> {
    const where = mkdtempSync(join(dir, 'spool-'));
    const forwarder = await openTestForwarder(t, testOptions([destination]), testDeps(where));
    for (let n = from; n < from + COUNT; n++) forwarder.push(numberedAlert(n));
    await forwarder.close(60_000);
  }

  const ways: [string, () => Destination][] = [
    ['TCP with newlines', () => ({ name: 'a', preset: 'rsyslog', transport: { host: '127.0.0.1', port: port.tcp } })],
    [
      'TCP with octet counting',
      () => ({ name: 'a', preset: 'rsyslog', transport: { host: '127.0.0.1', port: port.tcp, framing: 'octet' } }),
    ],
    [
      'TCP with an RFC 3164 header',
      () => ({ name: 'a', preset: 'rsyslog', transport: { host: '127.0.0.1', port: port.tcp, header: 'rfc3164' } }),
    ],
    [
      'RELP',
      () => ({ name: 'a', preset: 'rsyslog', transport: { host: '127.0.0.1', protocol: 'relp', port: port.relp } }),
    ],
    [
      'UDP through syslog-client',
      () => ({ name: 'a', preset: 'rsyslog', transport: { host: '127.0.0.1', protocol: 'udp', port: port.udp } }),
    ],
  ];
  ways.forEach(([title, destination], index) => {
    it(`stores every event sent by ${title}, once, with its CEF prefix`, async (t) => {
      const from = index * COUNT;
      await deliver(t, destination(), from);
      const mine = (): string[] =>
        rsyslog.lines().filter((line) => {
          const n = Number(/#(\d+)#/.exec(line)?.[1] ?? -1);
          return n >= from && n < from + COUNT;
        });
      await waitFor('all lines are stored', () => mine().length >= COUNT);
      assert.equal(mine().length, COUNT);
      for (const line of mine()) assert.match(line, /^<132>.* CEF:0\|Portcullis\|Portcullis\|[^|]+\|1:2001219\|/);
    });
  });

  it('accepts the configuration in docs/siem', () => {
    const conf = fileURLToPath(new URL('../../../docs/siem/rsyslog/portcullis.conf', import.meta.url));
    const run = spawnSync('rsyslogd', ['-N1', '-f', conf], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    assert.doesNotMatch(run.stderr, /error/i);
  });

  it('the test of a destination shows the exact bytes and how they were confirmed', async () => {
    const options = testOptions([{ name: 'a', preset: 'rsyslog', transport: { host: '127.0.0.1', port: port.tcp } }]);
    const result = await testDestination(options, 'a', testDeps(dir));
    assert.equal(result.ok, true);
    assert.match(result.bytes, /^<134>1 .* CEF:0\|.*\n$/);
    assert.match(result.answer, /everything was read/);
    await waitFor('the line is stored', () => rsyslog.lines().includes(result.bytes.trimEnd()));
  });

  it('the test of a destination that nobody listens on fails with the reason', async () => {
    const options = testOptions([
      { name: 'a', preset: 'rsyslog', transport: { host: '127.0.0.1', port: await freePort() } },
    ]);
    const result = await testDestination(options, 'a', testDeps(dir));
    assert.equal(result.ok, false);
    assert.match(result.error ?? '', /ECONNREFUSED/);
  });

  describe('over mutual TLS', () => {
    before(async () => {
      port.tls = await freePort();
      const tls = createRsyslog(join(dir, 'tls'), { tls: port.tls }, certificates);
      tlsReceiver = tls;
      await tls.start();
    });
    let tlsReceiver: Receiver;

    const withTls = (tls: Destination['tls']): Destination => ({
      name: 'a',
      preset: 'rsyslog',
      tls,
      transport: { host: '127.0.0.1', protocol: 'tls', port: port.tls, close_timeout_secs: 2 },
    });
    const good = (): NonNullable<Destination['tls']> => ({
      ca: certificates.ca,
      ...certificates.client,
      servername: SERVER_NAME,
    });

    it('stores what comes with a permitted certificate', async (t) => {
      await deliver(t, withTls(good()), 0);
      await waitFor('all lines are stored', () => delivery(tlsReceiver.lines(), COUNT).missing.length === 0);
    });

    const refused: [string, () => NonNullable<Destination['tls']>, RegExp, string][] = [
      ['no client certificate', () => ({ ca: certificates.ca, servername: SERVER_NAME }), /./, 'either'],
      [
        'a certificate for a name that is not permitted',
        () => ({ ...good(), ...certificates.stranger }),
        /./,
        'either',
      ],
      ['a certificate of an authority it does not know', () => ({ ...good(), ...certificates.foreign }), /./, 'either'],
      [
        'a receiver whose authority we do not trust',
        () => ({ ...good(), ca: certificates.otherCa }),
        /CERT|certificate/i,
        'misconfigured',
      ],
      [
        'a receiver with another name than configured',
        () => ({ ...good(), servername: 'other.test' }),
        /ALTNAME|does not match/i,
        'misconfigured',
      ],
    ];
    for (const [title, tls, message, state] of refused) {
      it(`${title}: nothing is confirmed, nothing is lost, and correcting it delivers`, async (t) => {
        const where = mkdtempSync(join(dir, 'spool-'));
        const before = tlsReceiver.lines().length;
        const forwarder = await openTestForwarder(t, testOptions([withTls(tls())]), testDeps(where));
        for (let n = 0; n < 20; n++) forwarder.push(numberedAlert(n));
        await waitFor('the fault is noticed', () =>
          ['retrying', 'misconfigured'].includes(forwarder.status()[0]!.state),
        );
        const status = forwarder.status()[0]!;
        assert.equal(status.confirmed, 0);
        assert.equal(status.backlogEvents >= 20, true);
        assert.match(status.lastError, message);
        if (state === 'misconfigured') assert.equal(status.state, 'misconfigured');
        const test = await forwarder.test('a');
        assert.equal(test.ok, false);
        assert.equal(tlsReceiver.lines().length, before, 'the receiver stored nothing');
        await forwarder.reconfigure(testOptions([withTls(good())]));
        await waitFor('everything is confirmed', () => forwarder.status()[0]!.backlogEvents === 0);
        await forwarder.close(5000);
        const stored = tlsReceiver.lines().slice(before);
        assert.deepEqual(delivery(stored, 20).missing, []);
      });
    }
  });
});

describe('syslog-ng as the receiver', { skip: 'reason' in syslogNg ? syslogNg.reason : false }, () => {
  let ng: Receiver;
  const ports = { tcp: 0, network: 0 };
  let where = '';
  before(async () => {
    where = mkdtempSync(join(tmpdir(), 'portcullis-syslog-ng-'));
    ports.tcp = await freePort();
    ports.network = await freePort();
    ng = createSyslogNg('dir' in syslogNg ? syslogNg.dir : '', join(where, 'ng'), ports);
    await ng.start();
  });
  after(() => {
    killReceivers();
    rmSync(where, { recursive: true, force: true });
  });

  it('stores octet-counted events of preset syslog-ng and newline events of preset syslog-ng-network', async (t) => {
    const forwarder = await openTestForwarder(
      t,
      testOptions([
        { name: 'octet', preset: 'syslog-ng', transport: { host: '127.0.0.1', port: ports.tcp } },
        { name: 'newline', preset: 'syslog-ng-network', transport: { host: '127.0.0.1', port: ports.network } },
      ]),
      testDeps(where),
    );
    for (let n = 0; n < COUNT; n++) forwarder.push(numberedAlert(n));
    await forwarder.close(60_000);
    await waitFor('all lines are stored twice', () => delivery(ng.lines(), COUNT).duplicates === COUNT);
    for (const line of ng.lines()) assert.match(line, /CEF:0\|Portcullis\|/);
  });
});
