import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import type { SiemAlertEvent, SiemEvent } from '../../../src/domain/siem-event.js';
import { Aggregator } from '../../../src/forward/aggregate.js';
import { Backoff } from '../../../src/forward/backoff.js';
import { FORMATTERS, siemOptionsSchema } from '../../../src/forward/index.js';
import { TokenBucket } from '../../../src/forward/rate-limit.js';
import { resolveDestination } from '../../../src/forward/settings.js';
import { formatToFit } from '../../../src/forward/shrink.js';
import { FrameWriter, type Framing } from '../../../src/forward/syslog/framing.js';
import { createSyslogHeader, syslogToken } from '../../../src/forward/syslog/header.js';
import { cleanText, cutText, oneLine } from '../../../src/forward/text.js';
import { FileTransport } from '../../../src/forward/transports/file.js';
import { retryAfter } from '../../../src/forward/transports/http-client.js';
import { relpFrame, takeRelpFrames } from '../../../src/forward/transports/relp.js';
import { hostileEvent, hostileText } from './support/hostile.js';
import { ALERT, BLOCK, CONTEXT } from './support/samples.js';

describe('text', () => {
  it('loses terminal escapes and control characters, and nothing that can be read', () => {
    assert.equal(cleanText('a\u001b[1;31mb\u001b]0;evil\u0007c\u009b2Jd\u0000e'), 'abcde');
    assert.equal(cleanText('grüße 漢字 🦀\ttab\nline'), 'grüße 漢字 🦀\ttab\nline');
    assert.equal(oneLine(' a\r\n\tb '), 'a b');
  });

  it('is clean after cleaning, and cutting never leaves half a character', () => {
    fc.assert(
      fc.property(hostileText, fc.integer({ min: 1, max: 20 }), (text, max) => {
        const clean = cleanText(text);
        assert.equal(cleanText(clean), clean);
        assert.doesNotMatch(clean, /[\u0000-\u0008\u000b-\u000c\u000e-\u001f\u007f-\u009f\u2028]/);
        const cut = cutText(clean, max);
        assert.ok(cut.length <= max);
        assert.equal(cleanText(cut), cut);
      }),
    );
  });
});

