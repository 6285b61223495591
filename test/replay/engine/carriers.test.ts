import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { after, test } from 'node:test';
import { createPipeline } from '../../../src/daemons/pipeline.js';
import { createSignatures } from '../../../src/daemons/signatures.js';
import { signatureOptionsSchema } from '../../../src/detect/signature/index.js';
import { LINK, type PacketBlock } from '../../../src/domain/packet.js';
import { be16, be32, join } from '../../unit/applayer/wire.js';

const folder = mkdtempSync(path(tmpdir(), 'carriers-'));
after(() => {
  rmSync(folder, { recursive: true });
});

const OUTER = [192, 0, 2, 1, 198, 51, 100, 2];
const INNER = [10, 0, 0, 1, 10, 0, 0, 2];
const text = (s: string): Uint8Array => Buffer.from(s, 'latin1');

function ipv4(proto: number, ends: number[], body: Uint8Array, fragment = 0, options: number[] = []): Uint8Array {
  const length = 20 + options.length + body.length;
  return join(0x40 | (5 + options.length / 4), 0, be16(length), be16(9), be16(fragment), 64, proto, 0, 0, ends, options, body); // prettier-ignore
}
const ends6 = (last: number): Uint8Array => join(0x20, 1, 0xd, 0xb8, new Uint8Array(11), last);
const ipv6 = (next: number, body: Uint8Array): Uint8Array =>
  join(0x60, 0, 0, 0, be16(body.length), next, 64, ends6(1), ends6(2), body);
const udp = (port: number, body: Uint8Array): Uint8Array =>
  join(be16(4000), be16(port), be16(8 + body.length), 0, 0, body);
const ethernet = (body: Uint8Array): Uint8Array => join(new Uint8Array(12), 8, 0, body);
const vxlan = (frame: Uint8Array): Uint8Array => udp(4789, join(8, 0, 0, 0, 0, 0, 7, 0, frame));

/** Sid and ends of each alert for packets of IP, one after another. */
function alerts(packets: readonly Uint8Array[], ...rules: string[]): string[] {
  const file = path(folder, 'r.rules');
  writeFileSync(file, rules.map((r, i) => r.replace(/\)$/, ` sid:${i + 1};)`)).join('\n'));
  const found: string[] = [];
  const { observer, problems } = createSignatures(
    { ...signatureOptionsSchema.parse({ rules: [file] }), stream: {} },
    { sensor: 'test', emit: (d) => found.push(`${d.signatureId} ${d.srcIp} ${d.dstIp} ${d.packetNumber}`) },
  );
  assert.deepEqual(problems, []);
  const pipeline = createPipeline({}, { observers: [observer] });
  packets.forEach((data, i) => {
    const size = Int32Array.of(data.length);
    const block: PacketBlock = { data, count: 1, offset: Int32Array.of(0), capLen: size, wireLen: size, tsUs: Float64Array.of((1_700_000_000 + i) * 1e6), linkType: LINK.RAW, interfaceId: 0 }; // prettier-ignore
    pipeline.push(block);
  });
  pipeline.flush();
  return found;
}

const sixInFour = ipv4(41, OUTER, ipv6(17, udp(53, text('hello'))));

test('a packet in a packet: rules about headers see both, those about bytes the inner one', () => {
  assert.deepEqual(
    alerts(
      [sixInFour],
      'alert ip any any -> any any (ip_proto:41;)',
      'alert ip any any -> any any (ip_proto:17;)',
      'alert ip any any -> any any (content:"hello";)',
      'alert ip 192.0.2.0/24 any -> any any (msg:"outer";)',
      'alert ip 192.0.3.0/24 any -> any any (msg:"near miss";)',
    ),
    ['2 2001:db8::1 2001:db8::2 1', '3 2001:db8::1 2001:db8::2 1', '1 192.0.2.1 198.51.100.2 1', '4 192.0.2.1 198.51.100.2 1'],
  ); // prettier-ignore
});

test('without a tunnel a packet counts once', () => {
  assert.deepEqual(
    alerts([ipv4(17, OUTER, udp(53, text('hello')))], 'alert ip any any -> any any (ttl:64;)'),
    ['1 192.0.2.1 198.51.100.2 1'],
  ); // prettier-ignore
});

test('each of three packets, from the innermost on, and what carries a frame is not searched for its bytes', () => {
  const deep = ipv4(
    4,
    OUTER,
    ipv4(17, INNER, vxlan(ethernet(ipv4(1, [10, 9, 9, 1, 10, 9, 9, 2], join(8, 0, 0, 0, be32(1), text('hello')))))),
  );
  assert.deepEqual(alerts([deep], 'alert ip any any -> any any (ttl:64;)', 'alert udp any any -> any any (content:"hello";)'), [
    '1 10.9.9.1 10.9.9.2 1',
    '1 192.0.2.1 198.51.100.2 1',
    '1 10.0.0.1 10.0.0.2 1',
  ]); // prettier-ignore
});

test('oddities belong to the packet that has them', () => {
  const odd = ipv4(41, OUTER, ipv6(17, udp(53, text('hello'))), 0, [1, 1, 1, 0]);
  const rule = 'alert pkthdr any any -> any any (decode-event:ipv4.opt_pad_required;)';
  assert.deepEqual(alerts([odd], rule), ['1 192.0.2.1 198.51.100.2 1']);
  assert.deepEqual(alerts([sixInFour], rule), []);
});

test('the fragment that completes a packet is a packet, too', () => {
  const whole = udp(53, text('hello world, hello world'));
  const parts = [ipv4(17, INNER, whole.slice(0, 16), 0x2000), ipv4(17, INNER, whole.slice(16), 2)];
  const rules = [
    'alert ip any any -> any any (fragoffset:>0;)',
    'alert udp any any -> any 53 (content:"hello world, hello";)',
  ];
  assert.deepEqual(alerts(parts, ...rules), ['2 10.0.0.1 10.0.0.2 2', '1 10.0.0.1 10.0.0.2 2']);
  assert.deepEqual(alerts(parts.slice(0, 1), ...rules), []);
});
