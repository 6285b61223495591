/** A packet of the connection between 192.0.2.1 (2001:db8::1) and 192.0.2.2 (2001:db8::2). */
export interface Segment {
  version?: 4 | 6 | undefined;
  proto?: 6 | 17;
  srcPort: number;
  dstPort: number;
  isReply?: boolean;
  seq?: number;
  ack?: number;
  /** Letters of F, S, R, P, A, U. */
  flags?: string;
  text?: string;
  /** TCP timestamp option. */
  timestamp?: number | undefined;
}

const BIT: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, A: 16, U: 32 };

/** An IP packet with a TCP segment or UDP datagram, checksums left out. */
export function segment(s: Segment): Uint8Array {
  const { version = 4, proto = 6, text = '' } = s;
  const l4 = proto === 6 ? tcp(s) : udp(s);
  const payload = Buffer.from(text, 'latin1');
  const [from, to] = s.isReply ? [2, 1] : [1, 2];
  if (version === 4) {
    const ip = Buffer.alloc(20);
    ip[0] = 0x45;
    ip.writeUInt16BE(20 + l4.length + payload.length, 2);
    ip[8] = 64;
    ip[9] = proto;
    ip.set([192, 0, 2, from], 12);
    ip.set([192, 0, 2, to], 16);
    return Buffer.concat([ip, l4, payload]);
  }
  const ip = Buffer.alloc(40);
  ip[0] = 0x60;
  ip.writeUInt16BE(l4.length + payload.length, 4);
  ip[6] = proto;
  ip[7] = 64;
  ip.set([0x20, 1, 0xd, 0xb8], 8);
  ip[23] = from;
  ip.set([0x20, 1, 0xd, 0xb8], 24);
  ip[39] = to;
  return Buffer.concat([ip, l4, payload]);
}

function tcp({ srcPort, dstPort, seq = 0, ack = 0, flags = '', timestamp }: Segment): Buffer {
  const out = Buffer.alloc(timestamp === undefined ? 20 : 32);
  out.writeUInt16BE(srcPort, 0);
  out.writeUInt16BE(dstPort, 2);
  out.writeUInt32BE(seq, 4);
  out.writeUInt32BE(ack, 8);
  out[12] = (out.length / 4) << 4;
  out[13] = [...flags].reduce((bits, letter) => bits | BIT[letter]!, 0);
  out.writeUInt16BE(65_535, 14);
  if (timestamp !== undefined) {
    out.set([1, 1, 8, 10], 20);
    out.writeUInt32BE(timestamp, 24);
  }
  return out;
}

function udp({ srcPort, dstPort, text = '' }: Segment): Buffer {
  const out = Buffer.alloc(8);
  out.writeUInt16BE(srcPort, 0);
  out.writeUInt16BE(dstPort, 2);
  out.writeUInt16BE(8 + text.length, 4);
  return out;
}
