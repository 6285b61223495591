import type { DecodedPacket } from '../../domain/packet.js';
import { FlowHash } from '../hash.js';

/** Connections remembered. */
const PLACES = 65_536;
/** Places that one connection may have; the oldest one there is forgotten. */
const WAYS = 4;

/**
 * The numbers that the last connections began with. One with the ends and the number of an earlier one is a copy of it: chosen
 * at random they meet once in 2^32. Captures that were joined hold such. 512 KiB.
 */
export class RecentSyns {
  readonly #numbers = new Int32Array(PLACES);
  readonly #hashes = new Int32Array(PLACES);
  readonly #hash = new FlowHash();

  /** Remembers the SYN. @returns true when it was there before. */
  add(p: DecodedPacket): boolean {
    const hash = this.#hash.hash4(p.src3 ^ p.src2, p.dst3 ^ p.dst2, (p.srcPort << 16) | p.dstPort, p.ipVersion);
    const first = hash & (PLACES - WAYS);
    const number = p.seq | 0;
    const numbers = this.#numbers;
    const hashes = this.#hashes;
    for (let at = first; at < first + WAYS; at++) if (numbers[at] === number && hashes[at] === hash) return true;
    numbers.copyWithin(first + 1, first, first + WAYS - 1);
    hashes.copyWithin(first + 1, first, first + WAYS - 1);
    numbers[first] = number;
    hashes[first] = hash;
    return false;
  }
}
