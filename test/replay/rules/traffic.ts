import { signatureOptionsSchema } from '../../../src/detect/signature/index.js';
import { createSignatures, shippedRules } from '../../../src/daemons/signatures.js';
import type { Detection } from '../../../src/domain/detection.js';
import { PROTO, TCP, type DecodedPacket } from '../../../src/domain/packet.js';
import { createFlowTable } from '../../../src/flow/index.js';
import { packet, type PacketFields } from '../../unit/support/packets.js';

const CLIENT = '203.0.113.9';
const SERVER = '10.0.0.2';
const DATA = TCP.PSH | TCP.ACK;

/** Traffic as packets in order; built from dialogues, so that a case says only what matters. */
export type Traffic = DecodedPacket[];

/** What one side says: `>` is the client, `<` the server; text is Latin-1. */
export type Turn = readonly ['>' | '<', string];

/** A connection with handshake, sequence numbers, acknowledgements and FIN. */
export function tcp(dport: number, turns: readonly Turn[], at = 0, sport = 40_000): Traffic {
  const seq = { '>': 1000, '<': 5000 };
  const out: Traffic = [];
  let now = at;
  const send = (side: '>' | '<', flags: number, text = ''): void => {
    const ends =
      side === '>'
        ? { src: CLIENT, dst: SERVER, sport, dport }
        : { src: SERVER, dst: CLIENT, sport: dport, dport: sport };
    const other = side === '>' ? '<' : '>';
    const payload = Buffer.from(text, 'latin1');
    const ack = flags & TCP.ACK ? seq[other] : 0;
    out.push(packet({ ...ends, at: now, flags, payload, seq: seq[side], ack }));
    seq[side] += payload.length + (flags & (TCP.SYN | TCP.FIN) ? 1 : 0);
    now += 0.002;
  };
  send('>', TCP.SYN);
  send('<', TCP.SYN | TCP.ACK);
  send('>', TCP.ACK);
  for (const [side, text] of turns) {
    for (let from = 0; from < text.length; from += 1400) send(side, DATA, text.slice(from, from + 1400));
    send(side === '>' ? '<' : '>', TCP.ACK);
  }
  send('>', TCP.FIN | TCP.ACK);
  send('<', TCP.FIN | TCP.ACK);
  send('>', TCP.ACK);
  return out;
}

export interface HttpCase {
  method?: string;
  uri?: string;
  headers?: Record<string, string>;
  body?: string;
  status?: string;
  answer?: string;
}

/** One HTTP exchange on one connection. */
export function http(c: HttpCase, at = 0, sport = 40_000): Traffic {
  const headers: Record<string, string> = {
    Host: 'shop.example',
    'User-Agent': 'Mozilla/5.0',
    Accept: '*/*',
    ...c.headers,
  };
  if (c.body !== undefined) headers['Content-Length'] = String(c.body.length);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const method = c.method ?? (c.body === undefined ? 'GET' : 'POST');
  const answer = c.answer ?? 'ok';
  return tcp(
    80,
    [
      ['>', `${method} ${c.uri ?? '/'} HTTP/1.1\r\n${lines.join('')}\r\n${c.body ?? ''}`],
      [
        '<',
        `HTTP/1.1 ${c.status ?? '200 OK'}\r\nContent-Type: text/html\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`,
      ],
    ],
    at,
    sport,
  );
}

/** The same exchange many times, each on its own connection. */
export function repeat(count: number, gapSecs: number, make: (at: number, sport: number) => Traffic): Traffic {
  return Array.from({ length: count }, (_, i) => make(i * gapSecs, 40_000 + i)).flat();
}

export function datagram(fields: PacketFields): DecodedPacket {
  return packet({ proto: PROTO.UDP, src: CLIENT, dst: SERVER, ...fields });
}

export function dnsQuery(name: string, at = 0, sport = 50_000): Traffic {
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label, 'latin1')]);
  const payload = Uint8Array.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]);
  return [datagram({ at, sport, dport: 53, payload })];
}

export function echo(payload: string | number, at = 0): DecodedPacket {
  return packet({ at, src: CLIENT, dst: SERVER, proto: PROTO.ICMP, icmpType: 8, icmpId: 1, payload });
}

/** A single TCP packet with these flags. */
export function flagged(flags: number, at = 0, sport = 41_000): DecodedPacket {
  return packet({ at, src: CLIENT, dst: SERVER, sport, dport: 80, flags, seq: 1 });
}

/**
 * Detections of rule files, the shipped ones unless others are named, for traffic through the product's own stages.
 * @param more further options under `detect.signature`.
 */
export function replay(
  traffic: Traffic,
  rules: string[] = shippedRules(),
  more: Readonly<Record<string, unknown>> = {},
): Detection[] {
  const detections: Detection[] = [];
  const options = { ...signatureOptionsSchema.parse({ rules, ...more }), stream: {} };
  const { observer } = createSignatures(options, { emit: (d) => detections.push(d), sensor: 'test' });
  const table = createFlowTable(
    { maxFlows: 4096 },
    { onEnd: (flows, slot, reason, nowUs) => observer.onFlowEnd?.(flows, slot, reason, nowUs) },
  );
  let nowUs = 0;
  for (const p of [...traffic].sort((a, b) => a.tsUs - b.tsUs)) {
    nowUs = p.tsUs;
    const slot = table.push(p);
    observer.onPacket(p, table, slot, table.direction, slot >= 0 && table.isNew);
  }
  table.flush(nowUs);
  return detections;
}