describe('aggregation', () => {
  const options = siemOptionsSchema.parse({ aggregate: { window: '60s', max_keys: 3 } }).aggregate;
  const alert = (change: Partial<SiemAlertEvent> = {}): SiemAlertEvent => ({
    ...ALERT,
    severity: 'medium',
    count: 1,
    ...change,
  });

  it('sends the first at once and one summary a window', () => {
    const out: SiemEvent[] = [];
    const aggregator = new Aggregator(options, (event) => out.push(event));
    for (let i = 0; i < 10; i++) aggregator.push(alert({ id: `a${i}`, alertId: `a${i}`, lastMs: 1000 + i }), 1000 + i);
    assert.equal(out.length, 1);
    aggregator.tick(61_001);
    assert.equal(out.length, 2);
    const summary = out[1] as SiemAlertEvent;
    assert.equal(summary.count, 9);
    assert.equal(summary.lastMs, 1009);
    assert.ok(summary.id !== 'a1', 'a summary is an event of its own');
    aggregator.tick(200_000);
    assert.equal(out.length, 2);
    assert.equal(aggregator.keys, 0);
  });

  it('lets worse alerts, alerts that were acted on, and decisions through at once', () => {
    const out: SiemEvent[] = [];
    const aggregator = new Aggregator(options, (event) => out.push(event));
    aggregator.push(alert({ action: 'allowed' }), 0);
    aggregator.push(alert({ action: 'allowed', severity: 'critical' }), 1);
    aggregator.push(alert({ action: 'blocked', severity: 'critical' }), 2);
    aggregator.push(BLOCK, 3);
    aggregator.push(BLOCK, 3);
    assert.equal(out.length, 5);
  });

  it('counts an alert that is reported again only for what was added', () => {
    const out: SiemEvent[] = [];
    const aggregator = new Aggregator(options, (event) => out.push(event));
    for (const count of [1, 4, 4, 9]) aggregator.push(alert({ alertId: 'same', count }), 0);
    aggregator.flush();
    assert.deepEqual(
      out.map((event) => (event as SiemAlertEvent).count),
      [1, 8],
    );
  });

  it('keeps the sum of counts for any mix of alerts, keys and time, within its limit of keys', () => {
    const step = fc.record({ sid: fc.nat(6), advanceMs: fc.nat(50_000), count: fc.integer({ min: 1, max: 5 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let sum = 0;
        const aggregator = new Aggregator(options, (event) => {
          sum += (event as SiemAlertEvent).count;
        });
        let now = 0;
        let wanted = 0;
        steps.forEach(({ sid, advanceMs, count }, i) => {
          now += advanceMs;
          aggregator.tick(now);
          aggregator.push(alert({ signatureId: sid, alertId: `x${i}`, count }), now);
          wanted += count;
          assert.ok(aggregator.keys <= 3);
        });
        aggregator.flush();
        assert.equal(sum, wanted);
      }),
    );
  });

  it('does not hold a summary for ever when the clock jumps back', () => {
    const out: SiemEvent[] = [];
    const aggregator = new Aggregator(options, (event) => out.push(event));
    const day = 86_400_000;
    aggregator.push(alert({ alertId: '1' }), 10 * day);
    aggregator.push(alert({ alertId: '2' }), 10 * day);
    aggregator.tick(9 * day);
    assert.equal(out.length, 2);
  });
});

describe('shrinking', () => {
  it('makes every event fit or gives up, and never cuts JSON', () => {
    fc.assert(
      fc.property(
        hostileEvent,
        fc.integer({ min: 900, max: 4000 }),
        fc.string({ minLength: 3000, maxLength: 6000 }),
        (event, max, long) => {
          const text = formatToFit({ ...event, message: long }, FORMATTERS.ecs, CONTEXT, max);
          if (text === undefined) return;
          assert.ok(Buffer.byteLength(text) <= max);
          JSON.parse(text);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('gives up the payload before the facts', () => {
    const event: SiemEvent = {
      ...ALERT,
      evidence: [
        { name: 'ports', value: 212 },
        { name: 'matched_bytes', value: 'x'.repeat(5000) },
      ],
    };
    const text = formatToFit(event, FORMATTERS.cef, CONTEXT, 2000)!;
    assert.match(text, /ports\\=212/);
    assert.match(text, /PortcullisTruncated=true/);
    assert.doesNotMatch(text, /matched_bytes/);
  });
});

describe('syslog lines', () => {
  const settings = {
    facility: 16,
    hostName: 'fw 1\n',
    appName: 'portcullis',
    procId: '7',
    tag: true,
    sequenceId: true,
  };

  it('carry an RFC 5424 header with clean tokens and a sequence number', () => {
    const header = createSyslogHeader({ ...settings, header: 'rfc5424' });
    assert.equal(header(ALERT, 9), '<131>1 2026-01-02T03:04:05.678Z fw1 portcullis 7 alert [meta sequenceId="9"] ');
    assert.match(header({ ...ALERT, tsMs: ALERT.tsMs + 400 }, 10), /^<131>1 2026-01-02T03:04:06\.078Z /);
  });

  it('carry an RFC 3164 header in local time with the day padded', () => {
    const header = createSyslogHeader({ ...settings, header: 'rfc3164' });
    assert.match(header(ALERT, 1), /^<131>Jan {2}[123] \d\d:\d\d:05 fw1 portcullis: $/);
    assert.match(createSyslogHeader({ ...settings, header: 'rfc3164', tag: false })(ALERT, 1), / fw1 $/);
  });

  it('never have an empty token', () => {
    assert.equal(syslogToken('\u00e9 \n', 10), '-');
  });

  it('are framed by bytes or by one line feed', () => {
    assert.equal(framed('octet', 'é'), '2 é');
    assert.equal(framed('newline', 'a\nb'), 'a b\n');
  });

  it('come apart into the same messages by their lengths, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(hostileText, fc.string({ minLength: 90, maxLength: 110 }))), (messages) => {
        const stream = Buffer.from(framed('octet', ...messages));
        const found: string[] = [];
        for (let at = 0; at < stream.length;) {
          const space = stream.indexOf(0x20, at);
          const length = Number(stream.toString('latin1', at, space));
          found.push(stream.toString('utf8', space + 1, space + 1 + length));
          at = space + 1 + length;
        }
        assert.deepEqual(
          found,
          messages.map((m) => Buffer.from(m).toString()),
        );
      }),
    );
  });
});

function framed(framing: Framing, ...messages: string[]): string {
  const writer = new FrameWriter(framing);
  for (const message of messages) writer.add(message);
  return writer.bytes().toString();
}

describe('RELP frames', () => {
  it('come back however the bytes are cut', () => {
    const frames = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 999_999_999 }), fc.constantFrom('rsp', 'syslog'), hostileText),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(frames, fc.integer({ min: 1, max: 30 }), (list, size) => {
        const wanted = list.map(([txnr, command, data]): [number, string, string] => [
          txnr,
          command,
          Buffer.from(data).toString(),
        ]);
        const bytes = Buffer.from(wanted.map((frame) => relpFrame(...frame)).join(''));
        const got: [number, string, string][] = [];
        let rest: Buffer = Buffer.alloc(0);
        for (let i = 0; i < bytes.length; i += size) {
          rest = takeRelpFrames(Buffer.concat([rest, bytes.subarray(i, i + size)]), (...frame) => got.push(frame));
        }
        assert.deepEqual(got, wanted);
        assert.equal(rest.length, 0);
      }),
    );
  });

  it('refuse a peer that speaks something else', () => {
    assert.throws(
      () => takeRelpFrames(Buffer.from('HTTP/1.1 400 Bad Request\r\n'.repeat(4)), () => undefined),
      /does not speak RELP/,
    );
  });
});

