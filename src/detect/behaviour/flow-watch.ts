import { TCP_STATE, type Direction, type FlowColumns, type FlowEndReason } from '../../domain/flow.js';
import { PROTO, TCP, type DecodedPacket } from '../../domain/packet.js';
import { FAILURE, type FlowMoment } from './detector.js';
import { newMoment, setByPacket, setByTime } from './flow-moment.js';
import { TECHNIQUE, techniqueOf } from './technique.js';

export interface FlowWatchSink {
  failed(at: FlowMoment, failure: number): void;
  productive(at: FlowMoment): void;
  /** The source completed a handshake that it could not have forged. */
  proven(at: FlowMoment): void;
}

const PENDING = 1;
const ANSWERED = 2;
const FAILED = 4;
const PRODUCTIVE = 8;
const PROVEN = 16;
const DONE = PRODUCTIVE | PROVEN;
const TECHNIQUE_SHIFT = 8;

/**
 * Tells what becomes of each flow: attempt, then failed or productive. Unanswered attempts are judged when
 * `answerTimeoutMs` of packet time is over; they wait in a ring in the order they began.
 */
export class FlowWatch {
  /** Attempts judged before their time because the ring was full. */
  judgedEarly = 0;
  /** When the oldest waiting attempt is to be judged; infinite without one. */
  nextDueUs = Infinity;
  /** State bits; the technique from bit 8 on. */
  private state = new Uint16Array(0);
  private readonly ringSlot: Int32Array;
  private readonly ringId: Float64Array;
  private readonly ringDueUs: Float64Array;
  private readonly waitUs: number;
  private readonly sink: FlowWatchSink;
  private head = 0;
  private size = 0;
  private readonly at = newMoment();

  constructor(options: { answerTimeoutMs: number; maxPending: number }, sink: FlowWatchSink) {
    this.waitUs = options.answerTimeoutMs * 1000;
    this.sink = sink;
    this.ringSlot = new Int32Array(options.maxPending);
    this.ringId = new Float64Array(options.maxPending);
    this.ringDueUs = new Float64Array(options.maxPending);
  }

  onPacket(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction, isNew: boolean): void {
    if (flows.capacity > this.state.length) this.grow(flows.capacity);
    if (isNew) {
      this.open(p, flows, slot, direction);
      return;
    }
    const state = this.state[slot]!;
    if ((state & DONE) === DONE) return;
    if ((state & PROVEN) === 0 && flows.tcpState[slot] === TCP_STATE.ESTABLISHED) {
      this.state[slot]! |= PROVEN;
      this.sink.proven(this.moment(flows, slot, p, direction));
    }
    if ((state & PRODUCTIVE) === 0) this.judge(p, flows, slot, direction);
  }

  onFlowEnd(flows: FlowColumns, slot: number, reason: FlowEndReason, nowUs: number): void {
    if (slot >= this.state.length) return;
    const state = this.state[slot]!;
    if ((state & (PENDING | FAILED | PRODUCTIVE)) !== PENDING || isOneSided(flows, slot)) return;
    this.state[slot]! |= FAILED;
    if ((state & ANSWERED) === 0) this.sink.failed(this.momentOf(flows, slot, nowUs), FAILURE.UNANSWERED);
    else if (reason === 'closed' || reason === 'reset') {
      if (flows.payloadFwd[slot] === 0) this.sink.failed(this.momentOf(flows, slot, nowUs), FAILURE.EMPTY);
    }
  }

  /** Judges the attempts whose time is over. */
  onTime(flows: FlowColumns, nowUs: number): void {
    while (this.nextDueUs <= nowUs) this.judgeHead(flows, this.nextDueUs);
  }

