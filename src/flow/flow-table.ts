import { BWD, FWD, TCP_STATE, type Direction, type FlowColumns, type FlowEndReason } from '../domain/flow.js';
import { DECODE, PROTO, TCP, type DecodedPacket } from '../domain/packet.js';
import { Columns, SHAPE_SWAPPED, SHAPE_VERSION } from './columns.js';
import { FlowHash } from './hash.js';
import { FlowIndex } from './flow-index.js';
import { icmpCounterpart } from './icmp.js';
import { flowOptions, type FlowInput, type FlowOptions } from './options.js';
import { firstTcpState, nextTcpState, rememberServerSeq } from './tcp-state.js';
import { Timeouts } from './timeouts.js';

export interface FlowDeps {
  /** The flow ends; its slot is free again after the call. `nowUs` is packet time. */
  onEnd(columns: FlowColumns, slot: number, reason: FlowEndReason, nowUs: number): void;
  /** Makes the hash repeatable, for tests; secret and random without. */
  hashSeed?: number;
}

/** What `push` returns for packets without a flow, and for those that were already counted on another interface. */
export const NO_FLOW = -1;
export const REPEATED = -2;

/** Another interface takes over a direction of a flow after this silence. */
const TAKEOVER_US = 1e6;
/** Flows looked at to find the one to evict when the table is full. */
const EVICTION_SAMPLE = 16;
/** An established flow is evicted only when nothing half-open was found in the sample. */
const ESTABLISHED_BONUS_US = 3600e6;
/** Ids of one start: seconds since the epoch times 2^21, so two million flows a second never reach a later start's. */
const IDS_PER_SEC = 2 ** 21;

/**
 * The flow table: finds or opens the flow of a packet and keeps its counters, without an object or a string a packet.
 * Both directions of a 5-tuple are one flow. Its source is the sender of the first packet seen; only when that packet is
 * a SYN+ACK, its receiver, since the sender is then the server. For ICMP the ports are the message type and its
 * counterpart, as in the community id.
 */
export class FlowTable extends Columns {
  /** Of the last packet pushed. */
  direction: Direction = FWD;
  isNew = false;
  private readonly options: FlowOptions;
  private readonly onEnd: FlowDeps['onEnd'];
  private readonly hasher: FlowHash;
  private readonly index: FlowIndex;
  private readonly timeouts: Timeouts;
  private readonly activeTimeoutUs: number;
  /** Stack of free slots, lowest on top, so that few flows touch little memory. */
  private readonly free: Int32Array;
  private freeCount: number;
  /** Slots from here on were never used. */
  private highWater = 0;
  private hand = 0;
  private nextId = 0;
  private nowUs = 0;
  private lastTickUs = 0;
  private created = 0;
  private evicted = 0;
  private ignored = 0;
  private repeated = 0;
  private readonly ended: Record<FlowEndReason, number> = {
    idle: 0,
    active: 0,
    closed: 0,
    reset: 0,
    evicted: 0,
    shutdown: 0,
  };
  // Key of the packet at hand.
  private k0 = 0;
  private k1 = 0;
  private k2 = 0;
  private k3 = 0;
  /** SHAPE_SWAPPED when the packet's source is the second endpoint of the key, else 0. */
  private swapped = 0;

  constructor(options: FlowOptions, deps: FlowDeps) {
    super(options.maxFlows);
    this.options = options;
    this.onEnd = deps.onEnd;
    this.hasher = new FlowHash(deps.hashSeed);
    this.index = new FlowIndex();
    this.timeouts = new Timeouts(options);
    this.activeTimeoutUs = options.activeTimeoutSecs > 0 ? options.activeTimeoutSecs * 1e6 : Infinity;
    this.free = new Int32Array(options.maxFlows);
    this.freeCount = 0;
  }

  get size(): number {
    return this.highWater - this.freeCount;
  }

