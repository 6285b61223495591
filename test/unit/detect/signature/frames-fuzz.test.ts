import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { splitterOf } from '../../../../src/detect/signature/frames/index.js';
import { FrameTracker } from '../../../../src/detect/signature/frames/tracker.js';
import { hasOddBer } from '../../../../src/detect/signature/match/asn1.js';
import { StreamWindow } from '../../../../src/detect/signature/state/stream-window.js';
import { WindowMemory } from '../../../../src/detect/signature/state/window-memory.js';
import { cpuMs } from '../../../support/cpu.js';
import { fc, fuzzLimits } from '../../../support/fuzz.js';

/** Longest CPU time of one input, milliseconds: what is usual, a thousand times over. */
const MAX_MS = 10_000;
/** Frames of one side that are kept, many times over what a few hundred bytes hold. */
const MAX_FRAMES = 5000;

/** How messages of each protocol begin. */
const BEGINS: Readonly<Record<string, readonly string[]>> = {
  http: ['POST /b HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n'],
  tls: ['\x16\x03\x01\0\x05hello\x18\x03\x01\0\x04beat', '\x15\x03\x01\0\x02\x01\0', `\x80\x2e\x01\0\x02${'\0'.repeat(43)}`],
  smb: [`\0\0\0\x2f\xffSMB${'\0'.repeat(43)}`, `\0\0\0\x54\xfeSMB${'\0'.repeat(16)}\x50${'\0'.repeat(63)}`, '\0\0\0\x34\xfdSMB'],
  mqtt: ['\x30\x0a\0\x03a/bhello\xc0\0', '\x30\xff\xff\xff\x7f'],
  dns: ['\0\x1dqqqqq', '\0\0\0\x01x'],
  telnet: ['\xff\xfd\x18\xff\xfa\x18\x01\xff\xf0login: ', 'bob\r\n', '\xff\xff\xff'],
  nfs: [`\x80\0\0\x28\0\0\0\x07\0\0\0\0\0\0\0\x02\0\x01\x86\xa3\0\0\0\x04\0\0\0\x01\0\0\0\x01\0\0\0\x14`, '\x80\0\0\x18\0\0\0\x07\0\0\0\x01'],
  rfb: ['RFB 003.008\n', '\x02\x01\x02'],
  sip: ['INVITE sip:a@b SIP/2.0\r\nVia: x\r\nContent-Length: 3\r\n\r\nabc', 'SIP/2.0 200 OK\r\n\r\n'],
  ssh: ['SSH-2.0-a\r\n'],
}; // prettier-ignore

const noise = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  fc.uint8Array({ maxLength: 20 }).map((d) => d.map((b) => b & 3)),
  fc.constantFrom('\r\n', '\r\n\r\n', '\xff\xff\xff\xff', '\x80\0\0\0', '0\r\n\r\n').map((t) => Buffer.from(t, 'latin1')),
); // prettier-ignore
const changes = fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 5 });

function changed(text: string, edits: readonly (readonly [number, number])[]): Uint8Array {
  const data = Uint8Array.from(Buffer.from(text, 'latin1'));
  for (const [at, value] of edits) if (at < data.length) data[at] = value;
  return data;
}

