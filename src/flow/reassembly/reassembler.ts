import type { StreamSink } from '../../domain/app-layer.js';
import { BWD, FWD, type Direction, type FlowColumns, type FlowEndReason } from '../../domain/flow.js';
import { PROTO, TCP, type DecodedPacket } from '../../domain/packet.js';
import type { StreamEvent } from '../../domain/stream-event.js';
import type { PacketObserver } from '../../domain/stage.js';
import { DIFFERS, HalfStream, SHED } from './half-stream.js';
import { StreamMemory } from './memory.js';
import { RecentSyns } from './recent-syns.js';
import { reassemblyOptions, type ReassemblyInput, type ReassemblyOptions } from './options.js';
import { readTimestamp, readTimestampEcho } from '../tcp-options.js';

export interface ReassemblerDeps {
  /** Who gets the bytes of a connection; undefined to leave it alone. Called once, at the connection's first packet. */
  sinkFor(flows: FlowColumns, slot: number): StreamSink | undefined;
}

export interface Reassembler extends PacketObserver {
  /** What happened to the bytes of the packet at hand, named as Suricata's `stream-event`; overwritten by the next packet. */
  readonly events: readonly StreamEvent[];
  /** False when the packet at hand does not belong to its connection and was ignored. */
  readonly isValid: boolean;
  /** The packet at hand opens a connection with the ends and the number of an earlier one: it is a copy of that. */
  readonly isCopy: boolean;
  /** Bytes that a direction has sent by sequence number, for `stream_size`; -1 when nothing of it was seen. */
  sentBytes(slot: number, direction: Direction): number;
  /**
   * The packets of a direction will no longer be shown; its sink learns that the direction is over. The other direction is
   * followed as before, without the window that the missing packets would tell.
   */
  cease(slot: number, direction: Direction, tsUs: number): void;
}

interface Place {
  flows: FlowColumns;
  slot: number;
  direction: Direction;
}

class Connection {
  readonly halves = [new HalfStream(), new HalfStream()] as const;
  readonly sink: StreamSink;
  readonly isMidstream: boolean;
  isClosed = false;
  /** The answer to the SYN acknowledged something else: nobody would go on until the right one comes. */
  isRefused = false;
  /** Began with the answer of this side to a SYN that was not seen: one side's packets may pass elsewhere. */
  answerer: Direction | undefined;

  constructor(sink: StreamSink, isMidstream: boolean) {
    this.sink = sink;
    this.isMidstream = isMidstream;
  }
}

/** A timestamp older than the last one is from an earlier time of the connection, unless it was idle this long. */
const PAWS_IDLE = 24 * 86_400 * 1000;
const SMALLEST_WINDOW = 65_535;

/**
 * TCP reassembly as Suricata does it: each direction's bytes in order, once, of overlapping copies the one that the
 * receiver takes, and by default when the receiver has acknowledged them. Memory is bounded for each direction and in all; what is not kept is counted and shows as a gap.
 */
export function createReassembler(input: ReassemblyInput, deps: ReassemblerDeps): Reassembler {
  return new TcpReassembler(reassemblyOptions.parse(input), deps);
}

class TcpReassembler implements Reassembler {
  readonly events: StreamEvent[] = [];
  isValid = true;
  isCopy = false;
  private readonly options: ReassemblyOptions;
  private readonly deps: ReassemblerDeps;
  private readonly memory: StreamMemory;
  private readonly depth: number;
  private readonly maxWindow: number;
  private readonly bySlot: (Connection | undefined)[] = [];
  private readonly recentSyns = new RecentSyns();
  private connections = 0;
  private readonly counts = {
    bytes_delivered: 0,
    gaps: 0,
    gap_bytes: 0,
    segments_shed: 0,
    overlaps_differing: 0,
    connections_refused: 0,
    depth_reached: 0,
    packets_invalid: 0,
  };
  // Of the delivery at hand, so that it needs no closure.
  private sink: StreamSink | undefined;
  private direction: Direction = FWD;
  private tsUs = 0;

  constructor(options: ReassemblyOptions, deps: ReassemblerDeps) {
    this.options = options;
    this.deps = deps;
    this.memory = new StreamMemory(options.maxMiB * 1_048_576);
    this.depth = options.depthKiB === 0 ? Infinity : options.depthKiB * 1024;
    this.maxWindow = options.maxWindowKiB * 1024;
  }