  /**
   * Counts a packet in its flow; `direction` and `isNew` then describe it.
   * @returns the flow's slot; NO_FLOW for packets that are not IP, not decodable, or a lone fragment; REPEATED for one that
   * another interface has already shown.
   */
  push(p: DecodedPacket): number {
    this.isNew = false;
    this.direction = FWD;
    if (p.ipVersion === 0 || p.result === DECODE.TRUNCATED || p.result === DECODE.MALFORMED || p.isFragment) {
      this.ignored++;
      return NO_FLOW;
    }
    if (p.tsUs > this.nowUs) this.nowUs = p.tsUs;
    const hash = this.makeKey(p);
    let slot = this.find(hash, p);
    if (slot >= 0 && this.isRepeated(slot, p)) {
      this.repeated++;
      return REPEATED;
    }
    if (slot >= 0) {
      const reason = this.endsBefore(slot, p);
      if (reason === 'active') this.slice(slot, p);
      else if (reason !== undefined) {
        this.end(slot, reason);
        slot = -1;
      }
    }
    if (slot < 0) slot = this.open(hash, p);
    this.via[2 * slot + this.direction] = p.interfaceId;
    this.count(slot, p);
    return slot;
  }

  /** Ends flows whose idle time is over; bounded work, meant to be called about ten times a second of packet time. */
  tick(nowUs: number): void {
    if (nowUs > this.nowUs) this.nowUs = nowUs;
    const elapsedUs = this.nowUs - this.lastTickUs;
    this.lastTickUs = this.nowUs;
    const share = Math.min(1, elapsedUs / (this.options.sweepSecs * 1e6));
    const steps = Math.min(this.highWater, Math.ceil(this.highWater * share) + 64);
    for (let n = 0; n < steps; n++) {
      const slot = this.hand;
      this.hand = slot + 1 >= this.highWater ? 0 : slot + 1;
      if (this.used[slot] === 1 && this.nowUs - this.lastUs[slot]! > this.timeouts.idleUs(this, slot)) {
        this.end(slot, this.idleReason(slot));
      }
    }
  }

  /** Ends every flow. */
  flush(nowUs: number): void {
    if (nowUs > this.nowUs) this.nowUs = nowUs;
    for (let slot = 0; slot < this.highWater; slot++) {
      if (this.used[slot] === 1) this.end(slot, this.closedReason(slot) ?? 'shutdown');
    }
  }

  stats(): Record<string, number> {
    return {
      flows: this.size,
      flows_created: this.created,
      flows_evicted: this.evicted,
      packets_without_flow: this.ignored,
      packets_repeated: this.repeated,
      ...Object.fromEntries(Object.entries(this.ended).map(([reason, n]) => [`flows_ended_${reason}`, n])),
    };
  }

  /** Writes the canonical key of a packet into k0..k3, the same for both directions. @returns its hash. */
  private makeKey(p: DecodedPacket): number {
    let { srcPort, dstPort } = p;
    if (p.proto === PROTO.ICMP || p.proto === PROTO.ICMPV6) {
      const counterpart = icmpCounterpart(p.proto, p.icmpType);
      srcPort = p.icmpType;
      dstPort = counterpart < 0 ? p.icmpCode : counterpart;
    }
    const meta = p.proto | (this.options.vlanInKey ? (p.vlan0 << 8) | (p.vlan1 << 20) : 0);
    const a = p.ipVersion === 6 ? this.hasher.hash4(p.src0, p.src1, p.src2, p.src3) : p.src3 | 0;
    const b = p.ipVersion === 6 ? this.hasher.hash4(p.dst0, p.dst1, p.dst2, p.dst3) : p.dst3 | 0;
    const ordered = a < b || (a === b && srcPort <= dstPort);
    this.k0 = ordered ? a : b;
    this.k1 = ordered ? b : a;
    this.k2 = ordered ? (srcPort << 16) | dstPort : (dstPort << 16) | srcPort;
    this.k3 = meta;
    this.swapped = ordered ? 0 : SHAPE_SWAPPED;
    return this.hasher.hash4(this.k0, this.k1, this.k2, this.k3);
  }

