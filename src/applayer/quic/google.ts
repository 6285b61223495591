import { latin1 } from '../http/bytes.js';

/** What a client hello of Google's QUIC tells. */
export interface GoogleHello {
  /** Names of the tags in their order. */
  tags: string[];
  sni: Uint8Array | undefined;
  userAgent: Uint8Array | undefined;
}

const MAX_TAGS = 128;
const MAX_BEGIN = 128;

/** The `CHLO` message in an Initial packet of Q043 to Q046, which is not encrypted (draft-hamilton-early-deployment-quic). */
export function readGoogleHello(d: Uint8Array): GoogleHello | undefined {
  const at = latin1(d.subarray(0, MAX_BEGIN)).indexOf('CHLO');
  if (at < 0 || at + 8 > d.length) return undefined;
  const count = Math.min(MAX_TAGS, d[at + 4]! + d[at + 5]! * 256);
  const values = at + 8 + 8 * count;
  const hello: GoogleHello = { tags: [], sni: undefined, userAgent: undefined };
  let from = 0;
  for (let i = 0; i < count && at + 16 + 8 * i <= d.length; i++) {
    const entry = at + 8 + 8 * i;
    const tag = latin1(d.subarray(entry, entry + 4)).replace(/\0+$/, '');
    const to = d[entry + 4]! + d[entry + 5]! * 256 + d[entry + 6]! * 65_536 + d[entry + 7]! * 16_777_216;
    hello.tags.push(tag);
    if (to >= from && values + to <= d.length) {
      const value = d.slice(values + from, values + to);
      if (tag === 'SNI') hello.sni = value;
      else if (tag === 'UAID') hello.userAgent = value;
    }
    from = Math.max(from, to);
  }
  return hello;
}