  private open(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): void {
    const technique = techniqueOf(p, direction);
    const proven = p.proto === PROTO.TCP ? 0 : PROVEN;
    if (technique === TECHNIQUE.NONE) {
      this.state[slot] = PRODUCTIVE | proven;
      return;
    }
    this.state[slot] = PENDING | proven | (technique << TECHNIQUE_SHIFT);
    if (this.size === this.ringSlot.length) {
      this.judgedEarly++;
      this.judgeHead(flows, p.tsUs);
    }
    const i = this.wrapped(this.head + this.size);
    this.ringSlot[i] = slot;
    this.ringId[i] = flows.flowId[slot]!;
    this.ringDueUs[i] = p.tsUs + this.waitUs;
    if (this.size === 0) this.nextDueUs = this.ringDueUs[i]!;
    this.size++;
  }

  private judge(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): void {
    if (p.proto !== PROTO.TCP) {
      if (direction === 1) {
        this.state[slot]! |= ANSWERED | PRODUCTIVE;
        this.sink.productive(this.moment(flows, slot, p, direction));
      }
      return;
    }
    const isReset = (p.tcpFlags & TCP.RST) !== 0;
    if (direction === 1 && !isReset) this.state[slot]! |= ANSWERED;
    const state = this.state[slot]!;
    // Anything but RST in answer to a probe that is no SYN: the middle of a connection, not a scan.
    const midstream = state >> TECHNIQUE_SHIFT !== TECHNIQUE.SYN && (state & ANSWERED) !== 0;
    if (midstream || (flows.payloadFwd[slot]! > 0 && flows.payloadBwd[slot]! > 0)) {
      this.state[slot]! |= PRODUCTIVE;
      this.sink.productive(this.moment(flows, slot, p, direction));
    } else if (isReset && (state & FAILED) === 0 && flows.payloadFwd[slot] === 0) {
      this.state[slot]! |= FAILED;
      this.sink.failed(this.moment(flows, slot, p, direction), this.resetFailure(state, direction));
    }
  }

  /** A RST ends the attempt: refused, or given up by the source before or after the handshake. */
  private resetFailure(state: number, direction: Direction): number {
    if (direction === 1 && (state & ANSWERED) === 0) return FAILURE.REFUSED;
    return (state & PROVEN) === 0 ? FAILURE.HALF_OPEN : FAILURE.EMPTY;
  }

  /** A place of the ring, for one that lies at most one round further. */
  private wrapped(i: number): number {
    return i < this.ringSlot.length ? i : i - this.ringSlot.length;
  }

  private judgeHead(flows: FlowColumns, nowUs: number): void {
    const slot = this.ringSlot[this.head]!;
    const id = this.ringId[this.head]!;
    this.head = this.wrapped(this.head + 1);
    this.size--;
    this.nextDueUs = this.size === 0 ? Infinity : this.ringDueUs[this.head]!;
    const state = this.state[slot]!;
    if ((state & (PENDING | FAILED | PRODUCTIVE)) !== PENDING) return;
    // The slot may have gone to another flow.
    if (flows.flowId[slot] !== id || isOneSided(flows, slot)) return;
    const answered = (state & ANSWERED) !== 0;
    if (answered && flows.tcpState[slot] !== TCP_STATE.SYN_RECEIVED) return;
    this.state[slot]! |= FAILED;
    this.sink.failed(this.momentOf(flows, slot, nowUs), answered ? FAILURE.HALF_OPEN : FAILURE.UNANSWERED);
  }

  private moment(flows: FlowColumns, slot: number, p: DecodedPacket, direction: Direction): FlowMoment {
    setByPacket(this.at, p, flows, slot, direction);
    this.at.technique = this.state[slot]! >> TECHNIQUE_SHIFT;
    return this.at;
  }

  private momentOf(flows: FlowColumns, slot: number, nowUs: number): FlowMoment {
    setByTime(this.at, flows, slot, nowUs);
    this.at.technique = this.state[slot]! >> TECHNIQUE_SHIFT;
    return this.at;
  }

  private grow(capacity: number): void {
    const state = new Uint16Array(capacity);
    state.set(this.state);
    this.state = state;
  }
}

/** The source goes on as if it had been answered: the other direction takes a road that we do not see. */
function isOneSided(flows: FlowColumns, slot: number): boolean {
  return flows.proto[slot] === PROTO.TCP && flows.packetsBwd[slot] === 0 && flows.payloadFwd[slot]! > 0;
}
