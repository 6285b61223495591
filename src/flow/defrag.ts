import type { DecodedPacket } from '../domain/packet.js';
import { Datagram } from './datagram.js';
import { FlowHash } from './hash.js';
import { defragOptions, type DefragInput } from './options.js';

/** Where a reassembled IP packet lies; valid until the next `push`. */
export interface WholePacket {
  data: Uint8Array;
  offset: number;
  length: number;
}

export interface Defragmenter {
  /**
   * @returns `pass` for packets that are no fragments; `held` when a fragment was kept (or refused, and counted);
   * `complete` when it was the last missing one: `out` then holds the whole IP packet, to be decoded again.
   */
  push(packet: DecodedPacket, out: WholePacket): 'pass' | 'held' | 'complete';
  stats(): Record<string, number>;
}

/** Largest IP payload; more is the "ping of death". */
const MAX_PAYLOAD = 65535;
const MAX_HEADER = 60;
const IPV6_HEADER = 40;
/** Evictions in one call at most, so that one fragment never costs more than a bounded amount of work. */
const EVICTIONS_PER_PUSH = 8;

/**
 * Puts IPv4 (RFC 791) and IPv6 (RFC 8200 section 4.5) fragments together. Bounded in datagrams, memory and time: the
 * oldest datagram goes first. Reassembled IPv6 packets carry the base header only.
 */
export function createDefragmenter(input: DefragInput = {}): Defragmenter {
  const options = defragOptions.parse(input);
  const hasher = new FlowHash();
  const whole = new Uint8Array(MAX_HEADER + MAX_PAYLOAD);
  /** By key hash, oldest first. */
  const datagrams = new Map<number, Datagram>();
  const maxBytes = options.maxKiB * 1024;
  const timeoutUs = options.timeoutSecs * 1e6;
  let bytesHeld = 0;
  const counts = {
    fragments: 0,
    reassembled: 0,
    expired: 0,
    evicted: 0,
    malformed: 0,
    overlaps: 0,
    overlap_conflicts: 0,
  };

  const drop = (key: number, datagram: Datagram): void => {
    bytesHeld -= datagram.memoryBytes;
    datagrams.delete(key);
  };

  const dropOldest = (nowUs: number): void => {
    for (let n = 0; n < EVICTIONS_PER_PUSH; n++) {
      const oldest = datagrams.entries().next();
      if (oldest.done === true) return;
      const [key, datagram] = oldest.value;
      const isExpired = nowUs - datagram.startUs > timeoutUs;
      if (!isExpired && datagrams.size <= options.maxDatagrams && bytesHeld <= maxBytes) return;
      counts[isExpired ? 'expired' : 'evicted']++;
      drop(key, datagram);
    }
  };

  const keyOf = (p: DecodedPacket): number => {
    const src = hasher.hash4(p.src0, p.src1, p.src2, p.src3);
    const dst = hasher.hash4(p.dst0, p.dst1, p.dst2, p.dst3);
    // RFC 8200: the next header is not part of the key in IPv6.
    const meta = (p.ipVersion << 24) | (p.vlan0 << 8) | (p.ipVersion === 4 ? p.proto : 0);
    return hasher.hash4(src, dst, p.ipId, meta);
  };

  /** The datagram a fragment belongs to; another one with the same hash gives way, one in four billion. */
  const datagramOf = (key: number, p: DecodedPacket): Datagram => {
    const found = datagrams.get(key);
    if (found?.matches(p) === true && p.tsUs - found.startUs <= timeoutUs) return found;
    if (found !== undefined) {
      counts[found.matches(p) ? 'expired' : 'evicted']++;
      drop(key, found);
    }
    const fresh = new Datagram(p);
    datagrams.set(key, fresh);
    bytesHeld += fresh.memoryBytes;
    return fresh;
  };

  const build = (datagram: Datagram, out: WholePacket): void => {
    const { header, headerLen, payload, totalLen } = datagram;
    whole.set(header.subarray(0, headerLen));
    whole.set(payload.subarray(0, totalLen), headerLen);
    if (datagram.ipVersion === 4) {
      setU16(whole, 2, headerLen + totalLen);
      setU16(whole, 6, 0);
    } else {
      setU16(whole, 4, totalLen);
      whole[6] = datagram.proto;
    }
    out.data = whole;
    out.offset = 0;
    out.length = headerLen + totalLen;
  };

  return {
    push(p, out) {
      if (!p.isFragment) return 'pass';
      counts.fragments++;
      const headerLen = p.ipVersion === 4 ? p.l4Offset - p.ipOffset : IPV6_HEADER;
      const isMore = (p.ipFlags & 1) !== 0;
      const isBad = p.payloadLen === 0 || p.ipTruncated || (isMore && p.payloadLen % 8 !== 0);
      if (isBad || headerLen + p.fragOffset + p.payloadLen > MAX_PAYLOAD) {
        counts.malformed++;
        return 'held';
      }
      const key = keyOf(p);
      const datagram = datagramOf(key, p);
      const before = datagram.memoryBytes;
      const added = datagram.add(p, headerLen, options.overlapPolicy);
      bytesHeld += datagram.memoryBytes - before;
      if (added === 'malformed') counts.malformed++;
      if (added === 'overlap') counts.overlaps++;
      if (added === 'conflict') {
        counts.overlaps++;
        counts.overlap_conflicts++;
      }
      if (!datagram.isComplete) {
        dropOldest(p.tsUs);
        return 'held';
      }
      build(datagram, out);
      drop(key, datagram);
      counts.reassembled++;
      return 'complete';
    },
    stats: () => ({ ...counts, datagrams: datagrams.size, bytes_held: bytesHeld }),
  };
}

function setU16(d: Uint8Array, at: number, value: number): void {
  d[at] = value >> 8;
  d[at + 1] = value & 255;
}
