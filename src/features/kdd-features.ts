import type { FeatureVector, SnapshotMoment } from '../domain/feature.js';
import { FWD, type Direction, type FlowColumns } from '../domain/flow.js';
import { PROTO, TCP, type DecodedPacket } from '../domain/packet.js';
import type { PacketObserver } from '../domain/stage.js';
import { ConnectionWindow, type WindowConnection } from './connection-window.js';
import type { EmitVector } from './flow-features.js';
import { FragmentCheck } from './fragment-check.js';
import { addSegment, errorClass, FLAG_SF, tcpFlag } from './kdd-connection.js';
import { KDD_SCHEMA, KDD_TRAFFIC_AT, KDD_TRAFFIC_WIDTH } from './kdd-schema.js';
import { kddService } from './kdd-service.js';
import { wirePayload } from './volume.js';
import type { KddFeatureOptions } from './options.js';
import { SnapshotQueue } from './snapshot-queue.js';

/** Doubles a slot. */
const FIRST_US = 0;
const LAST_US = 1;
const ORIGINATOR_BYTES = 2;
const RESPONDER_BYTES = 3;
const URGENT = 4;
const WRONG_FRAGMENTS = 5;
const PACKETS = 6;
const TIME_SEQUENCE = 7;
const HOST_SEQUENCE = 8;
const SERVICE = 9;
const WINDOW_SERVICE = 10;
const STRIDE = 11;

/** Bits of a slot's progress. */
const TAKEN = 1;
const FLIPPED = 2;
const KDD_PROTOCOL = 4;

/**
 * Schema `kdd`. Each connection gives one early and one end vector. The traffic features (columns 23-41) are taken once,
 * when the connection is first judged, and repeated at its end: an idle timeout must not empty the windows.
 */