  onPacket(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): void {
    if (this.events.length > 0) this.events.length = 0;
    this.isValid = true;
    this.isCopy = false;
    if (slot < 0 || p.proto !== PROTO.TCP) return;
    const connection = this.bySlot[slot] ?? this.open(p, { flows, slot, direction });
    if (connection === undefined || connection.isClosed) return;
    const own = connection.halves[direction];
    const peer = connection.halves[direction ^ 1]!;
    if (!own.isKnown && peer.timestamp >= 0 && !this.echoes(peer, p)) return;
    if (!this.isAnswered(connection, own, peer, p) || !this.isBegun(connection, direction, p)) return;
    if (p.tcpFlags & TCP.SYN) this.onSyn(own, peer, p);
    if (!own.isKnown) {
      if (!connection.isMidstream && !(peer.isKnown && p.tcpFlags & TCP.ACK)) return;
      own.start(p.seq);
    }
    if (!this.isAcceptable(own, peer, p)) {
      this.isValid = false;
      this.counts.packets_invalid++;
      return;
    }
    if (p.tcpFlags & TCP.ACK) this.onAck(connection, own, peer, p, (direction ^ 1) as Direction);
    const dataAt = own.positionOf(p.seq) + (p.tcpFlags & TCP.SYN ? 1 : 0);
    if (p.payloadLen > 0) this.onPayload(connection, own, p, direction, dataAt);
    if (p.tcpFlags & TCP.FIN) {
      if (own.finAt < 0) own.finAt = dataAt + p.payloadLen;
      this.endAtFin(connection, own, direction, p.tsUs);
    }
    // Before an answer came, a reset by the opener ends nothing that a late SYN+ACK could not go on with.
    if (p.tcpFlags & TCP.RST && (peer.isKnown || dataAt < 0)) this.close(connection, p.tsUs);
  }

  onFlowEnd(_flows: FlowColumns, slot: number, reason: FlowEndReason, nowUs: number): void {
    const connection = this.bySlot[slot];
    if (connection === undefined || reason === 'active') return;
    if (this.events.length > 0) this.events.length = 0;
    this.close(connection, nowUs);
    this.bySlot[slot] = undefined;
    this.connections--;
  }

  sentBytes(slot: number, direction: Direction): number {
    const half = this.bySlot[slot]?.halves[direction];
    return half?.isKnown === true ? half.highest : -1;
  }

  cease(slot: number, direction: Direction, tsUs: number): void {
    const connection = this.bySlot[slot];
    if (connection === undefined || connection.isClosed) return;
    // Its acknowledgements and windows are missed, and those of the other side speak of bytes that nobody saw.
    for (const half of connection.halves) half.limit = Infinity;
    const half = connection.halves[direction];
    if (half.isEnded) return;
    half.isEnded = true;
    half.clear(this.memory);
    connection.sink.onEnd(direction, tsUs);
  }

  stats(): Record<string, number> {
    const entries = Object.entries({
      ...this.counts,
      connections: this.connections,
      memory_bytes: this.memory.bytesUsed,
    });
    return Object.fromEntries(entries.map(([name, value]) => [`reassembly_${name}`, value]));
  }

  private open(p: DecodedPacket, { flows, slot, direction }: Place): Connection | undefined {
    const isSyn = (p.tcpFlags & (TCP.SYN | TCP.RST)) === TCP.SYN;
    if (!isSyn && (!this.options.midstream || p.payloadLen === 0 || p.tcpFlags & TCP.RST)) return undefined;
    const isBegin = isSyn && (p.tcpFlags & TCP.ACK) === 0;
    if (!isBegin && this.options.midstreamPolicy === 'bypass') return undefined;
    if (this.connections >= this.options.maxConnections) {
      this.counts.connections_refused++;
      return undefined;
    }
    const sink = this.deps.sinkFor(flows, slot);
    if (sink === undefined) return undefined;
    const connection = new Connection(sink, !isSyn);
    if (isSyn && p.tcpFlags & TCP.ACK && !this.options.midstream) connection.answerer = direction;
    this.bySlot[slot] = connection;
    if (isBegin) this.isCopy = this.recentSyns.add(p);
    this.connections++;
    return connection;
  }

