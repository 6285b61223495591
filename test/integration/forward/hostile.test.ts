import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import type { SiemEvent } from '../../../src/domain/siem-event.js';
import { FORMATTERS, type Formatter } from '../../../src/forward/index.js';
import { uuid7 } from '../../../src/util/uuid7.js';
import { differences, MUTANTS, mutantFormatter } from '../../unit/forward/support/cef-differences.js';
import { parseCef } from '../../unit/forward/support/cef-parser.js';
import { hostileEvent } from '../../unit/forward/support/hostile.js';
import { CONTEXT } from '../../unit/forward/support/samples.js';
import { openTestForwarder, testDeps, testOptions } from './support/events.js';
import {
  createRsyslog, createSyslogNg, freePort, hasRsyslog, killReceivers, unpackSyslogNg, waitFor, type Receiver,
} from './support/receivers.js'; // prettier-ignore

/** A full run: PORTCULLIS_HOSTILE_EVENTS=20000. */
const EVENTS = Number(process.env['PORTCULLIS_HOSTILE_EVENTS'] ?? 2000);
const SEED = 20_000;

const syslogNg = hasRsyslog ? unpackSyslogNg() : { reason: 'rsyslog is missing' };
const skip = hasRsyslog ? false : 'rsyslogd is not installed (Debian: rsyslog)';
/** Events of one seed, each with an id of its own. */
const events: SiemEvent[] = fc
  .sample(hostileEvent, { numRuns: EVENTS, seed: SEED })
  .map((e) => ({ ...e, id: uuid7() }));

/** Events that a reader of the stored lines does not get back as they went in; a missing one counts. */
function countWrong(lines: readonly string[]): number {
  const stored = new Map<string, string>();
  for (const line of lines) {
    const start = line.indexOf('CEF:0|');
    const id = / externalId=(\S+)/.exec(line)?.[1];
    if (start >= 0 && id !== undefined) stored.set(id, line.slice(start));
  }
  let wrong = 0;
  for (const event of events) {
    const line = stored.get(event.id);
    try {
      if (line === undefined || differences(event, parseCef(line)).length > 0) wrong++;
    } catch {
      wrong++;
    }
  }
  return wrong;
}

describe('hostile events through real receivers', { skip }, () => {
  let dir = '';
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'portcullis-hostile-'));
  });
  after(() => {
    killReceivers();
    rmSync(dir, { recursive: true, force: true });
  });

  async function deliver(
    t: Parameters<typeof openTestForwarder>[0],
    receiver: Receiver,
    destination: object,
  ): Promise<string[]> {
    await receiver.start();
    const where = mkdtempSync(join(dir, 'run-'));
    const options = testOptions([{ name: 'a', ...destination } as never]);
    const forwarder = await openTestForwarder(t, options, testDeps(where));
    for (const [n, event] of events.entries()) {
      forwarder.push(event);
      if (n % 500 === 499) await waitFor('the spool takes them', () => forwarder.stats().spoolPending < 1000);
    }
    await waitFor('all is confirmed', () => forwarder.status().every((s) => s.backlogEvents === 0), 120_000);
    await forwarder.close(5000);
    await receiver.stop();
    const lines = receiver.lines();
    assert.equal(lines.length, EVENTS, 'one line each: no event was split in two or forged a second');
    return lines;
  }

  const rsyslog: [string, object][] = [
    ['newline framing', { framing: 'newline' }],
    ['octet counting', { framing: 'octet' }],
    ['an RFC 3164 header', { header: 'rfc3164' }],
  ];
  for (const [title, transport] of rsyslog) {
    it(`${EVENTS} of them come out of rsyslog (${title}) as they went in`, async (t) => {
      const port = await freePort();
      const receiver = createRsyslog(join(dir, title.replaceAll(' ', '-')), { tcp: port });
      const lines = await deliver(t, receiver, {
        preset: 'rsyslog',
        transport: { host: '127.0.0.1', port, ...transport },
      });
      assert.equal(countWrong(lines), 0);
    });
  }

  const ng: [string, 'syslog-ng' | 'syslog-ng-network', 'tcp' | 'network'][] = [
    ['syslog()', 'syslog-ng', 'tcp'],
    ['network()', 'syslog-ng-network', 'network'],
  ];
  for (const [title, preset, way] of ng) {
    it(
      `${EVENTS} of them come out of syslog-ng (${title}) as they went in`,
      { skip: 'reason' in syslogNg ? syslogNg.reason : false },
      async (t) => {
        const port = await freePort();
        const root = 'dir' in syslogNg ? syslogNg.dir : '';
        const receiver = createSyslogNg(root, join(dir, preset), { [way]: port });
        const lines = await deliver(t, receiver, { preset, transport: { host: '127.0.0.1', port } });
        assert.equal(countWrong(lines), 0);
      },
    );
  }

  it('the comparison notices each of four faults in the escaping, and a lost event', async () => {
    const lines = (format: Formatter): string[] => events.map((event) => format(event, CONTEXT));
    assert.equal(countWrong(lines(FORMATTERS.cef)), 0);
    assert.equal(countWrong(lines(FORMATTERS.cef).slice(1)), 1);
    for (const [fault, replace] of MUTANTS) {
      const wrong = countWrong(lines(await mutantFormatter(replace)));
      assert.ok(wrong > EVENTS / 20, `${fault}: only ${wrong} of ${EVENTS} noticed`);
    }
  });
});
