import { mix32 } from './address-table.js';
import { alignedInts } from './cache-lines.js';

const EXACT = 16;
const REGISTERS = 64;
/** Marks a set that has outgrown its list. */
const ESTIMATED = 255;
/** Bias constant of HyperLogLog for 64 registers (Flajolet et al. 2007). */
const ALPHA = 0.709;

/** 2 to the minus r. */
const SHARE = Float64Array.from({ length: 34 }, (_, r) => 2 ** -r);

/**
 * Many small sets of 32-bit hashes, 64 bytes each: exact up to 16 members, then HyperLogLog in the same bytes (64
 * registers, standard error about 13 %, less while linear counting applies).
 */
export class DistinctSets {
  private readonly list: Int32Array;
  private readonly registers: Uint8Array;
  private readonly size: Uint8Array;

  constructor(sets: number) {
    this.list = alignedInts(sets * EXACT);
    this.registers = new Uint8Array(this.list.buffer, this.list.byteOffset, this.list.byteLength);
    this.size = new Uint8Array(sets);
  }

  clear(set: number): void {
    this.size[set] = 0;
  }

  /** @returns true when the count may have grown. */
  add(set: number, hash: number): boolean {
    const n = this.size[set]!;
    if (n === ESTIMATED) return this.raise(set, hash);
    const at = set * EXACT;
    const member = hash | 0;
    for (let i = at; i < at + n; i++) if (this.list[i] === member) return false;
    if (n < EXACT) {
      this.list[at + n] = member;
      this.size[set] = n + 1;
      return true;
    }
    this.toEstimate(set);
    this.raise(set, hash);
    return true;
  }

  /** Members: exact up to 16, else the estimate to the nearest integer. */
  count(set: number): number {
    const n = this.size[set]!;
    if (n !== ESTIMATED) return n;
    let sum = 0;
    let zeros = 0;
    for (let i = set * REGISTERS; i < (set + 1) * REGISTERS; i++) {
      const r = this.registers[i]!;
      sum += SHARE[r]!;
      if (r === 0) zeros++;
    }
    const raw = (ALPHA * REGISTERS * REGISTERS) / sum;
    const estimate = raw <= 2.5 * REGISTERS && zeros > 0 ? REGISTERS * Math.log(REGISTERS / zeros) : raw;
    return Math.max(EXACT + 1, Math.round(estimate));
  }

  private raise(set: number, hash: number): boolean {
    const mixed = mix32(hash ^ 0x5bd1e995);
    const at = set * REGISTERS + (mixed >>> 26);
    const rank = Math.clz32((mixed << 6) | 32) + 1;
    if (this.registers[at]! >= rank) return false;
    this.registers[at] = rank;
    return true;
  }

  private toEstimate(set: number): void {
    const members = this.list.slice(set * EXACT, (set + 1) * EXACT);
    this.list.fill(0, set * EXACT, (set + 1) * EXACT);
    this.size[set] = ESTIMATED;
    for (const hash of members) this.raise(set, hash);
  }
}
