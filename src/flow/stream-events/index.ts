import { FWD, type Direction, type FlowColumns, type FlowEndReason } from '../../domain/flow.js';
import { PROTO, TCP, type DecodedPacket } from '../../domain/packet.js';
import type { StreamEvent } from '../../domain/stream-event.js';
import type { ReassemblyInput } from '../reassembly/index.js';
import { reassemblyOptions } from '../reassembly/options.js';
import { CLOSING_STATES } from './closing.js';
import { Connection, STATE, type Side, type State } from './connection.js';
import { isAfter } from './sequence.js';
import { established } from './established.js';
import { none } from './no-session.js';
import { synReceived } from './syn-received.js';
import { synSent } from './syn-sent.js';
import { changesNothing } from './special.js';
import { Step } from './step.js';

/** A connection that ended is over for good after this time, microseconds. */
const FORGOTTEN_US = 60e6;
/** What a window of 0 leaves open, bytes. */
const SOME_WINDOW = 4096;
/** Copies of sent bytes that are kept to compare with, of all connections. */
const MAX_RECENT_BYTES = 64 * 1_048_576;

/** Packets of which these are told are taken all the same. */
const HARMLESS: ReadonlySet<StreamEvent> = new Set([
  'pkt_broken_ack',
  'pkt_retransmission',
  'pkt_spurious_retransmission',
  'rst_with_data',
  'est_ack_zwp_data',
  '3whs_synack_tfo_data_ignored',
  'suspected_rst_inject',
]);

const HANDLERS: Readonly<Partial<Record<State, (t: Step) => void>>> = {
  [STATE.NONE]: none,
  [STATE.SYN_SENT]: synSent,
  [STATE.SYN_RECEIVED]: synReceived,
  [STATE.ESTABLISHED]: established,
  ...CLOSING_STATES,
};

/** Oddities of TCP connections as `stream-event` names them; looked for only when a rule asks. */
export interface StreamEvents {
  /** Of the packet at hand; overwritten by the next one. */
  readonly events: readonly StreamEvent[];
  /** @param told what reassembly told of the packet. */
  onPacket(packet: DecodedPacket, flow: FlowPlace, told: readonly StreamEvent[]): void;
  onFlowEnd(flows: FlowColumns, slot: number, reason: FlowEndReason): void;
  /** Connections followed. */
  readonly size: number;
}

export interface FlowPlace {
  flows: FlowColumns;
  slot: number;
  direction: Direction;
  /** The packet opened the flow. */
  isNew: boolean;
}

export interface StreamEventInput {
  /** As reassembly has them. */
  stream: ReassemblyInput;
  /** Packets wait for their verdict: nothing passes unseen. */
  inline?: boolean;
}

/**
 * Follows each connection through the states of RFC 9293 as Suricata 7 does, to tell where it leaves the path. Flows that
 * had begun before are left alone.
 */
export function createStreamEvents({ stream, inline = false }: StreamEventInput): StreamEvents {
  return new StreamWatch(stream, inline);
}

/** A connection whose flow ended; the packet that ended it may be its own after all. */
interface Ended {
  connection: Connection;
  lastUs: number;
  src: string;
  dst: string;
}

class StreamWatch implements StreamEvents {
  readonly events: readonly StreamEvent[];
  size = 0;
  readonly #step: Step;
  readonly #maxConnections: number;
  readonly #bySlot: (Connection | undefined)[] = [];
  #ended: Ended | undefined;
  #recentBytes = 0;

  constructor(stream: ReassemblyInput, inline: boolean) {
    const { midstream, asyncOneside, overlapPolicy, maxConnections } = reassemblyOptions.parse(stream);
    this.#step = new Step({ midstream, asyncOneside, policy: overlapPolicy, inline });
    this.events = this.#step.events;
    this.#maxConnections = maxConnections;
  }

  onPacket(p: DecodedPacket, flow: FlowPlace, told: readonly StreamEvent[]): void {
    this.#step.events.length = 0;
    if (p.proto !== PROTO.TCP || flow.slot < 0) return;
    const connection = this.#bySlot[flow.slot] ?? (flow.isNew ? this.#open(p, flow) : undefined);
    if (connection === undefined) return;
    const t = this.#step;
    if (connection.state === STATE.NONE && (p.tcpFlags & TCP.SYN) !== 0) {
      // Who sends the SYN is the client, whoever began the flow.
      const isClient = (p.tcpFlags & TCP.ACK) === 0;
      connection.isReversed = (flow.direction === FWD) !== isClient;
    }
    t.read(p, connection, (flow.direction ^ (connection.isReversed ? 1 : 0)) as Direction);
    t.own.hasSent = true;
    if (connection.isOneSided && t.peer.hasSent) connection.isOneSided = false;
    if (!t.has(TCP.ACK) && t.ack !== 0) t.tell('pkt_broken_ack');
    const isTaken = connection.state === STATE.NONE || !(changesNothing(t) || isLongGone(t));
    if (isTaken) dispatch(t);
    watchResets(t);
    if (isTaken) this.#takeData(t, told);
    for (const side of [connection.client, connection.server]) moveBase(side);
  }

