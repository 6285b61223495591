import type { FeatureVector, SnapshotMoment } from '../domain/feature.js';
import { BWD, FWD, type Direction, type FlowColumns } from '../domain/flow.js';
import { PROTO, TCP, type DecodedPacket } from '../domain/packet.js';
import type { PacketObserver } from '../domain/stage.js';
import { ACTIVITY_SIZE, updateActivity, writeActivity } from './activity.js';
import { FLOW_SCHEMA, HISTORY_AT, HISTORY_WIDTH } from './flow-schema.js';
import { FlowHistory } from './history.js';
import { ARRIVAL_SIZE, durationOf, updateArrival, writeArrival } from './inter-arrival.js';
import { asks, Newcomers } from './newcomers.js';
import type { FlowFeatureOptions } from './options.js';
import { LENGTH_SIZE, updateLength, writeLength } from './packet-length.js';
import { SnapshotQueue } from './snapshot-queue.js';
import { TCP_SIZE, updateTcp, writeTcp } from './tcp-behaviour.js';
import { packetsOf, payloadOf, updateVolume, VOLUME_SIZE, writeVolume } from './volume.js';

/**
 * Receives a vector. `vector` is reused: copy its values to keep them. `packet` is the packet that completed an early
 * vector by count, null for early vectors by time and for end vectors.
 */
export type EmitVector = (
  vector: FeatureVector,
  packet: DecodedPacket | null,
  flows: FlowColumns,
  slot: number,
  moment: SnapshotMoment,
) => void;

const FIRST_US = 0;
const LENGTH_AT = 1 + VOLUME_SIZE;
const ARRIVAL_AT = LENGTH_AT + LENGTH_SIZE;
const TCP_AT = ARRIVAL_AT + ARRIVAL_SIZE;
const ACTIVITY_AT = TCP_AT + TCP_SIZE;
const STRIDE = ACTIVITY_AT + ACTIVITY_SIZE;
const VOLUME_AT = 1;

/** Bits of a slot's progress. */
const TAKEN = 1;
/** It began with a SYN that nothing answered so far. */
const SYN_OPEN = 2;
/** It is a newcomer's, with no answer so far nor a sign of one. */
const LOST = 4;
/** It is the first flow of its source. */
const FIRST = 8;

/**
 * Schema `flow`: statistics of every flow, given out once early (after `earlyPackets` packets or `earlyMs`) and once
 * at its end. State lies in typed arrays by flow slot; nothing is allocated on the packet path.
 */
