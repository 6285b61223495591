import type { Direction, FlowColumns, FlowEndReason } from './flow.js';
import type { DecodedPacket } from './packet.js';

/**
 * A stage that watches packets in their flow: features, behaviour detectors, the signature engine. Calls are
 * synchronous and on the packet path: no promise, no allocation a packet, no exception.
 */
export interface PacketObserver {
  /**
   * @param packet reused by the decoder; copy what you keep.
   * @param slot the flow's slot, or -1 for packets without a flow (ARP, other non-IP, a full table).
   * @param isNew the packet opened the flow.
   */
  onPacket(packet: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction, isNew: boolean): void;
  /** The flow ends; its slot is freed after this call. */
  onFlowEnd?(flows: FlowColumns, slot: number, reason: FlowEndReason, nowUs: number): void;
  /** About ten times a second of packet time, and of wall time while live traffic is quiet. */
  onTick?(nowUs: number): void;
  /** Counters for `/metrics` and the console; names are snake_case with a unit. */
  stats(): Record<string, number>;
}