  private find(hash: number, p: DecodedPacket): number {
    const { entries, mask } = this.index;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = entries[2 * at + 1]! - 1;
      if (slot < 0) return -1;
      if (entries[2 * at] === hash && this.matches(slot, p)) return slot;
    }
  }

  /** Compares the key, and sets `direction`. */
  private matches(slot: number, p: DecodedPacket): boolean {
    const { key } = this;
    const at = 4 * slot;
    if (key[at] !== this.k0 || key[at + 1] !== this.k1 || key[at + 2] !== this.k2 || key[at + 3] !== this.k3) {
      return false;
    }
    const shape = this.shape[slot]!;
    if ((shape & SHAPE_VERSION) !== p.ipVersion) return false;
    const isForward = (shape & SHAPE_SWAPPED) === this.swapped;
    if (p.ipVersion === 6 && !this.sameAddresses(at, p, isForward)) return false;
    this.direction = isForward ? FWD : BWD;
    return true;
  }

  /** The key holds hashes of IPv6 addresses; this compares the addresses themselves. */
  private sameAddresses(at: number, p: DecodedPacket, isForward: boolean): boolean {
    const src = isForward ? this.srcAddr : this.dstAddr;
    const dst = isForward ? this.dstAddr : this.srcAddr;
    return (
      src[at] === p.src0 &&
      src[at + 1] === p.src1 &&
      src[at + 2] === p.src2 &&
      src[at + 3] === p.src3 &&
      dst[at] === p.dst0 &&
      dst[at + 1] === p.dst1 &&
      dst[at + 2] === p.dst2 &&
      dst[at + 3] === p.dst3
    );
  }

  private portOf(p: DecodedPacket): number {
    return p.proto === PROTO.ICMP || p.proto === PROTO.ICMPV6 ? p.icmpType : p.srcPort;
  }

  /** Why the flow found for a packet is over and the packet opens another, if so. */
  private endsBefore(slot: number, p: DecodedPacket): FlowEndReason | undefined {
    const idleUs = p.tsUs - this.lastUs[slot]!;
    if (idleUs > this.timeouts.shortestUs && idleUs > this.timeouts.idleUs(this, slot)) return this.idleReason(slot);
    if (p.tsUs - this.startUs[slot]! > this.activeTimeoutUs) return 'active';
    if (p.proto !== PROTO.TCP || (p.tcpFlags & (TCP.SYN | TCP.ACK | TCP.RST)) !== TCP.SYN) return undefined;
    // A new connection reuses the ports.
    const state = this.tcpState[slot]!;
    if (state === TCP_STATE.MIDSTREAM) return 'closed';
    return state === TCP_STATE.CLOSING ? 'closed' : this.closedReason(slot);
  }

  /**
   * A router that watches several interfaces sees a forwarded packet on the way in and on the way out. Each direction of a
   * flow counts on the interface that showed it first, until that one has been silent for a second.
   */
  private isRepeated(slot: number, p: DecodedPacket): boolean {
    const via = this.via[2 * slot + this.direction]!;
    return via >= 0 && via !== p.interfaceId && p.tsUs - this.lastUs[slot]! < TAKEOVER_US;
  }

  private closedReason(slot: number): FlowEndReason | undefined {
    const state = this.tcpState[slot];
    if (state === TCP_STATE.CLOSED) return 'closed';
    return state === TCP_STATE.RESET ? 'reset' : undefined;
  }

  private idleReason(slot: number): FlowEndReason {
    return this.closedReason(slot) ?? 'idle';
  }

  private open(hash: number, p: DecodedPacket): number {
    const slot = this.takeSlot();
    const at = 4 * slot;
    this.key[at] = this.k0;
    this.key[at + 1] = this.k1;
    this.key[at + 2] = this.k2;
    this.key[at + 3] = this.k3;
    this.hash[slot] = hash;
    this.index.insert(hash, slot);
    this.used[slot] = 1;
    this.via[2 * slot] = this.via[2 * slot + 1] = -1;
    this.created++;
    const isSynAck = p.proto === PROTO.TCP && (p.tcpFlags & (TCP.SYN | TCP.ACK | TCP.RST)) === (TCP.SYN | TCP.ACK);
    this.direction = isSynAck ? BWD : FWD;
    this.describe(slot, p, isSynAck);
    this.restart(slot, p);
    this.tcpState[slot] = p.proto === PROTO.TCP ? firstTcpState(p.tcpFlags) : TCP_STATE.NONE;
    if (isSynAck) rememberServerSeq(this, slot, p);
    return slot;
  }

  /** Writes what identifies a flow; `swap` when the packet comes from the flow's destination. */
  private describe(slot: number, p: DecodedPacket, swap: boolean): void {
    const src = swap ? this.dstAddr : this.srcAddr;
    const dst = swap ? this.srcAddr : this.dstAddr;
    const at = 4 * slot;
    src[at] = p.src0;
    src[at + 1] = p.src1;
    src[at + 2] = p.src2;
    src[at + 3] = p.src3;
    dst[at] = p.dst0;
    dst[at + 1] = p.dst1;
    dst[at + 2] = p.dst2;
    dst[at + 3] = p.dst3;
    const isIcmp = p.proto === PROTO.ICMP || p.proto === PROTO.ICMPV6;
    const counterpart = isIcmp ? icmpCounterpart(p.proto, p.icmpType) : -1;
    const dstPort = isIcmp ? (counterpart < 0 ? p.icmpCode : counterpart) : p.dstPort;
    this.srcPort[slot] = swap ? dstPort : this.portOf(p);
    this.dstPort[slot] = swap ? this.portOf(p) : dstPort;
    this.proto[slot] = p.proto;
    this.ipVersion[slot] = p.ipVersion;
    this.shape[slot] = p.ipVersion | (swap ? this.swapped ^ SHAPE_SWAPPED : this.swapped);
    this.vlan[slot] = p.vlan0;
    this.interfaceId[slot] = p.interfaceId;
    this.icmpType[slot] = isIcmp ? p.icmpType : -1;
    this.icmpCode[slot] = isIcmp ? p.icmpCode : -1;
  }

  /** Begins a flow's record, or the next slice of it. */
  private restart(slot: number, p: DecodedPacket): void {
    this.isNew = true;
    if (this.nextId === 0) this.nextId = Math.floor(p.tsUs / 1e6) * IDS_PER_SEC + 1;
    this.flowId[slot] = this.nextId++;
    this.startUs[slot] = this.lastUs[slot] = p.tsUs;
    this.packetsFwd[slot] = this.packetsBwd[slot] = 0;
    this.bytesFwd[slot] = this.bytesBwd[slot] = 0;
    this.payloadFwd[slot] = this.payloadBwd[slot] = 0;
    this.tcpFlagsFwd[slot] = this.tcpFlagsBwd[slot] = 0;
    this.fins[slot] = this.handshakePackets[slot] = 0;
  }

  /** The flow lasts longer than the active timeout: reports it so far, and goes on with the same direction and state. */
  private slice(slot: number, p: DecodedPacket): void {
    this.ended.active++;
    this.onEnd(this, slot, 'active', this.nowUs);
    const fins = this.fins[slot]!;
    const isProven = this.handshakePackets[slot]! > 0;
    this.restart(slot, p);
    this.fins[slot] = fins;
    // Completed by no packet of this part.
    if (isProven) this.handshakePackets[slot] = 0xffff_ffff;
  }

  private count(slot: number, p: DecodedPacket): void {
    if (p.proto === PROTO.TCP && !this.isNew) this.tcpState[slot] = nextTcpState(this, slot, p, this.direction);
    if (p.tsUs > this.lastUs[slot]!) this.lastUs[slot] = p.tsUs;
    const payload = p.payloadLen + p.ipTotalLen - p.ipLen;
    if (this.direction === FWD) {
      this.packetsFwd[slot]!++;
      this.bytesFwd[slot]! += p.ipTotalLen;
      this.payloadFwd[slot]! += payload;
      this.tcpFlagsFwd[slot]! |= p.tcpFlags;
    } else {
      this.packetsBwd[slot]!++;
      this.bytesBwd[slot]! += p.ipTotalLen;
      this.payloadBwd[slot]! += payload;
      this.tcpFlagsBwd[slot]! |= p.tcpFlags;
    }
  }

  private takeSlot(): number {
    if (this.freeCount > 0) return this.free[--this.freeCount]!;
    if (this.highWater < this.capacity) return this.highWater++;
    this.evict();
    return this.free[--this.freeCount]!;
  }

  /** The table is full: ends the flow of a small sample that was idle longest, half-open ones first. */
  private evict(): void {
    let victim = this.hand;
    let best = Infinity;
    for (let n = 0; n < EVICTION_SAMPLE; n++) {
      const slot = this.hand;
      this.hand = slot + 1 >= this.capacity ? 0 : slot + 1;
      const score = this.lastUs[slot]! + (this.packetsBwd[slot]! > 0 ? ESTABLISHED_BONUS_US : 0);
      if (score < best) {
        best = score;
        victim = slot;
      }
    }
    this.evicted++;
    this.end(victim, 'evicted');
  }

  private end(slot: number, reason: FlowEndReason): void {
    this.ended[reason]++;
    const { direction, isNew } = this;
    this.onEnd(this, slot, reason, this.nowUs);
    this.direction = direction;
    this.isNew = isNew;
    this.index.remove(this.hash[slot]!, slot);
    this.used[slot] = 0;
    this.free[this.freeCount++] = slot;
  }
}

export function createFlowTable(input: FlowInput, deps: FlowDeps): FlowTable {
  return new FlowTable(flowOptions.parse(input), deps);
}
