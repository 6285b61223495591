import type { DecodedPacket } from '../domain/packet.js';
import type { OVERLAP_POLICIES } from './options.js';

type OverlapPolicy = (typeof OVERLAP_POLICIES)[number];

/** Fragment offsets count units of eight bytes. */
const UNIT = 8;
const FIRST_BYTES = 2048;
const MAX_BYTES = 65536;
const OBJECT_BYTES = 512;

/**
 * One IP datagram being put together. Each unit of eight bytes remembers where the fragment that wrote it began, which
 * is all that the overlap policies ask; the work of a fragment is therefore proportional to its length.
 */
export class Datagram {
  readonly startUs: number;
  readonly ipVersion: number;
  /** Of the first fragment, once it came. */
  proto: number;
  readonly header = new Uint8Array(60);
  headerLen = 0;
  payload = new Uint8Array(FIRST_BYTES);
  /** Payload bytes of the whole, or -1 until the last fragment came. */
  totalLen = -1;
  private owner = new Uint16Array(FIRST_BYTES / UNIT);
  private unitsFilled = 0;
  private highestByte = 0;
  private readonly id: number;
  private readonly vlan: number;
  private readonly words: readonly number[];

  constructor(p: DecodedPacket) {
    this.startUs = p.tsUs;
    this.ipVersion = p.ipVersion;
    this.proto = p.proto;
    this.id = p.ipId;
    this.vlan = p.vlan0;
    this.words = [p.src0, p.src1, p.src2, p.src3, p.dst0, p.dst1, p.dst2, p.dst3];
  }

  get memoryBytes(): number {
    return this.payload.length + this.owner.length * 2 + OBJECT_BYTES;
  }

  get isComplete(): boolean {
    return this.totalLen >= 0 && this.headerLen > 0 && this.unitsFilled * UNIT >= this.totalLen;
  }

  matches(p: DecodedPacket): boolean {
    const w = this.words;
    return (
      this.id === p.ipId &&
      this.ipVersion === p.ipVersion &&
      this.vlan === p.vlan0 &&
      (p.ipVersion === 6 || this.proto === p.proto) &&
      w[0] === p.src0 &&
      w[1] === p.src1 &&
      w[2] === p.src2 &&
      w[3] === p.src3 &&
      w[4] === p.dst0 &&
      w[5] === p.dst1 &&
      w[6] === p.dst2 &&
      w[7] === p.dst3
    );
  }

  /**
   * @param headerLen bytes of the IP header to keep from the first fragment.
   * @returns `conflict` when it overlaps with other bytes than were there: somebody tries to be read in two ways.
   */
  add(p: DecodedPacket, headerLen: number, policy: OverlapPolicy): 'fresh' | 'overlap' | 'conflict' | 'malformed' {
    const begin = p.fragOffset;
    const end = begin + p.payloadLen;
    const isLast = (p.ipFlags & 1) === 0;
    if (this.totalLen >= 0 && (end > this.totalLen || (isLast && end !== this.totalLen))) return 'malformed';
    if (isLast && this.highestByte > end) return 'malformed';
    if (isLast) this.totalLen = end;
    if (end > this.highestByte) this.highestByte = end;
    if (begin === 0 && (this.headerLen === 0 || policy === 'last')) this.keepHeader(p, headerLen);
    if (end > this.payload.length) this.grow(end);
    return this.copy(p, begin, end, policy);
  }

  private keepHeader(p: DecodedPacket, headerLen: number): void {
    this.header.set(p.data.subarray(p.ipOffset, p.ipOffset + headerLen));
    this.headerLen = headerLen;
    this.proto = p.proto;
  }

  private grow(need: number): void {
    const size = Math.min(MAX_BYTES, 2 ** Math.ceil(Math.log2(need)));
    const payload = new Uint8Array(size);
    const owner = new Uint16Array(size / UNIT);
    payload.set(this.payload);
    owner.set(this.owner);
    this.payload = payload;
    this.owner = owner;
  }

  private copy(p: DecodedPacket, begin: number, end: number, policy: OverlapPolicy): 'fresh' | 'overlap' | 'conflict' {
    const { owner, payload } = this;
    const { data } = p;
    const firstUnit = begin / UNIT;
    let overlaps = false;
    let conflicts = false;
    for (let at = begin; at < end; at += UNIT) {
      const unit = at / UNIT;
      const stop = Math.min(at + UNIT, end);
      const earlier = owner[unit]! - 1;
      let wins = true;
      if (earlier >= 0) {
        overlaps = true;
        wins = newWins(policy, earlier, firstUnit);
        for (let i = at; i < stop; i++) if (payload[i] !== data[p.payloadOffset + i - begin]) conflicts = true;
      } else {
        this.unitsFilled++;
      }
      if (!wins) continue;
      owner[unit] = firstUnit + 1;
      for (let i = at; i < stop; i++) payload[i] = data[p.payloadOffset + i - begin]!;
    }
    return conflicts ? 'conflict' : overlaps ? 'overlap' : 'fresh';
  }
}

/** @param earlier unit where the fragment began that wrote the bytes at hand; @param later where the new one begins. */
function newWins(policy: OverlapPolicy, earlier: number, later: number): boolean {
  switch (policy) {
    case 'first':
      return false;
    case 'last':
      return true;
    case 'bsd':
      return later < earlier;
    case 'linux':
      return later <= earlier;
  }
}
