import type { INJECT_SAMPLES } from '../../contract/http.js';
import { PROTO, TCP } from '../../domain/packet.js';
import { parseIp } from '../../util/ip.js';

/** Offender and victim of the made-up conversations, in the networks for documentation (RFC 5737). */
export const SAMPLE_OFFENDER = '198.51.100.23';
export const SAMPLE_VICTIM = '192.0.2.10';

export interface TcpFields {
  src: string;
  dst: string;
  srcPort: number;
  dstPort: number;
  flags: number;
  seq?: number;
  ack?: number;
  payload?: string;
}

/** Internet checksum (RFC 1071) of bytes `from .. to`, on top of `sum`. */
function checksum(frame: DataView, from: number, to: number, start = 0): number {
  let sum = start;
  for (let at = from; at + 1 < to; at += 2) sum += frame.getUint16(at);
  if ((to - from) % 2 === 1) sum += frame.getUint8(to - 1) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

const ETHERNET_BYTES = 14;
const IP_BYTES = 20;
const TCP_BYTES = 20;

/** An Ethernet frame with an IPv4 TCP segment, checksums right. */
export function tcpFrame({ src, dst, srcPort, dstPort, flags, seq = 0, ack = 0, payload = '' }: TcpFields): Uint8Array {
  const body = Buffer.from(payload, 'latin1');
  const frame = new Uint8Array(ETHERNET_BYTES + IP_BYTES + TCP_BYTES + body.length);
  const view = new DataView(frame.buffer);
  frame.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
  view.setUint16(12, 0x0800);
  const ip = ETHERNET_BYTES;
  view.setUint8(ip, 0x45);
  view.setUint16(ip + 2, frame.length - ip);
  view.setUint8(ip + 8, 64);
  view.setUint8(ip + 9, PROTO.TCP);
  view.setUint32(ip + 12, parseIp(src)?.words[3] ?? 0);
  view.setUint32(ip + 16, parseIp(dst)?.words[3] ?? 0);
  view.setUint16(ip + 10, checksum(view, ip, ip + IP_BYTES));
  const tcp = ip + IP_BYTES;
  view.setUint16(tcp, srcPort);
  view.setUint16(tcp + 2, dstPort);
  view.setUint32(tcp + 4, seq);
  view.setUint32(tcp + 8, ack);
  view.setUint8(tcp + 12, (TCP_BYTES / 4) << 4);
  view.setUint8(tcp + 13, flags);
  view.setUint16(tcp + 14, 64240);
  frame.set(body, tcp + TCP_BYTES);
  const pseudo = [ip + 12, ip + 14, ip + 16, ip + 18].reduce((sum, at) => sum + view.getUint16(at), 0);
  view.setUint16(tcp + 16, checksum(view, tcp, frame.length, pseudo + PROTO.TCP + frame.length - tcp));
  return frame;
}

/** A whole TCP connection: handshake, what each side says in turn (client first), end. */
export function conversation(srcPort: number, dstPort: number, says: readonly string[]): Uint8Array[] {
  const client = { src: SAMPLE_OFFENDER, dst: SAMPLE_VICTIM, srcPort, dstPort };
  const server = { src: SAMPLE_VICTIM, dst: SAMPLE_OFFENDER, srcPort: dstPort, dstPort: srcPort };
  const sent = { client: 1001, server: 5001 };
  const frames = [
    tcpFrame({ ...client, flags: TCP.SYN, seq: 1000 }),
    tcpFrame({ ...server, flags: TCP.SYN | TCP.ACK, seq: 5000, ack: 1001 }),
    tcpFrame({ ...client, flags: TCP.ACK, seq: sent.client, ack: sent.server }),
  ];
  for (const [i, payload] of says.entries()) {
    const [mine, other] = i % 2 === 0 ? (['client', 'server'] as const) : (['server', 'client'] as const);
    const [from, to] = i % 2 === 0 ? [client, server] : [server, client];
    frames.push(tcpFrame({ ...from, flags: TCP.PSH | TCP.ACK, seq: sent[mine], ack: sent[other], payload }));
    sent[mine] += Buffer.byteLength(payload, 'latin1');
    frames.push(tcpFrame({ ...to, flags: TCP.ACK, seq: sent[other], ack: sent[mine] }));
  }
  frames.push(
    tcpFrame({ ...client, flags: TCP.FIN | TCP.ACK, seq: sent.client, ack: sent.server }),
    tcpFrame({ ...server, flags: TCP.FIN | TCP.ACK, seq: sent.server, ack: sent.client + 1 }),
    tcpFrame({ ...client, flags: TCP.ACK, seq: sent.client + 1, ack: sent.server + 1 }),
  );
  return frames;
}

function web(srcPort: number, target: string): Uint8Array[] {
  const request = `GET ${target} HTTP/1.1\r\nHost: test.example\r\nUser-Agent: portcullis-test\r\nAccept: */*\r\n\r\n`;
  return conversation(srcPort, 80, [request, 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n']);
}

function portScan(): Uint8Array[] {
  return Array.from({ length: 100 }, (_, i) => 1 + i * 7).flatMap((port) => [
    tcpFrame({
      src: SAMPLE_OFFENDER,
      dst: SAMPLE_VICTIM,
      srcPort: 41000 + port,
      dstPort: port,
      flags: TCP.SYN,
      seq: 7,
    }),
    tcpFrame({
      src: SAMPLE_VICTIM,
      dst: SAMPLE_OFFENDER,
      srcPort: port,
      dstPort: 41000 + port,
      flags: TCP.RST | TCP.ACK,
      ack: 8,
    }),
  ]);
}

export type Sample = (typeof INJECT_SAMPLES)[number];

/** Frames of a made-up attack between two test addresses. */
export function sampleFrames(sample: Sample): Uint8Array[] {
  switch (sample) {
    case 'port_scan':
      return portScan();
    case 'sql_injection':
      return web(43001, '/items?id=1%27%20UNION%20SELECT%20user%2Cpassword%20FROM%20users--%20');
    case 'xss':
      return web(43002, '/search?q=%3Cscript%3Ealert(document.cookie)%3C%2Fscript%3E');
    case 'path_traversal':
      return web(43003, '/download?file=../../../../etc/passwd');
  }
}