describe('waiting', () => {
  it('grows with full jitter to a minute, honours the receiver, and starts again after success', () => {
    const always = new Backoff(() => 1);
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6, 7, 8, 9].map(() => always.next()),
      [500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000],
    );
    always.reset();
    assert.equal(always.next(), 500);
    assert.equal(new Backoff(() => 0).next(3000), 3000);
  });

  it('reads Retry-After in seconds and as a date', () => {
    assert.equal(retryAfter('7'), 7000);
    assert.equal(retryAfter('Fri, 02 Jan 2026 03:04:10 GMT', Date.UTC(2026, 0, 2, 3, 4, 5)), 5000);
    assert.equal(retryAfter('soon'), 0);
    assert.equal(retryAfter('99999999'), 600_000);
  });

  it('takes tokens at the rate, up to the burst', () => {
    const bucket = new TokenBucket(10, 5, 0);
    assert.equal(bucket.take(9, 0), 5);
    assert.equal(bucket.take(1, 50), 0);
    assert.equal(bucket.waitMs(), 50);
    assert.equal(bucket.take(9, 250), 2);
    assert.equal(bucket.take(9, 1e6), 5);
    assert.equal(bucket.take(9, 10), 0, 'a clock that runs back gives nothing');
  });
});

describe('file transport', () => {
  it('rotates by size, keeps so many, follows a moved file and removes a torn last line', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'portcullis-file-'));
    try {
      const path = join(dir, 'eve.json');
      writeFileSync(path, '{"whole":1}\n{"torn":');
      const options = siemOptionsSchema.parse({
        destinations: [{ name: 'a', preset: 'file', path, rotate_bytes: 300, keep_files: 2, reopen_signal: 'none' }],
      });
      const transport = new FileTransport(resolveDestination(options.destinations[0]!, dir), { record: false });
      await transport.write([{ event: ALERT, body: '{"n":1}' }]);
      assert.equal(readFileSync(path, 'utf8'), '{"whole":1}\n{"n":1}\n');
      renameSync(path, join(dir, 'moved'));
      await transport.write([{ event: ALERT, body: '{"n":2}' }]);
      assert.equal(readFileSync(path, 'utf8'), '{"n":2}\n');
      for (let i = 0; i < 10; i++) {
        await transport.write([{ event: ALERT, body: 'x'.repeat(200) }]);
        await transport.confirm();
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await transport.close();
      assert.equal(readdirSync(dir).filter((name) => /^eve\.json\.\d/.test(name)).length, 2);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
