import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createDecoder } from '../../../../src/decode/index.js';
import { createDecodeEvents } from '../../../../src/detect/signature/decode-events/index.js';
import { DECODE_EVENTS, SILENT_DECODE_EVENTS } from '../../../../src/detect/signature/decode-events/names.js';
import { loadRules, SignatureEngine } from '../../../../src/detect/signature/index.js';
import { DecodedPacket, LINK } from '../../../../src/domain/packet.js';
import { be16, be32, join } from '../../applayer/wire.js';
import { createRandom } from '../../../../src/train/random.js';
import { FRAMES } from './decode-event-frames.js';
import { compile, problemOf } from './rules.js';

type Bytes = readonly number[] | Uint8Array;
const SRC = [192, 0, 2, 1];
const DST = [198, 51, 100, 2];
const SRC6 = join(0x20, 1, 0xd, 0xb8, new Uint8Array(11), 1);
const DST6 = join(0x20, 1, 0xd, 0xb8, new Uint8Array(11), 2);

function checksum(...parts: Bytes[]): number[] {
  const d = join(...parts);
  let sum = 0;
  for (let i = 0; i < d.length; i += 2) sum += d[i]! * 256 + (d[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return be16(~sum & 0xffff);
}

interface Ipv4 {
  options?: number[];
  /** Flags and offset in units of eight bytes. */
  fragment?: number;
}
function ipv4(proto: number, body: Bytes, { options = [], fragment = 0 }: Ipv4 = {}): Uint8Array {
  const length = 20 + options.length + body.length;
  const header = (sum: number[]): Uint8Array =>
    join(0x40 | (5 + options.length / 4), 0, be16(length), be16(7), be16(fragment), 64, proto, sum, SRC, DST, options);
  return join(header(checksum(header([0, 0]))), body);
}
const ipv6 = (next: number, body: Bytes, hops = 64): Uint8Array =>
  join(0x60, 0, 0, 0, be16(body.length), next, hops, SRC6, DST6, body);

const tcpHeader = (options: number[], sum: number[]): Uint8Array =>
  join(be16(4000), be16(80), be32(1), be32(0), (5 + options.length / 4) << 4, 2, be16(1024), sum, be16(0), options);
function tcp(options: number[] = []): Uint8Array {
  const length = 20 + options.length;
  return tcpHeader(options, checksum(SRC, DST, [0, 6], be16(length), tcpHeader(options, [0, 0])));
}
const udp = (length: number, body: Bytes): Uint8Array => join(be16(4000), be16(53), be16(length), be16(0), body);
const icmp = (type: number, code: number): Uint8Array => join(type, code, be16(0), be32(0));

function decode(d: Uint8Array): DecodedPacket {
  const packet = new DecodedPacket();
  packet.data = d;
  createDecoder().decodeIp(d, 0, d.length, packet);
  return packet;
}

const EIGHT = new Uint8Array(8);
const fragmentHeader = (next: number, field: number): Uint8Array => join(next, 0, be16(field), be32(9));

const decodeFrame = (data: Uint8Array, linkType: number): DecodedPacket => {
  const packet = new DecodedPacket();
  const block = { data, count: 1, offset: Int32Array.of(0), capLen: Int32Array.of(data.length), wireLen: Int32Array.of(data.length), tsUs: Float64Array.of(1), linkType, interfaceId: 0 }; // prettier-ignore
  createDecoder().decode(block, 0, packet);
  return packet;
};

describe('oddities of a frame:', () => {
  for (const [name, link, frame, expected] of FRAMES) {
    test(`${name}: ${expected.join(' ') || 'none'}`, () => {
      const events = createDecodeEvents();
      const packet = decodeFrame(frame, link);
      const told = new Set(events.of(packet));
      for (let index = 0; index < packet.tunnelDepth; index++) for (const e of events.ofCarrier(index)) told.add(e);
      assert.deepEqual([...told].sort(), [...expected].sort());
    });
  }

  test('every name is told of some frame', () => {
    // Of fragments several packets tell; the rest Suricata does not tell, as it takes a tunnel that cannot be read for none.
    const elsewhere = ['ipv4.frag_overlap', 'ipv4.frag_pkt_too_large', 'ipv6.frag_overlap', 'erspan.header_too_small', 'erspan.too_many_vlan_layers', 'erspan.unsupported_version']; // prettier-ignore
    const told = new Set<string>([...elsewhere, ...FRAMES.flatMap(([, , , events]) => events)]);
    assert.deepEqual(DECODE_EVENTS.filter((name) => !told.has(name)), []); // prettier-ignore
  });

  test('a fragment that covers another one, of IPv4 and of IPv6', () => {
    const events = createDecodeEvents();
    const seen = [
      ipv4(17, join(EIGHT, EIGHT), { fragment: 0x2000 }),
      ipv4(17, EIGHT, { fragment: 0x0001 }),
      ipv6(44, join(fragmentHeader(17, 1), EIGHT, EIGHT)),
      ipv6(44, join(fragmentHeader(17, 8), EIGHT)),
      ipv4(17, EIGHT, { fragment: 0x1fff }),
    ].map((d) => [...events.of(decode(d))]);
    assert.deepEqual(seen, [[], ['ipv4.frag_overlap'], [], ['ipv6.frag_overlap'], ['ipv4.frag_pkt_too_large']]);
  });

  test('of a packet that is whole, its own, and apart from them those of its last fragment; then its number may come again', () => {
    const events = createDecodeEvents();
    const first = ipv4(1, icmp(99, 0), { fragment: 0x2000 });
    const last = ipv4(1, EIGHT, { fragment: 0x0001, options: [1, 1, 1, 0] });
    const whole = decode(ipv4(1, join(icmp(99, 0), EIGHT)));
    whole.lastFragment = { data: last, offset: 0, length: last.length, linkType: LINK.RAW };
    assert.deepEqual([...events.of(decode(first))], []);
    assert.deepEqual([...events.of(whole)], ['icmpv4.unknown_type']);
    assert.deepEqual([...events.ofCarrier(0)], ['ipv4.opt_pad_required']);
    assert.deepEqual([...events.of(decode(first))], []);
  });

  test('random bytes are read without an exception', () => {
    const events = createDecodeEvents();
    const random = createRandom(7);
    for (let i = 0; i < 3000; i++) {
      const [, link, frame] = FRAMES[random.below(FRAMES.length)]!;
      const changed = frame.slice(0, 1 + random.below(frame.length));
      for (let n = 0; n < 3; n++) changed[random.below(changed.length)] = random.below(256);
      events.of(decodeFrame(changed, link));
    }
  });
});

describe('a rule about oddities', () => {
  const alertsOf = (rules: string, frame: Uint8Array, linkType: number = LINK.ETHERNET): number[] => {
    const found: number[] = [];
    const { rules: compiled } = loadRules([{ file: 'a.rules', text: rules }]);
    const limits = { maxAlertsPerPacket: 15, maxThresholdEntries: 10, maxHostBits: 10 };
    const engine = new SignatureEngine(compiled, limits, { sensor: 's', emit: (d) => found.push(d.signatureId) });
    const content = { app: undefined, events: [], isValid: true, sentBytes: () => -1 };
    engine.onPacket(decodeFrame(frame, linkType), undefined as never, -1, 0, content);
    return found;
  };
  const rules = ['pkthdr', 'ip', 'ipv4', 'tcp'].map((proto, i) => `alert ${proto} any any -> any any (decode-event:ipv4.hlen_too_small; sid:${i + 1};)`); // prettier-ignore
  const [, , short] = FRAMES.find(([, , , events]) => events.includes('ipv4.hlen_too_small'))!;

  test('fires for packets that have no header of IP, unless it asks for more', () => {
    assert.deepEqual(alertsOf(rules.join('\n'), short), [1, 2]);
    assert.deepEqual(alertsOf('alert ip any any -> any any (sid:1;)\n' + rules[0]!.replace('sid:1', 'sid:2'), short), [2]); // prettier-ignore
    const inNet = rules[0]!.replace('any any', '192.0.2.1 any');
    assert.deepEqual(alertsOf(inNet, short), []);
  });

  test('sees the fragment header in a fragment of IPv6, and not what is in it', () => {
    const frame = join(new Uint8Array(12), be16(0x86dd), ipv6(44, join(fragmentHeader(58, 1), EIGHT)));
    const about = ['icmp', 'ip', 'pkthdr'].map(
      (proto, i) => `alert ${proto} any any -> any any (ttl:64; sid:${i + 1};)`,
    );
    assert.deepEqual(alertsOf(about.join('\n'), frame), [2, 3]);
    assert.deepEqual(alertsOf('alert ip any any -> any any (flow:stateless; ttl:64; sid:1;)', frame), []);
  });

  test('has a name that is known', () => {
    assert.match(problemOf('alert pkthdr any any -> any any (decode-event:ipv4.none; sid:1;)').reason, /not an event/);
    for (const name of SILENT_DECODE_EVENTS) compile(`alert pkthdr any any -> any any (decode-event:${name}; sid:1;)`);
    compile('alert pkthdr any any -> any any (engine-event:decoder.ipv4.pkt_too_small; sid:1;)');
    assert.deepEqual(compile('alert tcp any any -> any any (engine-event:stream.est_syn_resend; sid:1;)').streamEvents, ['est_syn_resend']); // prettier-ignore
  });
});

describe('checksums', () => {
  const holds = (options: string, packet: Uint8Array): boolean =>
    compile(`alert ip any any -> any any (${options} sid:1;)`).packetTests.every((t) => t(decode(packet), 0));
  const sound = ipv4(6, tcp());
  const changed = (at: number): Uint8Array => sound.map((b, i) => (i === at ? b ^ 1 : b));

  test('of IPv4 and TCP are valid, or invalid once a bit is another', () => {
    for (const [keyword, at] of [
      ['ipv4-csum', 8],
      ['tcpv4-csum', 25],
    ] as const) {
      // prettier-ignore
      assert.ok(holds(`${keyword}:valid;`, sound) && !holds(`${keyword}:invalid;`, sound));
      assert.ok(holds(`${keyword}:invalid;`, changed(at)) && !holds(`${keyword}:valid;`, changed(at)));
    }
  });

  test('of another protocol are neither', () => {
    for (const keyword of ['udpv4-csum', 'udpv6-csum', 'tcpv6-csum', 'icmpv4-csum', 'icmpv6-csum'])
      assert.ok(!holds(`${keyword}:valid;`, sound) && !holds(`${keyword}:invalid;`, sound), keyword);
  });

  test('of a header that no packet had, of a datagram in fragments, are valid', () => {
    const rule = compile('alert ip any any -> any any (ipv4-csum:invalid; sid:1;)');
    const whole = decode(changed(8));
    assert.ok(rule.packetTests.every((t) => t(whole, 0)));
    whole.lastFragment = { data: sound, offset: 0, length: sound.length, linkType: LINK.RAW };
    assert.ok(!rule.packetTests.every((t) => t(whole, 0)));
  });

  test('of UDP over IPv4 may be left out, over IPv6 not', () => {
    assert.ok(!holds('udpv4-csum:invalid;', ipv4(17, udp(8, []))));
    assert.ok(holds('udpv6-csum:invalid;', ipv6(17, udp(8, []))));
  });
});

describe('other keywords about the packet', () => {
  const holds = (options: string, packet: Uint8Array): boolean =>
    compile(`alert ip any any -> any any (${options} sid:1;)`).packetTests.every((t) => t(decode(packet), 0));

  test('rpc looks at program, version and procedure of a call', () => {
    const call = ipv4(17, udp(36, join(be32(1), be32(0), be32(2), be32(100_000), be32(2), be32(3), be32(0))));
    assert.ok(holds('rpc:100000,2,3;', call) && holds('rpc:100000,*,3;', call) && holds('rpc:100000;', call));
    assert.ok(!holds('rpc:100000,3;', call) && !holds('rpc:100003;', call) && !holds('rpc:100000,*,4;', call));
  });

  test('flags about the beginning of a connection look only at its packets', () => {
    const flagged = (flags: number): Uint8Array => ipv4(6, tcp()).map((b, i) => (i === 33 ? flags : b));
    const [syn, ack, finAck] = [flagged(2), flagged(16), flagged(17)] as const;
    assert.deepEqual([syn, ack, finAck].map((p) => holds('flags:!S;', p)), [false, false, true]); // prettier-ignore
    assert.deepEqual([syn, ack, finAck].map((p) => holds('flags:!P;', p)), [true, true, true]); // prettier-ignore
    assert.deepEqual([syn, ack, finAck].map((p) => holds('flags:*SA;', p)), [true, false, true]); // prettier-ignore
  });
});
