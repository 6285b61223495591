import type { Direction, FlowColumns, FlowEndReason } from '../../domain/flow.js';
import type { DecodedPacket } from '../../domain/packet.js';
import type { Contacts } from './contacts.js';

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

/** What a detector wants to see of a TCP flow: bits, so that packets of other kinds cost it nothing. */
export const WANTS = {
  NOTHING: 0,
  /** Packets with FIN or RST. */
  END: 1,
  /** Payload of the flow's source. */
  CLIENT: 2,
  /** Payload of its destination. */
  SERVER: 4,
  /** The source's packets without payload, but for SYN, FIN and RST. */
  ACKS: 8,
} as const;
/** Any of the bits of WANTS. */
export type Wanted = number;

export const VOLUME_STEP_BYTES = 1_048_576;

/** Which ends of a flow are inside, as bits. */
export const INSIDE = { SOURCE: 1, DESTINATION: 2 } as const;

/**
 * A flow and the moment at which something was decided about it; reused, read it at once. What several detectors need of it
 * is found once: the hashes of its ends, which of them are inside, and the entry of its source.
 */
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
  /** The deciding packet, undefined when time decided: it names the flow's ends without a look at the flow table. */
  packet: DecodedPacket | undefined;
  /** Direction of the packet. */
  direction: Direction;
  /** Hashes of the addresses of the flow's source and destination; never 0. */
  src: number;
  dst: number;
  /** Bits of INSIDE. */
  inside: number;
  /** Entry of the flow's source, -1 as long as nobody asked {@link Sources.ofMoment}. */
  source: number;
}

/**
 * One behaviour detector. Methods are called on the packet path: no allocation unless something is reported. All
 * optional; a detector sees only what it asks for.
 */
export interface Detector {
  readonly name: string;
  /** An attempt came to nothing; once a flow. */
  onFailed?(at: FlowMoment, failure: number): void;
  /** Payload went both ways, or a UDP or ICMP request was answered; once a flow. */
  onProductive?(at: FlowMoment): void;
  /**
   * A contact of an inside host, or with a host outside; told in batches, at most a tick late.
   * @param sinceMs milliseconds since the same two hosts met at the same service and it ended alike; -1 when that is not remembered.
   */
  onContact?(contacts: Contacts, i: number, sinceMs: number, nowUs: number): void;
  /** Reads what `onContact` will need of the contact. @returns what was read, to be used somehow. */
  readAhead?(contacts: Contacts, i: number, sinceMs: number): number;
  /** A TCP flow begins: what was kept by its slot belongs to another. @returns what it wants to see of the flow. */
  onTcpOpen?(flows: FlowColumns, slot: number): Wanted;
  /**
   * A packet of a TCP flow that the detector wants.
   * @returns what it wants to see of this flow from now on.
   */
  onTcp?(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): Wanted;
  onUdp?(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction, isNew: boolean): void;
  /** ICMP and ICMPv6. */
  onIcmp?(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): void;
  /** The flow's source has sent another {@link VOLUME_STEP_BYTES} of payload. */
  onVolume?(p: DecodedPacket, flows: FlowColumns, slot: number): void;
  /** Packets without a flow: ARP, fragments. */
  onOther?(p: DecodedPacket): void;
  onEnd?(flows: FlowColumns, slot: number, reason: FlowEndReason, nowUs: number): void;
  onTick?(nowUs: number): void;
  stats?(): Record<string, number>;
}
