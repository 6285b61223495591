import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { SiemEvent } from '../../../src/domain/siem-event.js';
import { Destination } from '../../../src/forward/destination.js';
import type { DestinationState } from '../../../src/forward/destination-status.js';
import { FORMATTERS, siemOptionsSchema, type SiemOptionsInput } from '../../../src/forward/index.js';
import { resolveDestination } from '../../../src/forward/settings.js';
import { Spool } from '../../../src/forward/spool/spool.js';
import {
  DeliveryError,
  type Message,
  type Rejected,
  type Transport,
} from '../../../src/forward/transports/transport.js';
import { silentLogger } from '../../../src/util/logger.js';
import { ALERT, BLOCK, CONTEXT } from './support/samples.js';

/** A transport whose receiver does as the test says. */
class FakeTransport implements Transport {
  policy = { maxEvents: 1000, maxMs: 1000, idleMs: 5 };
  lingerMs = 0;
  overheadBytes = 0;
  guarantee = 'at-least-once' as const;
  warning = '';
  /** Confirmed messages, in order. */
  delivered: Message[] = [];
  writes = 0;
  onWrite: (messages: readonly Message[]) => void = () => undefined;
  onConfirm: (messages: Message[]) => Rejected[] = () => [];
  private pending: Message[] = [];

  write(messages: readonly Message[]): Promise<void> {
    this.writes++;
    this.onWrite(messages);
    this.pending.push(...messages);
    return Promise.resolve();
  }

  confirm(): Promise<Rejected[]> {
    const messages = this.pending;
    this.pending = [];
    const rejected = this.onConfirm(messages);
    this.delivered.push(...messages);
    return Promise.resolve(rejected);
  }

  reset(): void {
    this.pending = [];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  exchange(): { sent: string; answer: string } {
    return { sent: '', answer: '' };
  }
}

let dir = '';
let spool: Spool;
let destination: Destination | undefined;
let transport: FakeTransport;
let dead: { event: SiemEvent; reason: string }[] = [];
let gaps: { dropped: number; cause: string }[] = [];
let states: DestinationState[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'portcullis-destination-'));
  const limits = { maxBytes: 1e9, maxAgeSecs: 1e6, segmentBytes: 1e6, fsyncMs: 200, pendingBytes: 64e6 };
  spool = await Spool.open({ dir, ...limits, log: silentLogger });
  transport = new FakeTransport();
  dead = [];
  gaps = [];
  states = [];
});
afterEach(async () => {
  await destination?.stop();
  destination = undefined;
  await spool.close();
  rmSync(dir, { recursive: true, force: true });
});

function start(
  options: Partial<NonNullable<SiemOptionsInput['destinations']>[number]> = {},
  begin = true,
): Destination {
  const parsed = siemOptionsSchema.parse({ destinations: [{ name: 'a', preset: 'file', path: 'x', ...options }] });
  const settings = resolveDestination(parsed.destinations[0]!, dir);
  const made = new Destination(settings, {
    consumer: spool.consumer('a'),
    transport,
    format: FORMATTERS[settings.format],
    context: CONTEXT,
    deadLetters: {
      put: (_name, event, reason) => Promise.resolve(void dead.push({ event, reason })),
      list: () => Promise.resolve([]),
    },
    log: silentLogger,
    now: () => Date.now(),
    onGap: (_name, dropped, cause) => void gaps.push({ dropped, cause }),
    onState: (_name, state) => void states.push(state),
  });
  spool.onAppend(() => made.notify());
  destination = made;
  if (begin) made.start();
  return made;
}

