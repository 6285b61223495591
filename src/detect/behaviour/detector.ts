import type { Direction, FlowColumns, FlowEndReason } from '../../domain/flow.js';
import type { DecodedPacket } from '../../domain/packet.js';

/** Why an attempt counts as failed. */
export const FAILURE = {
  /** No answer in time. */
  UNANSWERED: 0,
  /** Answered by RST. */
  REFUSED: 1,
  /** Answered, then dropped by the source without a byte of its own. */
  EMPTY: 2,
  /** Answered by SYN-ACK, which the source did not acknowledge in time. */
  HALF_OPEN: 3,
} as const;

/** A flow and the moment at which something was decided about it; reused, read it at once. */
export interface FlowMoment {
  flows: FlowColumns;
  slot: number;
  nowUs: number;
  /** Kernel time of the packet that decided: the present one, or the flow's last when time ran out. */
  packetUs: number;
  /** Number of the deciding packet in the capture; 0 when time decided. */
  packetNumber: number;
  /** One of TECHNIQUE. */
  technique: number;
}

/**
 * One behaviour detector. Methods are called on the packet path: no allocation unless something is reported. All
 * optional; a detector sees only what it asks for.
 */
export interface Detector {
  readonly name: string;
  /** A flow began that may be a probe (technique is not NONE). */
  onAttempt?(at: FlowMoment): void;
  /** An attempt came to nothing; once a flow. */
  onFailed?(at: FlowMoment, failure: number): void;
  /** Payload went both ways, or a UDP or ICMP request was answered; once a flow. */
  onProductive?(at: FlowMoment): void;
  /** Every packet of a flow that carries payload, in both directions. */
  onPayload?(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): void;
  /** Every packet that belongs to a flow. */
  onFlowPacket?(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction, isNew: boolean): void;
  /** Packets without a flow: ARP, fragments. */
  onOther?(p: DecodedPacket): void;
  onEnd?(flows: FlowColumns, slot: number, reason: FlowEndReason, nowUs: number): void;
  onTick?(nowUs: number): void;
  stats?(): Record<string, number>;
}