describe('whatever a stream carries, frames lie one behind the other within it', () => {
  for (const [proto, begins] of Object.entries(BEGINS))
    test(proto, () => {
      const begin = fc.tuple(fc.constantFrom(...begins), changes).map(([text, edits]) => changed(text, edits));
      const piece = fc.oneof(begin, begin, noise);
      const sides = fc.constantFrom<(0 | 1)[]>(0, 1);
      fc.assert(
        fc.property(fc.array(fc.tuple(sides, piece, fc.boolean()), { maxLength: 10 }), fc.nat(3), (said, nfsVersion) => {
          const memory = new WindowMemory(1_000_000);
          const both = ([0, 1] as const).map((d) => ({ tracker: new FrameTracker(proto), stream: new StreamWindow(memory, d) }));
          const known = { nfsVersion };
          const used = cpuMs(() => {
            for (const [side, data, isLost] of said) {
              const { tracker, stream } = both[side]!;
              stream.add(data, 0, data.length, stream.total + (isLost ? 7 : 0));
              tracker.follow(splitterOf(proto, 'tcp'), stream, side, known);
            }
          });
          assert.ok(used < MAX_MS, `took ${used} ms`);
          for (const { tracker } of both) {
            assert.ok(tracker.frames.length < MAX_FRAMES);
            for (const { begin: from, end } of tracker.frames) assert.ok(from >= 0 && (end < 0 || end >= from), `${from} to ${end}`);
          }
        }),
        fuzzLimits(150),
      ); // prettier-ignore
    });

  test('a datagram of any protocol', () => {
    const protos = Object.keys(BEGINS);
    fc.assert(
      fc.property(fc.constantFrom(...protos), changes, noise, fc.constantFrom<(0 | 1)[]>(0, 1), (proto, edits, rest, side) => {
        const data = Buffer.concat([changed(BEGINS[proto]![0]!, edits), rest]);
        const split = splitterOf(proto, 'udp')?.(data, side, { nfsVersion: 0 });
        for (const [type, from, to] of split?.parts ?? []) assert.ok(from >= 0 && (to < 0 || (to >= from && to <= data.length)), `${type} ${from} to ${to}`);
      }),
      fuzzLimits(300),
    ); // prettier-ignore
  });
});

/** BER that is sound more often than not: elements within elements, of all the types that are looked at. */
const ber = fc.letrec<{ element: Uint8Array; leaf: Uint8Array; tree: Uint8Array }>((tie) => {
  const wrap = (tag: number, form: number, content: Uint8Array): Uint8Array => {
    const { length } = content;
    if (form === 3) return Buffer.concat([Buffer.from([tag | 0x20, 0x80]), content, Buffer.from([0, 0])]);
    const head = form === 0 && length < 128 ? [length] : form === 1 ? [0x82, length >> 8, length & 255] : [0x84, 0, 0, length >> 8, length & 255];
    return Buffer.concat([Buffer.from([tag, ...head]), content]);
  };
  const form = fc.nat(3);
  return {
    element: fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('leaf'), tie('tree')),
    leaf: fc.tuple(fc.constantFrom(1, 2, 3, 4, 5, 6, 9, 12, 18, 19, 22, 23, 24, 0x84), form, fc.uint8Array({ maxLength: 30 })).map(([tag, f, c]) => wrap(tag, f % 3, c)),
    tree: fc.tuple(fc.constantFrom(0x30, 0x31, 0xa0), form, fc.array(tie('element'), { maxLength: 4 })).map(([tag, f, parts]) => wrap(tag, f, Buffer.concat(parts))),
  };
}).element; // prettier-ignore

describe('BER', () => {
  const wishes = fc.record({
    kind: fc.constant('asn1' as const),
    bitstringOverflow: fc.boolean(),
    doubleOverflow: fc.boolean(),
    oversizeLength: fc.option(fc.nat(20), { nil: undefined }),
    offset: fc.constant(0),
    relative: fc.constant(false),
  });

  test('is judged in bounded time, wherever the search begins and whatever is wrong with it', () => {
    let odd = 0;
    fc.assert(
      fc.property(
        ber,
        changes,
        noise,
        fc.oneof(fc.constant(0), fc.integer({ min: -3, max: 60 })),
        wishes,
        (sound, edits, rest, from, match) => {
          const data = Uint8Array.from(Buffer.concat([sound, rest]));
          for (const [at, value] of edits.slice(0, 2)) if (at < data.length) data[at] = value;
          const used = cpuMs(() => {
            if (hasOddBer(match, data, from)) odd++;
          });
          assert.ok(used < MAX_MS, `took ${used} ms`);
        },
      ),
      fuzzLimits(400),
    );
    assert.ok(odd > 0, 'nothing odd was made');
  });

  test('elements within each other, ten thousand deep and without ends, are given up', () => {
    const match = { kind: 'asn1', bitstringOverflow: true, doubleOverflow: true, oversizeLength: 5, offset: 0, relative: false } as const; // prettier-ignore
    for (const tag of [0x30, 0x31, 0xa0])
      assert.equal(
        hasOddBer(
          match,
          new Uint8Array(20_000).map((_, i) => (i % 2 ? 0x80 : tag)),
          0,
        ),
        false,
      );
  });
});