export function createFlowFeatures(options: FlowFeatureOptions, deps: { emit: EmitVector }): PacketObserver {
  let capacity = 0;
  let state = new Float64Array(0);
  let progress = new Uint8Array(0);
  let frozen = new Float32Array(0);
  const history = new FlowHistory(options);
  const newcomers = new Newcomers(options);
  const queue = new SnapshotQueue(options.maxPendingFlows, options.earlyMs * 1000);
  const values = new Float32Array(FLOW_SCHEMA.features.length);
  const vector: FeatureVector = { schema: FLOW_SCHEMA.name, moment: 'early', values };
  const shortWindowUs = options.shortWindowSecs * 1e6;
  const width = HISTORY_WIDTH;
  const tcpSide: { direction: Direction; packets: number; secs: number } = { direction: FWD, packets: 0, secs: 0 };
  let lastFlows: FlowColumns | null = null;
  let early = 0;
  let ended = 0;

  function grow(wanted: number): void {
    const bigger = new Float64Array(wanted * STRIDE);
    bigger.set(state);
    state = bigger;
    const moreProgress = new Uint8Array(wanted);
    moreProgress.set(progress);
    progress = moreProgress;
    const moreFrozen = new Float32Array(wanted * width);
    moreFrozen.set(frozen);
    frozen = moreFrozen;
    capacity = wanted;
  }

  function writeStatistics(flows: FlowColumns, slot: number): void {
    const b = slot * STRIDE;
    const duration = durationOf(state, b + ARRIVAL_AT);
    values[0] = duration;
    values[1] = protocolCode(flows.proto[slot]!);
    values[2] = portClass(flows.proto[slot]!, flows.dstPort[slot]!);
    let i = writeVolume(state, b + VOLUME_AT, values, 3, duration);
    i = writeLength(state, b + LENGTH_AT, values, i);
    i = writeArrival(state, b + ARRIVAL_AT, values, i);
    i = writeTcp(state, b + TCP_AT, values, i, packetsOf(state, b + VOLUME_AT, BWD));
    writeActivity(state, b + ACTIVITY_AT, values, i);
  }

  function writeHistory(flows: FlowColumns, slot: number, nowUs: number): void {
    const i = history.write(flows, slot, nowUs, values, HISTORY_AT);
    values[i] = (progress[slot]! & LOST) !== 0 ? newcomers.unanswered(nowUs) : 0;
  }

  function takeEarly(flows: FlowColumns, slot: number, nowUs: number, packet: DecodedPacket | null): void {
    progress[slot]! |= TAKEN;
    writeStatistics(flows, slot);
    writeHistory(flows, slot, nowUs);
    for (let i = 0; i < width; i++) frozen[slot * width + i] = values[HISTORY_AT + i]!;
    vector.moment = 'early';
    early++;
    deps.emit(vector, packet, flows, slot, 'early');
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

  function noteBeginning(flows: FlowColumns, slot: number, p: DecodedPacket): void {
    const isSyn = p.proto === PROTO.TCP && (p.tcpFlags & (TCP.SYN | TCP.ACK)) === TCP.SYN;
    const before = history.opened(flows, slot, p.tsUs, isSyn);
    progress[slot] = isSyn ? SYN_OPEN : 0;
    if (before < 0 || !asks(p)) return;
    progress[slot]! |= before === 0 ? LOST | FIRST : LOST;
    if (before === 0) newcomers.came(p.tsUs);
  }

  function noteAnswer(flows: FlowColumns, slot: number, p: DecodedPacket, direction: Direction): void {
    const open = progress[slot]! & (SYN_OPEN | LOST);
    // A source that acknowledges has heard its target, even where the answers take another way.
    if (open === 0 || (direction === FWD && (p.tcpFlags & TCP.ACK) === 0)) return;
    if (direction === BWD && (open & SYN_OPEN) !== 0) {
      progress[slot]! &= ~SYN_OPEN;
      history.answered(flows, slot, p.tsUs, (p.tcpFlags & TCP.RST) !== 0);
    }
    if ((open & LOST) === 0) return;
    progress[slot]! &= ~LOST;
    if ((progress[slot]! & FIRST) !== 0) newcomers.answered(p.tsUs);
  }

  return {
    onPacket(p, flows, slot, direction, isNew) {
      lastFlows = flows;
      takeDue(flows, p.tsUs);
      if (slot < 0) return;
      if (flows.capacity > capacity) grow(flows.capacity);
      const b = slot * STRIDE;
      if (isNew) {
        state.fill(0, b, b + STRIDE);
        state[b + FIRST_US] = p.tsUs;
        noteBeginning(flows, slot, p);
        queue.push(slot, flows.flowId[slot]!, p.tsUs);
      }
      const secs = Math.max(0, (p.tsUs - state[b + FIRST_US]!) / 1e6);
      updateVolume(state, b + VOLUME_AT, p, direction);
      updateLength(state, b + LENGTH_AT, p.ipTotalLen, direction);
      updateArrival(state, b + ARRIVAL_AT, secs, direction);
      tcpSide.direction = direction;
      tcpSide.packets = packetsOf(state, b + VOLUME_AT, direction);
      tcpSide.secs = secs;
      updateTcp(state, b + TCP_AT, p, tcpSide);
      updateActivity(state, b + ACTIVITY_AT, secs, options.idleGapSecs);
      noteAnswer(flows, slot, p, direction);
      if ((progress[slot]! & TAKEN) !== 0) return;
      const packets = packetsOf(state, b + VOLUME_AT, FWD) + packetsOf(state, b + VOLUME_AT, BWD);
      if (packets >= options.earlyPackets) takeEarly(flows, slot, p.tsUs, p);
    },

    onFlowEnd(flows, slot, _reason, nowUs) {
      if (slot >= capacity) return;
      const b = slot * STRIDE;
      const durationSecs = durationOf(state, b + ARRIVAL_AT);
      const lastUs = state[b + FIRST_US]! + durationSecs * 1e6;
      writeStatistics(flows, slot);
      const stale = nowUs - lastUs > shortWindowUs && (progress[slot]! & TAKEN) !== 0;
      if (stale) for (let i = 0; i < width; i++) values[HISTORY_AT + i] = frozen[slot * width + i]!;
      else writeHistory(flows, slot, lastUs);
      vector.moment = 'end';
      ended++;
      deps.emit(vector, null, flows, slot, 'end');
      history.closed(flows, slot, {
        lastUs,
        durationSecs,
        packets: packetsOf(state, b + VOLUME_AT, FWD) + packetsOf(state, b + VOLUME_AT, BWD),
        payloadFwd: payloadOf(state, b + VOLUME_AT, FWD),
        payloadBwd: payloadOf(state, b + VOLUME_AT, BWD),
      });
      progress[slot]! |= TAKEN;
    },

    onTick(nowUs) {
      if (lastFlows) takeDue(lastFlows, nowUs);
    },

    stats: () => ({
      early_vectors: early,
      end_vectors: ended,
      early_vectors_skipped: queue.skipped,
      history_evictions: history.evictions,
    }),
  };
}

function protocolCode(proto: number): number {
  if (proto === PROTO.TCP) return 0;
  if (proto === PROTO.UDP) return 1;
  return proto === PROTO.ICMP || proto === PROTO.ICMPV6 ? 2 : 3;
}

function portClass(proto: number, port: number): number {
  if (proto !== PROTO.TCP && proto !== PROTO.UDP) return 0;
  if (port < 1024) return 1;
  return port < 49_152 ? 2 : 3;
}
