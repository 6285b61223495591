import type { AppTransaction } from '../../domain/app-layer.js';
import type { Direction, FlowColumns } from '../../domain/flow.js';
import type { DecodedPacket } from '../../domain/packet.js';
import { formatIpWords } from '../../util/ip.js';
import type { FlowFrames } from './frames/tracker.js';
import type { Rule } from './rule.js';
import type { Selection } from './selection.js';
import { FlowMemory, type BitSubject } from './state/bits.js';
import { CapturedTexts } from './state/captures.js';
import type { StreamWindow } from './state/stream-window.js';
import type { TransactionStates } from './transaction-state.js';

/** What the engine needs of a flow's application layer; parsers implement it. */
export interface AppView {
  readonly proto: string | undefined;
  /** The search for a protocol is over, with or without result. */
  readonly isDecided: boolean;
  /** The flow's source is the server. */
  readonly isReversed: boolean;
  /** Both directions are encrypted from here on: payload rules have nothing to find. */
  readonly isEncrypted?: boolean;
  /** What each direction is known to speak, now and before the packet at hand; `failed`: nothing that is known. */
  readonly sides: {
    readonly known: readonly (string | undefined)[];
    readonly settled: readonly (string | undefined)[];
    /** What the flow began with. */
    readonly original: string | undefined;
    /** The packet at hand is the first of its direction behind that. */
    readonly isFirst: boolean;
    /** Anomalies of the connection since the last call, as `app-layer-event` names them. */
    take(): readonly string[];
  };
  readonly transactions: readonly AppTransaction[];
  release(transaction: AppTransaction): void;
}

/** What was learned of a packet before rules look at it; the caller keeps one and overwrites it. */
export interface PacketContent {
  app: AppView | undefined;
  /** Anomalies of the stream, as `stream-event` names them. */
  events: readonly string[];
  /** False when the receiver would ignore the packet. */
  isValid: boolean;
  /** Bytes that a direction has sent by sequence number; -1 when nothing of it was seen. */
  sentBytes(slot: number, direction: Direction): number;
}

const NOTHING = new Uint8Array(0);

/** Everything remembered about one flow; made when there is something to remember. */
export class FlowState {
  readonly streams: [StreamWindow | undefined, StreamWindow | undefined] = [undefined, undefined];
  transactions: TransactionStates | undefined;
  /** Rules for the packets of each direction. */
  readonly selections: [Selection | undefined, Selection | undefined] = [undefined, undefined];
  /** Frames of both directions, once a rule asks for some. */
  frames: FlowFrames | undefined;
  passed = false;
  /** Rules about packets and streams that have matched a packet of each direction, and not yet the stream. */
  readonly told: [Set<Rule> | undefined, Set<Rule> | undefined] = [undefined, undefined];
  /** Repeats an earlier connection: what rules about packets find in it counts once. */
  isCopy = false;
  /** Rules do not look at it, whatever comes. */
  isExempt = false;
  #memory: FlowMemory | undefined;
  /** What patterns have captured of this flow. */
  captured: CapturedTexts | undefined;

  get memory(): FlowMemory {
    return (this.#memory ??= new FlowMemory());
  }
}

/** Number of the fragment header (RFC 8200 section 4.5). */
const IPV6_FRAGMENT = 44;

/** The states of flows by their slot. */
export class FlowStates {
  readonly #bySlot: (FlowState | undefined)[] = [];
  size = 0;

  get(slot: number): FlowState | undefined {
    return slot < 0 ? undefined : this.#bySlot[slot];
  }

