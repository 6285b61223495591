import type { DecodedPacket } from '../../domain/packet.js';

const FRAGMENT_HEADER = 44;
/** Hop-by-hop, routing, fragment, authentication, destination options, mobility, HIP, Shim6. */
const EXTENSIONS = new Set([0, 43, FRAGMENT_HEADER, 51, 60, 135, 139, 140]);
const MAX_HEADERS = 32;
const MAX_TRACKED = 1024;
const MAX_PIECES = 64;

/** Fragments of one packet that were seen: pairs of first byte and end. */
type Pieces = number[];

/** Oddities of packets as `decode-event` names them; looked for only when a rule asks. */
export interface DecodeEvents {
  of(packet: DecodedPacket): readonly string[];
}

export function createDecodeEvents(): DecodeEvents {
  const tracked = new Map<string, Pieces>();
  const events: string[] = [];

  function overlaps(key: string, from: number, to: number): boolean {
    let pieces = tracked.get(key);
    if (!pieces) {
      if (tracked.size >= MAX_TRACKED) tracked.delete(tracked.keys().next().value!);
      tracked.set(key, (pieces = []));
    }
    let found = false;
    for (let i = 0; i < pieces.length; i += 2) found ||= from < pieces[i + 1]! && to > pieces[i]!;
    if (pieces.length < 2 * MAX_PIECES) pieces.push(from, to);
    return found;
  }

  function ipv6(p: DecodedPacket): void {
    const { data } = p;
    const end = p.ipOffset + p.ipLen;
    let next = data[p.ipOffset + 6]!;
    let at = p.ipOffset + 40;
    let fragments = 0;
    for (let n = 0; n < MAX_HEADERS && EXTENSIONS.has(next) && at + 8 <= end; n++) {
      if (next === FRAGMENT_HEADER) {
        if (++fragments > 1) events.push('ipv6.exthdr_dupl_fh');
        fragment(p, at, end);
      }
      const length = next === FRAGMENT_HEADER ? 8 : next === 51 ? 4 * (data[at + 1]! + 2) : 8 * (data[at + 1]! + 1);
      next = data[at]!;
      at += length;
    }
  }

  function fragment(p: DecodedPacket, at: number, end: number): void {
    const { data } = p;
    const field = (data[at + 2]! << 8) | data[at + 3]!;
    const offset = field & 0xfff8;
    const hasMore = (field & 1) === 1;
    const length = end - at - 8;
    if (offset === 0 && !hasMore) {
      events.push('ipv6.exthdr_useless_fh');
      return;
    }
    if (hasMore && length % 8 !== 0) events.push('ipv6.frag_invalid_length');
    if (offset + length > 65_535) events.push('ipv6.frag_pkt_too_large');
    const id = Buffer.from(data.subarray(at + 4, at + 8)).toString('hex');
    const key = `${p.src0}:${p.src1}:${p.src2}:${p.src3}:${p.dst0}:${p.dst1}:${p.dst2}:${p.dst3}:${id}`;
    if (overlaps(key, offset, offset + length)) events.push('ipv6.frag_overlap');
  }

  return {
    of(packet) {
      events.length = 0;
      if (packet.ipVersion === 6 && packet.ipLen > 40) ipv6(packet);
      return events;
    },
  };
}
