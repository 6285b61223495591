import type { DecodedPacket } from '../../../domain/packet.js';

const MAX_TRACKED = 1024;
const MAX_PIECES = 64;

/** Remembers which bytes of a packet its fragments have brought, of the 1024 seen last. */
export interface Fragments {
  /**
   * @param id what tells packets of the same ends apart.
   * @returns true when an earlier fragment has brought some of `from .. to`.
   */
  overlaps(packet: DecodedPacket, id: number, from: number, to: number): boolean;
}

export function createFragments(): Fragments {
  /** Pairs of first byte and end. */
  const tracked = new Map<string, number[]>();
  return {
    overlaps(p, id, from, to) {
      const key = `${p.src0}:${p.src1}:${p.src2}:${p.src3}:${p.dst0}:${p.dst1}:${p.dst2}:${p.dst3}:${p.ipVersion === 4 ? p.proto : ''}:${id}`;
      let pieces = tracked.get(key);
      if (!pieces) {
        if (tracked.size >= MAX_TRACKED) tracked.delete(tracked.keys().next().value!);
        tracked.set(key, (pieces = []));
      }
      let found = false;
      for (let i = 0; i < pieces.length; i += 2) found ||= from < pieces[i + 1]! && to > pieces[i]!;
      if (pieces.length < 2 * MAX_PIECES) pieces.push(from, to);
      return found;
    },
  };
}