  /** A SYN sets where a direction begins, as long as nothing of it was acknowledged or handed on. */
  private onSyn(own: HalfStream, peer: HalfStream, p: DecodedPacket): void {
    const first = (p.seq + 1) | 0;
    if (own.isKnown && (own.next === first || own.position > 0 || own.acked > 0)) return;
    if (own.isKnown) own.clear(this.memory);
    own.highest = 0;
    own.start(first);
    own.windowScale = p.windowScale;
    own.timestamp = readTimestamp(p);
    peer.limit = Math.max(peer.limit, peer.position + p.window, SMALLEST_WINDOW);
  }

  /** False for a connection whose two sides are seen, but not how it began: that is followed with `midstream` only. */
  private isBegun(connection: Connection, direction: Direction, p: DecodedPacket): boolean {
    const { answerer } = connection;
    if (answerer === undefined || answerer === direction) return true;
    connection.answerer = undefined;
    if (p.tcpFlags & TCP.SYN) return true;
    this.close(connection, p.tsUs);
    return false;
  }

  /** False while the only answers to the SYN were such as the opener throws away (RFC 9293 3.10.7.3). */
  private isAnswered(connection: Connection, own: HalfStream, peer: HalfStream, p: DecodedPacket): boolean {
    const isAnswer = (p.tcpFlags & (TCP.SYN | TCP.ACK | TCP.RST)) === (TCP.SYN | TCP.ACK);
    if (isAnswer && peer.isKnown && !connection.isMidstream && (!own.isKnown || connection.isRefused)) {
      const acked = peer.positionOf(p.ack);
      connection.isRefused = acked < 0 || acked > peer.highest;
    }
    if (!connection.isRefused || p.tcpFlags & TCP.RST) return true;
    this.isValid = false;
    this.counts.packets_invalid++;
    return false;
  }

  /** The first answer of a direction echoes the SYN's timestamp; another one comes from somebody who has not seen it. */
  private echoes(peer: HalfStream, p: DecodedPacket): boolean {
    const echo = readTimestampEcho(p);
    if (echo <= 0 || echo === peer.timestamp) return true;
    this.isValid = false;
    this.counts.packets_invalid++;
    return false;
  }

  private isAcceptable(own: HalfStream, peer: HalfStream, p: DecodedPacket): boolean {
    const at = own.positionOf(p.seq);
    if (p.tcpFlags & TCP.RST) {
      // A reset counts when it is where the receiver expects the next byte, or in the window after it.
      const isInWindow = at >= own.acked - 1 && at <= Math.max(own.limit, own.highest) + 1;
      return isInWindow || own.highest === 0;
    }
    if (p.tcpOptionsLen >= 10 && own.timestamp >= 0 && (p.tcpFlags & TCP.SYN) === 0) {
      const value = readTimestamp(p);
      if (value >= 0) {
        const age = (own.timestamp - value) | 0;
        if (age > 0 && age < PAWS_IDLE) return false;
        if (at <= own.contiguousEnd && age <= 0) own.timestamp = value;
      }
    }
    const limit = Math.max(own.limit, own.highest, SMALLEST_WINDOW) + 1;
    return !(p.payloadLen > 0 && peer.isKnown && at > limit);
  }

  private onAck(c: Connection, own: HalfStream, peer: HalfStream, p: DecodedPacket, direction: Direction): void {
    if (!peer.isKnown) {
      if (!c.isMidstream || p.ack === 0) return;
      peer.start(p.ack);
    }
    let upTo = peer.positionOf(p.ack);
    if (upTo > Math.max(peer.limit, peer.highest + 1, SMALLEST_WINDOW)) return;
    const scale = own.windowScale >= 0 && peer.windowScale >= 0 && (p.tcpFlags & TCP.SYN) === 0 ? own.windowScale : 0;
    const limit = upTo + p.window * 2 ** Math.min(scale, 14);
    if (limit > peer.limit) peer.limit = limit;
    if (peer.finAt >= 0 && upTo > peer.finAt) upTo = peer.finAt;
    if (upTo <= peer.acked && upTo <= peer.position) return;
    peer.acked = Math.max(peer.acked, upTo);
    // The answer to a SYN with data does not establish the connection yet: rules see the data with the packet after it.
    if (p.tcpFlags & TCP.SYN) return;
    this.deliver(c, peer, direction, peer.acked, p.tsUs, true);
    this.endAtFin(c, peer, direction, p.tsUs);
  }