const alert = (n: number, change: Partial<typeof ALERT> = {}): SiemEvent => ({
  ...ALERT,
  severity: 'medium',
  id: `n${n}`,
  ...change,
});
const ids = (): string[] => transport.delivered.map((message) => message.event.id);

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadline) assert.fail(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe('destination', () => {
  it('delivers and confirms, decisions before the backlog', async () => {
    const d = start({}, false);
    for (let n = 0; n < 3; n++) spool.append(alert(n));
    spool.append(BLOCK);
    d.start();
    await until('confirmed', () => d.status().backlogEvents === 0);
    assert.deepEqual(ids(), [BLOCK.id, 'n0', 'n1', 'n2']);
    assert.equal(d.status().confirmed, 4);
    assert.equal(d.status().state, 'ok');
  });

  it('sends everything since the last confirmation again when a confirmation fails', async () => {
    let failures = 1;
    transport.onConfirm = () => {
      if (failures-- > 0) throw new DeliveryError('retry', 'cut');
      return [];
    };
    const d = start();
    for (let n = 0; n < 5; n++) spool.append(alert(n));
    await until('confirmed', () => d.status().backlogEvents === 0);
    assert.deepEqual(ids(), ['n0', 'n1', 'n2', 'n3', 'n4']);
    assert.equal(d.status().resent, 5);
    assert.deepEqual(states, ['retrying', 'ok']);
    assert.equal(d.status().lastError, 'cut');
  });

  it('waits as misconfigured, keeps the events, and stops at once when told', async () => {
    transport.onWrite = () => {
      throw new DeliveryError('misconfigured', 'HTTP 401');
    };
    const d = start();
    spool.append(alert(1));
    await until('misconfigured', () => d.status().state === 'misconfigured');
    assert.equal(d.status().backlogEvents, 1);
    assert.ok(d.status().lagSecs >= 0);
    const startedMs = performance.now();
    await d.stop();
    assert.ok(performance.now() - startedMs < 20_000);
    assert.equal(transport.writes, 1);
    destination = undefined;
  });

  it('leaves out what the filter does not want, never decisions by level', async () => {
    const d = start({ filter: { min_level: 'high', exclude_rules: ['2:1001'] } });
    spool.append(alert(1));
    spool.append(alert(2, { severity: 'high' }));
    spool.append(alert(3, { severity: 'high', signatureId: 5 }));
    spool.append({ ...BLOCK, severity: 'info' });
    await until('confirmed', () => d.status().backlogEvents === 0);
    assert.deepEqual(ids().sort(), [BLOCK.id, 'n3'].sort());
    assert.equal(d.status().filtered, 2);
  });

  it('over the rate limit merges alerts of a rule and source; no count is lost and decisions pass', async () => {
    const d = start({ rate_limit: { per_second: 1, burst: 1 } }, false);
    for (let n = 0; n < 50; n++) spool.append(alert(n));
    spool.append(BLOCK);
    d.start();
    await until('confirmed', () => d.status().backlogEvents === 0);
    const counts = transport.delivered.map(({ event }) => (event.kind === 'alert' ? event.count : 0));
    assert.equal(
      counts.reduce((a, b) => a + b, 0),
      50,
    );
    assert.ok(transport.delivered.length < 10);
    assert.equal(ids()[0], BLOCK.id);
    assert.equal(d.status().merged, 49);
  });

  it('over the rate limit can hold back without loss, and urgent events overtake', async () => {
    const d = start({ rate_limit: { per_second: 15, burst: 5, over: 'wait' } });
    for (let n = 0; n < 20; n++) spool.append(alert(n, { signatureId: n }));
    await until('the limit holds some back', () => transport.delivered.length >= 5);
    spool.append(BLOCK);
    await until('confirmed', () => d.status().backlogEvents === 0);
    assert.equal(transport.delivered.length, 21);
    assert.ok(ids().indexOf(BLOCK.id) < 20);
  });

  it('over the rate limit can drop, counted as a gap', async () => {
    const d = start({ rate_limit: { per_second: 1, burst: 5, over: 'drop' } }, false);
    for (let n = 0; n < 20; n++) spool.append(alert(n));
    d.start();
    await until('confirmed', () => d.status().backlogEvents === 0);
    assert.equal(transport.delivered.length, 5);
    assert.deepEqual(gaps, [{ dropped: 15, cause: 'rate_limit' }]);
  });

  it('blanks out redacted fields and evidence', async () => {
    const d = start({ fields: { redact: ['http.cookie', 'src.mac', 'title'] } });
    spool.append(alert(1, { evidence: [{ name: 'http.cookie', value: 'sid=1', text: 'cookie sid=1' }] }));
    await until('confirmed', () => d.status().backlogEvents === 0);
    const { body } = transport.delivered[0]!;
    assert.doesNotMatch(body, /sid=1|02:00:00:aa:bb:cc|TCP port scan"/);
    assert.match(body, /\[redacted\]/);
  });

  it('shrinks what is too long, says so, and puts aside what cannot be made to fit', async () => {
    const d = start({ max_message_bytes: 1600 });
    const evidence = Array.from({ length: 50 }, (_x, i) => ({ name: `fact${i}`, value: 'v'.repeat(50) }));
    spool.append(
      alert(1, { evidence: [...evidence, { name: 'payload', value: 'p'.repeat(9000) }], message: 'm'.repeat(3000) }),
    );
    spool.append(alert(2, { label: 'l'.repeat(5000) }));
    await until('confirmed', () => d.status().backlogEvents === 0);
    const { body } = transport.delivered[0]!;
    assert.ok(Buffer.byteLength(body) <= 1600);
    assert.equal((JSON.parse(body) as { truncated: boolean }).truncated, true);
    assert.deepEqual(
      dead.map(({ event }) => event.id),
      ['n2'],
    );
    assert.equal(d.status().dead, 1);
  });

  it('puts aside what the receiver refuses for good and goes on', async () => {
    transport.onConfirm = (messages) =>
      messages.filter((m) => m.event.id === 'n1').map((message) => ({ message, reason: 'bad' }));
    const d = start();
    for (let n = 0; n < 3; n++) spool.append(alert(n));
    await until('confirmed', () => d.status().backlogEvents === 0);
    assert.deepEqual(
      dead.map(({ event, reason }) => [event.id, reason]),
      [['n1', 'bad']],
    );
    assert.equal(d.status().confirmed, 2);
  });

  it('survives a formatter that throws: the event is put aside', async () => {
    const d = start();
    spool.append(alert(1, { evidence: null as never }));
    spool.append(alert(2));
    await until('confirmed', () => d.status().backlogEvents === 0);
    assert.ok(ids().includes('n2'));
  });
});
