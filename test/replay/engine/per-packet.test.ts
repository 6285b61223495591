import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { DecodedPacket, TCP } from '../../../src/domain/packet.js';
import { replay, tcp, type Traffic } from '../rules/traffic.js';

const folder = mkdtempSync(join(tmpdir(), 'per-packet-'));
after(() => {
  rmSync(folder, { recursive: true });
});

const changed = (packet: DecodedPacket, fields: Partial<DecodedPacket>): DecodedPacket =>
  Object.assign(new DecodedPacket(), packet, fields);

/** Handshake (1-3), request (4, 5), answer (6, 7), request (8, 9), and the end (10-12): each is acknowledged. */
const CONNECTION: Traffic = tcp(80, [
  ['>', 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['<', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['>', 'GET /b HTTP/1.1\r\nHost: a\r\n\r\n'],
]);
CONNECTION.forEach((packet, i) => (packet.number = i + 1));
const LAST = CONNECTION.length;
const from = (first: number): number[] => Array.from({ length: LAST + 1 - first }, (_, i) => first + i);

/**
 * Which packets each rule fires for. Suricata 7.0.10, given these packets as a capture, fires for the same; three of the rules (a negated
 * address, `http` alone) also for the packet that it makes up at the end of the connection.
 */
const CASES: readonly (readonly [string, readonly number[]])[] = [
  // About addresses only: the first packet of each direction.
  ['tcp any any -> any any (msg:"a"', [1, 2]],
  ['ip any any -> any any (msg:"a"', [1, 2]],
  ['tcp any any -> any 80 (msg:"a"', [1]],
  ['tcp any any <> any 80 (msg:"a"', [1, 2]],
  ['ip any any -> any any (flowbits:set,a', [1, 2]],
  ['ip any any -> any any (xbits:isnotset,a,track ip_src', [1, 2]],
  ['ip any any -> any any (ip_proto:6', [1, 2]],
  ['ip any any -> any any (l3_proto:ipv4', [1, 2]],
  ['ip any any -> any any (threshold:type limit,track by_src,count 9,seconds 60', [1, 2]],
  // About packets: what tests bits, a negated address, anything about the flow or the header.
  ['tcp any any -> any any (flowbits:isnotset,b', from(1)],
  ['tcp any any -> any any (flowint:n1,+,1', from(1)],
  ['tcp !203.0.113.250 any -> any any (msg:"a"', from(1)],
  ['tcp any any -> [any,!203.0.113.250] any (msg:"a"', from(1)],
  ['tcp any any -> any any (flow:stateless', from(1)],
  ['tcp any any -> any any (ttl:>0', from(1)],
  // Established is what comes behind the handshake.
  ['tcp any any -> any any (flow:established', from(4)],
  ['tcp any any -> any any (flow:not_established', [1, 2, 3]],
  // About a protocol: every packet behind the one that told it.
  ['http any any -> any any (msg:"a"', from(5)],
  ['http any any -> any any (flow:established', from(5)],
  ['http any any -> any 80 (msg:"a"', [7, 8, 10, 12]],
  ['tls any any -> any any (msg:"a"', []],
  // A stream is not looked at without a content.
  ['tcp any any -> any any (flow:only_stream', []],
  ['http any any -> any any (flow:only_stream; http.uri; content:"/a"', []],
  ['tcp any any -> any any (flow:only_stream; content:"GET /b"', [9]],
];

describe('a rule without contents fires for', () => {
  const file = join(folder, 'a.rules');
  writeFileSync(file, CASES.map(([rule], i) => `alert ${rule}; sid:${i + 1};)`).join('\n'));
  const alerts = replay(CONNECTION, [file], { maxAlertsPerPacket: 100 });
  for (const [i, [rule, packets]] of CASES.entries())
    test(`${packets.join(' ')}: ${rule})`, () => {
      assert.deepEqual(
        alerts.filter((a) => a.signatureId === i + 1).map((a) => a.packetNumber),
        packets,
      );
    });
});

test('behind a rule with bypass no rule looks at the flow, also those about packets', () => {
  const file = join(folder, 'b.rules');
  writeFileSync(
    file,
    'alert tcp any any -> any any (dsize:>0; bypass; sid:1;)\nalert tcp any any -> any any (ttl:>0; sid:2;)',
  );
  const alerts = replay(CONNECTION, [file], { maxAlertsPerPacket: 100 });
  assert.deepEqual(alerts.map((a) => [a.signatureId, a.packetNumber]), [[2, 1], [2, 2], [2, 3], [1, 4], [2, 4]]); // prettier-ignore
});

describe('established, as in Suricata 7.0.10 on these packets, begins behind', () => {
  const file = join(folder, 'c.rules');
  writeFileSync(file, 'alert tcp any any -> any any (flow:established; sid:1;)');
  const [syn, synAck, ack] = CONNECTION as [DecodedPacket, DecodedPacket, DecodedPacket];
  const rest = CONNECTION.slice(3, 5);
  const cases: readonly (readonly [string, Traffic, number[]])[] = [
    ['the handshake of a SYN sent twice', [syn, syn, synAck, ack, ...rest], [5, 6]],
    ['the handshake of a SYN that was answered twice', [syn, synAck, synAck, ack, ...rest], [5, 6]],
    ['the first of two equal acknowledgements', [syn, synAck, ack, ack, ...rest], [4, 5, 6]],
    ['no handshake that ends with a reset', [syn, synAck, changed(ack, { tcpFlags: TCP.RST })], []],
  ];
  for (const [name, packets, expected] of cases)
    test(name, () => {
      const traffic = packets.map((p, i) => changed(p, { number: i + 1, tsUs: syn.tsUs + i * 1000 }));
      assert.deepEqual(
        replay(traffic, [file]).map((a) => a.packetNumber),
        expected,
      );
    });
});

test('who forges a SYN and its reset or end proves nothing: alerts about what follows stay spoofable', () => {
  const file = join(folder, 'd.rules');
  writeFileSync(file, 'alert tcp-pkt any any -> any any (content:"GET"; sid:1;)');
  const [syn, synAck] = CONNECTION;
  const [ack, data] = CONNECTION.slice(2, 4).map((p) => changed(p, { ack: 77_777 }));
  const spoofable = (...traffic: Traffic): boolean[] => replay(traffic, [file]).map((a) => a.spoofable);
  for (const tcpFlags of [TCP.RST, TCP.RST | TCP.ACK, TCP.FIN, TCP.FIN | TCP.ACK])
    assert.deepEqual(spoofable(syn!, synAck!, changed(ack!, { tcpFlags }), data!), [true]);
  assert.deepEqual(spoofable(...CONNECTION.slice(0, 4)), [false]);
});

test('data in the acknowledgement that ends a handshake are established', () => {
  const file = join(folder, 'b.rules');
  writeFileSync(file, 'alert tcp-pkt any any -> any any (flow:established; content:"GET"; sid:1;)');
  const traffic = CONNECTION.filter((p) => p.number !== 3);
  assert.deepEqual(
    replay(traffic, [file]).map((a) => a.packetNumber),
    [4, 8],
  );
});

test('http.response_body is about answers, whatever direction the rule names', () => {
  const file = join(folder, 'e.rules');
  writeFileSync(file, 'alert http any any -> any any (flow:to_server; http.response_body; content:"ok"; sid:1;)');
  assert.equal(replay(CONNECTION, [file]).length, 1);
});