  private onPayload(c: Connection, own: HalfStream, p: DecodedPacket, direction: Direction, at: number): void {
    const end = at + p.payloadLen;
    if (end > own.highest) own.highest = end;
    if (own.isEnded || end <= own.position) return;
    if (end > own.position + this.maxWindow) {
      this.events.push('reassembly_insert_limit');
      this.counts.segments_shed++;
      return;
    }
    const waits = this.options.inspect === 'acked' && !(this.options.asyncOneside && !c.halves[direction ^ 1]!.isKnown);
    // Who looks at data as it arrives does so with a SYN as well: there may be nothing after it.
    const isInSyn = waits && (p.tcpFlags & TCP.SYN) !== 0;
    if (!waits && at === own.position && own.isEmpty) {
      this.sink = c.sink;
      this.direction = direction;
      this.tsUs = p.tsUs;
      this.consume(p.data, p.payloadOffset, p.payloadLen, own);
      own.advance(p.payloadLen);
      return;
    }
    const outcome = own.insert(p.data, p.payloadOffset, p.payloadLen, at, this.memory, this.options.overlapPolicy);
    if (outcome & DIFFERS) {
      this.events.push('reassembly_overlap_different_data');
      this.counts.overlaps_differing++;
    }
    if (outcome & SHED) {
      this.events.push('reassembly_insert_memcap', 'reassembly_no_segment');
      this.counts.segments_shed++;
    }
    // The receiver may have acknowledged before we saw the data: captures come out of order, too.
    const upTo = waits ? own.acked : own.contiguousEnd;
    if (upTo > own.position && !isInSyn) this.deliver(c, own, direction, upTo, p.tsUs, waits);
  }

  /** Hands on what there is up to a position; with `skipHoles`, bytes that were acknowledged and never seen are a gap. */
  private deliver(
    c: Connection,
    half: HalfStream,
    direction: Direction,
    upTo: number,
    tsUs: number,
    skipHoles: boolean,
  ) {
    this.sink = c.sink;
    this.direction = direction;
    this.tsUs = tsUs;
    while (half.position < upTo && !half.isEnded) {
      const ready = Math.min(half.contiguousEnd, upTo) - half.position;
      if (ready > 0) {
        half.take(ready, this.memory, this.consumer(half));
        continue;
      }
      if (!skipHoles) return;
      const next = half.nextAvailable();
      const missing = (next < 0 ? upTo : Math.min(next, upTo)) - half.position;
      this.counts.gaps++;
      this.counts.gap_bytes += missing;
      if (half.position < this.depth) c.sink.onGap(direction, missing, half.position, tsUs);
      half.skip(missing, this.memory);
    }
  }

  private consumer(half: HalfStream): (data: Uint8Array, offset: number, length: number) => void {
    this.taking = half;
    return this.take;
  }

  private taking: HalfStream | undefined;
  private readonly take = (data: Uint8Array, offset: number, length: number): void => {
    this.consume(data, offset, length, this.taking!);
  };

  private consume(data: Uint8Array, offset: number, length: number, half: HalfStream): void {
    const within = Math.min(length, this.depth - half.position);
    if (within > 0) {
      this.counts.bytes_delivered += within;
      this.sink!.onData(this.direction, data, offset, within, half.position, this.tsUs);
    }
    if (within < length || half.position + length >= this.depth) {
      if (within > 0) {
        this.events.push('reassembly_depth_reached');
        this.counts.depth_reached++;
      }
      half.isEnded = true;
      this.sink!.onEnd(this.direction, this.tsUs);
    }
  }

  private endAtFin(c: Connection, half: HalfStream, direction: Direction, tsUs: number): void {
    if (half.finAt < 0 || half.isEnded || half.position < half.finAt) return;
    half.isEnded = true;
    half.clear(this.memory);
    c.sink.onEnd(direction, tsUs);
  }

  /** The connection is over: what is in order goes out though nobody acknowledged it. */
  private close(c: Connection, tsUs: number): void {
    if (c.isClosed) return;
    c.isClosed = true;
    const isTwoWay = c.halves[FWD].isKnown && c.halves[BWD].isKnown;
    for (const direction of [FWD, BWD] as const) {
      const half = c.halves[direction];
      if (isTwoWay || c.isMidstream || this.options.asyncOneside) {
        this.deliver(c, half, direction, half.contiguousEnd, tsUs, false);
      }
      half.clear(this.memory);
      if (half.isEnded) continue;
      half.isEnded = true;
      c.sink.onEnd(direction, tsUs);
    }
  }
}