  ensure(slot: number): FlowState {
    const known = this.#bySlot[slot];
    if (known !== undefined) return known;
    this.size++;
    return (this.#bySlot[slot] = new FlowState());
  }

  delete(slot: number): void {
    const state = this.#bySlot[slot];
    if (state === undefined) return;
    for (const stream of state.streams) stream?.close();
    this.#bySlot[slot] = undefined;
    this.size--;
  }

  *[Symbol.iterator](): Generator<FlowState> {
    for (const state of this.#bySlot) if (state !== undefined) yield state;
  }
}

/** The packet, or the end of a flow, that rules are evaluated for. */
export class Scene implements BitSubject {
  packet: DecodedPacket | undefined;
  flows: FlowColumns | undefined;
  slot = -1;
  direction: Direction = 0;
  app: AppView | undefined;
  events: readonly string[] = [];
  decodeEvents: readonly string[] = [];
  content: PacketContent | undefined;
  /** The stream that got bytes last, and these bytes. */
  fed: StreamWindow | undefined;
  fedBytes: Uint8Array = NOTHING;
  nowUs = 0;
  ended = false;
  /** What patterns have captured of the packet at hand. */
  readonly captured = new CapturedTexts();
  #src: string | undefined;
  #dst: string | undefined;
  readonly #states: FlowStates;

  constructor(states: FlowStates) {
    this.#states = states;
  }

  /** What is remembered about the flow so far. */
  get state(): FlowState | undefined {
    return this.#states.get(this.slot);
  }

  /** What is remembered about the flow, made when nothing was yet; undefined without a flow. */
  ensureState(): FlowState | undefined {
    return this.slot < 0 ? undefined : this.#states.ensure(this.slot);
  }

  get memory(): FlowMemory | undefined {
    return this.ensureState()?.memory;
  }

  /** Looks the other way, as the packets of the other direction would. */
  turn(direction: Direction): void {
    this.direction = direction;
    this.#src = undefined;
    this.#dst = undefined;
  }

  /** 0: towards the server, also when the flow began with the server's packet. */
  get side(): Direction {
    return this.app?.isReversed ? ((this.direction ^ 1) as Direction) : this.direction;
  }

  /** Direction of the packet itself is known only to the caller of `set`. */
  packetDirection: Direction = 0;

  get isTurned(): boolean {
    return this.packet === undefined || this.direction !== this.packetDirection;
  }

  get proto(): number {
    const { packet } = this;
    if (packet === undefined) return this.flows?.proto[this.slot] ?? 0;
    // What is in a fragment is not known before the packet is whole.
    return packet.isFragment && packet.ipVersion === 6 ? IPV6_FRAGMENT : packet.proto;
  }

  get ipVersion(): number {
    return this.packet?.ipVersion ?? this.flows?.ipVersion[this.slot] ?? 0;
  }

  /** Word of the sender's (`sender`) or receiver's address. */
  word(sender: boolean, index: number): number {
    if (this.packet && !this.flowless && this.isTurned) return this.#flowWord(sender, index);
    const p = this.packet;
    if (!p) return this.#flowWord(sender, index);
    if (sender) return index === 3 ? p.src3 : index === 2 ? p.src2 : index === 1 ? p.src1 : p.src0;
    return index === 3 ? p.dst3 : index === 2 ? p.dst2 : index === 1 ? p.dst1 : p.dst0;
  }

  get flowless(): boolean {
    return this.slot < 0 || !this.flows;
  }

  #flowWord(sender: boolean, index: number): number {
    const flows = this.flows!;
    const column = sender === (this.direction === 0) ? flows.srcAddr : flows.dstAddr;
    return column[4 * this.slot + index]! >>> 0;
  }

  port(sender: boolean): number {
    const p = this.packet;
    if (p && (this.flowless || !this.isTurned)) return sender ? p.srcPort : p.dstPort;
    const flows = this.flows!;
    return (sender === (this.direction === 0) ? flows.srcPort : flows.dstPort)[this.slot]!;
  }

  src = (): string => (this.#src ??= this.#address(true));
  dst = (): string => (this.#dst ??= this.#address(false));

  #address(sender: boolean): string {
    return formatIpWords(
      this.ipVersion,
      this.word(sender, 0) >>> 0,
      this.word(sender, 1) >>> 0,
      this.word(sender, 2) >>> 0,
      this.word(sender, 3) >>> 0,
    );
  }
}