  onFlowEnd(flows: FlowColumns, slot: number, reason: FlowEndReason): void {
    const connection = this.#bySlot[slot];
    if (connection === undefined || reason === 'active') return;
    this.#bySlot[slot] = undefined;
    this.size--;
    this.#recentBytes -= connection.client.recent.bytesUsed + connection.server.recent.bytesUsed;
    this.#ended = undefined;
    if (reason !== 'closed' && reason !== 'reset') return;
    this.#ended = {
      connection,
      lastUs: flows.lastUs[slot]!,
      src: endOf(flows.srcAddr, flows.srcPort[slot]!, slot),
      dst: endOf(flows.dstAddr, flows.dstPort[slot]!, slot),
    };
  }

  #open(p: DecodedPacket, { flows, slot }: FlowPlace): Connection | undefined {
    if (this.size >= this.#maxConnections) return undefined;
    const connection = this.#continued(p, flows, slot) ?? new Connection();
    this.#ended = undefined;
    this.#bySlot[slot] = connection;
    this.#recentBytes += connection.client.recent.bytesUsed + connection.server.recent.bytesUsed;
    this.size++;
    return connection;
  }

  /** The connection that this SYN belongs to although the flow table took it for the begin of another. */
  #continued(p: DecodedPacket, flows: FlowColumns, slot: number): Connection | undefined {
    const ended = this.#ended;
    if (ended === undefined || (p.tcpFlags & TCP.SYN) === 0 || p.tsUs - ended.lastUs > FORGOTTEN_US) return undefined;
    const src = endOf(flows.srcAddr, flows.srcPort[slot]!, slot);
    const dst = endOf(flows.dstAddr, flows.dstPort[slot]!, slot);
    const isSame = src === ended.src && dst === ended.dst;
    if (!isSame && (src !== ended.dst || dst !== ended.src)) return undefined;
    const { connection } = ended;
    const { state, client, ignoredData, isReversed } = connection;
    const fromClient = isSame !== isReversed;
    const isOver = state >= STATE.LAST_ACK && !(fromClient && client.first === p.seq);
    const canBegin = (p.tcpFlags & TCP.FIN) === 0;
    if (state === STATE.NONE || (canBegin && (isOver || (fromClient && ignoredData)))) return undefined;
    connection.isReversed = !fromClient;
    return connection;
  }

  /** What reassembly tells counts of packets that the receiver takes. */
  #takeData(t: Step, told: readonly StreamEvent[]): void {
    const { connection } = t;
    if (connection.state < STATE.ESTABLISHED || !t.events.every((event) => HARMLESS.has(event))) return;
    for (const event of told) t.tell(event);
    this.#compare(t);
    if (t.length > 0) t.own.coverage.add(t.dataAt, t.end);
    // The FIN counts as a byte.
    const isEnding = connection.state >= STATE.FIN_WAIT1 ? 1 : 0;
    if (!t.peer.coverage.passesHole((t.peer.acked - isEnding) >>> 0)) return;
    connection.isLossy = true;
    t.tell('reassembly_seq_gap');
  }

  /** A second copy of bytes with another content. */
  #compare({ own, packet, dataAt, length, events }: Step): void {
    if (length === 0 || events.includes(DIFFERENT)) return;
    const { recent } = own;
    const before = recent.bytesUsed;
    if (before === 0 && this.#recentBytes >= MAX_RECENT_BYTES) return;
    if (recent.differs(packet!.data, packet!.payloadOffset, length, dataAt)) this.#step.tell(DIFFERENT);
    this.#recentBytes += recent.bytesUsed - before;
  }
}

const DIFFERENT = 'reassembly_overlap_different_data';

function endOf(addresses: Uint32Array, port: number, slot: number): string {
  return `${addresses.subarray(4 * slot, 4 * slot + 4).join(':')}/${port}`;
}

function dispatch(t: Step): void {
  const { connection } = t;
  if (connection.state !== STATE.CLOSED) {
    HANDLERS[connection.state]?.(t);
    return;
  }
  // The other end may never have taken the reset: then its connection goes on.
  if (t.has(TCP.RST) || t.own.wasReset || !t.peer.wasReset) return;
  HANDLERS[connection.previousState]?.(t);
  if (connection.state === STATE.CLOSED) connection.state = connection.previousState;
}

/** Tells segments of which everything was acknowledged. @returns true when nobody keeps those bytes any more. */
function isLongGone(t: Step): boolean {
  if (t.length === 0) return false;
  const isBeforeBase = !isAfter(t.end, t.own.base);
  if (isBeforeBase || !isAfter(t.end, t.own.acked)) t.tell('pkt_spurious_retransmission');
  return isBeforeBase;
}

/** Who goes on after a reset has not sent it. */
function watchResets(t: Step): void {
  if (t.has(TCP.RST) || !t.peer.wasReset) return;
  t.peer.wasReset = false;
  t.tell('suspected_rst_inject');
}

function moveBase(side: Side): void {
  // Nothing was acknowledged yet: no number, which would lie after half of all others.
  if (side.acked === 0) return;
  const base = (side.acked - (side.window === 0 ? SOME_WINDOW : side.window)) >>> 0;
  if (isAfter(base, side.base)) side.base = base;
}