export function createKddFeatures(options: KddFeatureOptions, deps: { emit: EmitVector }): PacketObserver {
  let capacity = 0;
  let state = new Float64Array(0);
  let seen = new Uint8Array(0);
  let progress = new Uint8Array(0);
  let frozen = new Float32Array(0);
  let lastFlows: FlowColumns | null = null;
  const queue = new SnapshotQueue(options.maxPendingFlows, options.earlyMs * 1000);
  const byTime = new ConnectionWindow(options.timeWindowConnections, options.timeWindowSecs * 1e6);
  const byNumber = new ConnectionWindow(options.hostWindowConnections, Infinity);
  const fragments = new FragmentCheck();
  const values = new Float32Array(KDD_SCHEMA.features.length);
  const vector: FeatureVector = { schema: KDD_SCHEMA.name, moment: 'early', values };
  const icmp = { type: 0, code: 0 };
  const counters = { early_vectors: 0, end_vectors: 0, other_protocols: 0 };

  function grow(wanted: number): void {
    const copy = <T extends Float64Array | Uint8Array | Float32Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    state = copy(state, new Float64Array(wanted * STRIDE));
    seen = copy(seen, new Uint8Array(wanted));
    progress = copy(progress, new Uint8Array(wanted));
    frozen = copy(frozen, new Float32Array(wanted * KDD_TRAFFIC_WIDTH));
    capacity = wanted;
  }

  const asked: { -readonly [K in keyof WindowConnection]: WindowConnection[K] } = {
    flows: null as unknown as FlowColumns,
    slot: 0,
    flipped: false,
    service: 0,
    sourcePort: 0,
  };

  function ask(flows: FlowColumns, slot: number): WindowConnection {
    asked.flows = flows;
    asked.slot = slot;
    asked.flipped = (progress[slot]! & FLIPPED) !== 0;
    asked.service = state[slot * STRIDE + WINDOW_SERVICE]!;
    const hasPorts = flows.proto[slot] === PROTO.TCP || flows.proto[slot] === PROTO.UDP;
    asked.sourcePort = hasPorts ? (asked.flipped ? flows.dstPort[slot]! : flows.srcPort[slot]!) : 0;
    return asked;
  }

  function open(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): void {
    const b = slot * STRIDE;
    state.fill(0, b, b + STRIDE);
    state[b + FIRST_US] = p.tsUs;
    seen[slot] = 0;
    if (!isKddProtocol(p.proto)) {
      counters.other_protocols++;
      progress[slot] = 0;
      return;
    }
    const synAck = TCP.SYN | TCP.ACK;
    // The sender of a SYN-ACK is the responder, also when it is taken for the flow's source.
    const flipped = direction === FWD && p.proto === PROTO.TCP && (p.tcpFlags & (synAck | TCP.RST)) === synAck;
    progress[slot] = KDD_PROTOCOL | (flipped ? FLIPPED : 0);
    const port = flipped ? flows.srcPort[slot]! : flows.dstPort[slot]!;
    icmp.type = p.icmpType;
    icmp.code = p.icmpCode;
    const service = kddService(p.proto, port, icmp);
    state[b + SERVICE] = service;
    const isIcmp = p.proto === PROTO.ICMP || p.proto === PROTO.ICMPV6;
    state[b + WINDOW_SERVICE] = (p.proto << 16) | (isIcmp ? service : port);
    const connection = ask(flows, slot);
    state[b + TIME_SEQUENCE] = byTime.add(connection, p.tsUs);
    state[b + HOST_SEQUENCE] = byNumber.add(connection, p.tsUs);
    queue.push(slot, flows.flowId[slot]!, p.tsUs);
  }

  function flagOf(flows: FlowColumns, slot: number): number {
    return flows.proto[slot] === PROTO.TCP ? tcpFlag(seen[slot]!) : FLAG_SF;
  }

  function tellWindows(flows: FlowColumns, slot: number, ended: boolean): void {
    const kind = errorClass(flagOf(flows, slot), ended);
    byTime.setErrors(state[slot * STRIDE + TIME_SEQUENCE]!, kind);
    byNumber.setErrors(state[slot * STRIDE + HOST_SEQUENCE]!, kind);
  }

  function writeBasic(flows: FlowColumns, slot: number): void {
    const b = slot * STRIDE;
    values[0] = Math.max(0, (state[b + LAST_US]! - state[b + FIRST_US]!) / 1e6);
    values[1] = flows.proto[slot] === PROTO.TCP ? 0 : flows.proto[slot] === PROTO.UDP ? 1 : 2;
    values[2] = state[b + SERVICE]!;
    values[3] = flagOf(flows, slot);
    values[4] = state[b + ORIGINATOR_BYTES]!;
    values[5] = state[b + RESPONDER_BYTES]!;
    values[6] = isLand(flows, slot) ? 1 : 0;
    values[7] = state[b + WRONG_FRAGMENTS]!;
    values[8] = state[b + URGENT]!;
  }

  function takeTraffic(flows: FlowColumns, slot: number, nowUs: number): void {
    const connection = ask(flows, slot);
    byTime.expire(nowUs);
    writeTimeWindow(byTime, connection, values, KDD_TRAFFIC_AT);
    writeHostWindow(byNumber, connection, values, KDD_TRAFFIC_AT + 9);
    const at = slot * KDD_TRAFFIC_WIDTH;
    for (let i = 0; i < KDD_TRAFFIC_WIDTH; i++) frozen[at + i] = values[KDD_TRAFFIC_AT + i]!;
    progress[slot]! |= TAKEN;
  }

  function emit(flows: FlowColumns, slot: number, moment: SnapshotMoment, packet: DecodedPacket | null): void {
    vector.moment = moment;
    counters[moment === 'early' ? 'early_vectors' : 'end_vectors']++;
    deps.emit(vector, packet, flows, slot, moment);
  }

  function takeEarly(flows: FlowColumns, slot: number, nowUs: number, packet: DecodedPacket | null): void {
    writeBasic(flows, slot);
    takeTraffic(flows, slot, nowUs);
    emit(flows, slot, 'early', packet);
  }

  function takeDue(flows: FlowColumns, nowUs: number): void {
    while (queue.isDue(nowUs)) {
      const slot = queue.slot;
      const dueUs = queue.due;
      const waiting = slot < capacity && flows.flowId[slot] === queue.flowId && (progress[slot]! & TAKEN) === 0;
      queue.shift();
      if (waiting) takeEarly(flows, slot, dueUs, null);
    }
  }

  return {
    onPacket(p, flows, slot, direction, isNew) {
      lastFlows = flows;
      takeDue(flows, p.tsUs);
      if (slot < 0) {
        if (p.isFragment) fragments.onFragment(p);
        return;
      }
      if (flows.capacity > capacity) grow(flows.capacity);
      if (isNew) open(p, flows, slot, direction);
      if ((progress[slot]! & KDD_PROTOCOL) === 0) return;
      const b = slot * STRIDE;
      const fromOriginator = (direction === FWD) !== ((progress[slot]! & FLIPPED) !== 0);
      state[b + PACKETS]! += 1;
      state[b + LAST_US] = p.tsUs;
      state[b + (fromOriginator ? ORIGINATOR_BYTES : RESPONDER_BYTES)]! += wirePayload(p);
      if (p.isFragment) fragments.onFragment(p);
      if (fragments.any) state[b + WRONG_FRAGMENTS]! += fragments.takeWrong(p);
      if (p.proto === PROTO.TCP) {
        if ((p.tcpFlags & TCP.URG) !== 0) state[b + URGENT]! += 1;
        const next = addSegment(seen[slot]!, p.tcpFlags, fromOriginator);
        if (next !== seen[slot] || isNew) {
          seen[slot] = next;
          tellWindows(flows, slot, false);
        }
      }
      if ((progress[slot]! & TAKEN) === 0 && state[b + PACKETS]! >= options.earlyPackets) {
        takeEarly(flows, slot, p.tsUs, p);
      }
    },

    onFlowEnd(flows, slot, _reason, nowUs) {
      if (slot >= capacity || (progress[slot]! & KDD_PROTOCOL) === 0) return;
      tellWindows(flows, slot, true);
      writeBasic(flows, slot);
      if ((progress[slot]! & TAKEN) === 0) takeTraffic(flows, slot, nowUs);
      else {
        const at = slot * KDD_TRAFFIC_WIDTH;
        for (let i = 0; i < KDD_TRAFFIC_WIDTH; i++) values[KDD_TRAFFIC_AT + i] = frozen[at + i]!;
      }
      progress[slot]! |= TAKEN;
      emit(flows, slot, 'end', null);
    },

    onTick(nowUs) {
      if (lastFlows) takeDue(lastFlows, nowUs);
    },

    stats: () => ({
      ...counters,
      early_vectors_skipped: queue.skipped,
      window_overflowed: byTime.overflowed,
    }),
  };
}

