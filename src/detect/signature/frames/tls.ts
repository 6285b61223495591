import { be16, inTwo, type Part, type Splitter } from './split.js';

const HEADER = 5;
const ALERT = 21;
const HEARTBEAT = 24;

/** Records of TLS (RFC 8446 5.1), and the hello of SSL 2. */
export const splitTls: Splitter = (d) => {
  if (d.length < HEADER) return undefined;
  if (d[0]! & 0x80 && d[1] !== 3) {
    const length = 2 + (be16(d, 0) & 0x7fff);
    return { parts: [['ssl2.pdu', 0, length], ['ssl2.hdr', 0, 3]], length }; // prettier-ignore
  }
  const length = HEADER + be16(d, 3);
  const parts: Part[] = inTwo(['pdu', 'hdr', 'data'], HEADER, length);
  if (d[0] === ALERT) parts.push(['alert', HEADER, length]);
  else if (d[0] === HEARTBEAT) parts.push(['heartbeat', HEADER, length]);
  return { parts, length };
};