function isKddProtocol(proto: number): boolean {
  return proto === PROTO.TCP || proto === PROTO.UDP || proto === PROTO.ICMP || proto === PROTO.ICMPV6;
}

function isLand(flows: FlowColumns, slot: number): boolean {
  for (let w = 4 * slot; w < 4 * slot + 4; w++) if (flows.srcAddr[w] !== flows.dstAddr[w]) return false;
  return flows.srcPort[slot] === flows.dstPort[slot];
}

/** Share of a total; 0 of nothing is 0. */
function share(part: number, total: number): number {
  return total > 0 ? part / total : 0;
}

/** How the tables write `diff` rates: distinct values over the count, 0 when there is only one value. */
function diffRate(distinct: number, total: number): number {
  return distinct > 1 ? share(distinct, total) : 0;
}

function writeTimeWindow(w: ConnectionWindow, c: WindowConnection, out: Float32Array, i: number): void {
  const t = w.counts;
  const host = w.findHost(c);
  const service = w.findService(c);
  const pair = w.findPair(c);
  const at = (column: Int32Array, index: number): number => (index < 0 ? 0 : column[index]!);
  const count = at(t.count, host);
  const serviceCount = at(t.count, service);
  out[i++] = count;
  out[i++] = serviceCount;
  out[i++] = share(at(t.synErrors, host), count);
  out[i++] = share(at(t.synErrors, service), serviceCount);
  out[i++] = share(at(t.rejectErrors, host), count);
  out[i++] = share(at(t.rejectErrors, service), serviceCount);
  out[i++] = share(at(t.count, pair), count);
  out[i++] = diffRate(at(t.distinct, host), count);
  out[i] = diffRate(at(t.distinct, service), serviceCount);
}

function writeHostWindow(w: ConnectionWindow, c: WindowConnection, out: Float32Array, i: number): void {
  const t = w.counts;
  const host = w.findHost(c);
  const service = w.findService(c);
  const at = (column: Int32Array, index: number): number => (index < 0 ? 0 : column[index]!);
  const count = at(t.count, host);
  const serviceCount = at(t.count, service);
  out[i++] = count;
  out[i++] = serviceCount;
  out[i++] = share(at(t.count, w.findPair(c)), count);
  out[i++] = diffRate(at(t.distinct, host), count);
  out[i++] = share(at(t.count, w.findSourcePort(c)), count);
  out[i++] = diffRate(at(t.distinct, service), serviceCount);
  out[i++] = share(at(t.synErrors, host), count);
  out[i++] = share(at(t.synErrors, service), serviceCount);
  out[i++] = share(at(t.rejectErrors, host), count);
  out[i] = share(at(t.rejectErrors, service), serviceCount);
}
