import type { Direction, FlowColumns } from '../../domain/flow.js';
import { PROTO, type DecodedPacket } from '../../domain/packet.js';
import { Alerts, type AlertDeps, type AlertLimits } from './alerts.js';
import { createDecodeEvents } from './decode-events/index.js';
import { FrameRules } from './frames/frame-rules.js';
import { RuleGroups } from './groups.js';
import { isHeaderless, packetMatches } from './header.js';
import { searchesGivenUp } from './match/guard.js';
import { Inspector } from './match/inspect.js';
import { PayloadRules } from './payload-rules.js';
import { isQuiet } from './quiet-packet.js';
import type { Rule } from './rule.js';
import { finish } from './steps.js';
import { FlowStates, Scene, type FlowState, type PacketContent } from './scene.js';
import { StreamWindow } from './state/stream-window.js';
import { WindowMemory } from './state/window-memory.js';
import { TransactionInspector } from './transactions.js';

export type EngineDeps = AlertDeps;

export interface EngineLimits extends AlertLimits {
  /** Bytes of streams kept for rules, of all connections. */
  maxStreamBytes?: number;
}

/** All that depends on the rules. */
interface Loaded {
  rules: readonly Rule[];
  groups: RuleGroups;
  payload: PayloadRules;
  transactions: TransactionInspector;
  frames: FrameRules;
  wantsDecodeEvents: boolean;
  /** Rules about oddities and nothing else, and about frames: packets without a header of IP meet them, too. */
  headerless: readonly Rule[];
  wantsStreamEvents: boolean;
}

const NO_EVENTS: readonly string[] = [];
const NO_FLOW = -1;
const MAX_STREAM_BYTES = 128 * 1_048_576;

/**
 * Evaluates rules for each packet: headers and payload, then new bytes of the stream, then transactions. The caller feeds
 * the flow's stream and parser first, so that a packet is judged with what it completed.
 */
export class SignatureEngine {
  readonly #inspector = new Inspector();
  readonly #flows = new FlowStates();
  readonly #scene = new Scene(this.#flows);
  readonly #alerts: Alerts;
  readonly #decodeEvents = createDecodeEvents();
  readonly #windowMemory: WindowMemory;
  #loaded: Loaded;
  #evaluatedBefore = 0;

  constructor(rules: readonly Rule[], limits: EngineLimits, deps: EngineDeps) {
    this.#alerts = new Alerts(limits, deps, this.#inspector.captured);
    this.#windowMemory = new WindowMemory(limits.maxStreamBytes ?? MAX_STREAM_BYTES);
    this.#loaded = this.#load(rules);
  }

  /** Swaps the rules; flows keep their bits and streams, what waited for old rules is forgotten. */
  setRules(rules: readonly Rule[]): void {
    this.#swap(this.#load(rules));
  }

  /**
   * The same, letting others work in between: packets meet the old rules until the new ones are ready.
   * @param sliceMs longest time at a stretch, milliseconds, but for one group of rules.
   */
  async setRulesGradually(rules: readonly Rule[], sliceMs = 5): Promise<void> {
    const groups = new RuleGroups(rules);
    let until = performance.now() + sliceMs;
    for (const _ of groups.prepare()) {
      if (performance.now() < until) continue;
      await new Promise((resolve) => setImmediate(resolve));
      until = performance.now() + sliceMs;
    }
    this.#swap(this.#load(rules, groups));
  }

  #swap(loaded: Loaded): void {
    this.#evaluatedBefore += this.#loaded.payload.evaluated;
    this.#loaded = loaded;
    for (const state of this.#flows) {
      state.transactions?.clear();
      for (const told of state.told) told?.clear();
      for (const stream of state.streams) {
        stream?.pending?.clear();
        stream?.matched?.clear();
        // Bytes that the old rules have seen are not searched again: they would alert a second time.
        if (stream) stream.scannedFor = undefined;
      }
    }
  }

  /** Whether a rule asks for `stream-event`: only then the caller needs to look for them. */
  get wantsStreamEvents(): boolean {
    return this.#loaded.wantsStreamEvents;
  }

  get ruleCount(): number {
    return this.#loaded.rules.length;
  }

  /** New bytes of a flow's stream, before `onPacket`. */
  onData(slot: number, direction: Direction, data: Uint8Array, offset: number, length: number, position: number): void {
    const window = this.#windowOf(slot, direction);
    window.add(data, offset, length, position);
    this.#scene.fed = window;
    this.#scene.fedBytes = data;
  }

  onGap(slot: number, direction: Direction, length: number, position: number): void {
    const window = this.#windowOf(slot, direction);
    window.restart(position + length);
    window.fresh = true;
  }

  onEnd(slot: number, direction: Direction): void {
    if (this.#flows.get(slot) === undefined) return;
    const window = this.#windowOf(slot, direction);
    window.ended = true;
    window.fresh = true;
  }

  onPacket(
    packet: DecodedPacket,
    flows: FlowColumns,
    slot: number,
    direction: Direction,
    content: PacketContent,
  ): void {
    const { groups, payload, wantsDecodeEvents, headerless } = this.#loaded;
    if (packet.ipVersion === 0 && headerless.length === 0) return;
    const scene = this.#scene;
    const isWatched = wantsDecodeEvents || this.#alerts.isRecording || scene.captured.size > 0;
    if (!isWatched && isQuiet(packet, direction, content, this.#flows.get(slot), groups)) return;
    scene.packet = packet;
    scene.flows = flows;
    scene.slot = slot;
    scene.packetDirection = direction;
    scene.nowUs = packet.tsUs;
    scene.ended = false;
    scene.app = content.app;
    scene.events = content.events;
    scene.decodeEvents = wantsDecodeEvents ? this.#decodeEvents.of(packet) : NO_EVENTS;
    scene.content = content;
    scene.turn(direction);
    if (scene.captured.size > 0) scene.captured.clear();
    if (packet.ipVersion === 0) {
      this.#inspectHeaderless(scene);
      return;
    }
    this.#alerts.record(scene);
    if (scene.state?.isExempt === true) return;
    this.#alerts.addRepeats(scene);
    payload.inspectPacket(scene);
    if (slot >= 0) this.#inspectFlow(scene, direction);
    scene.fed = undefined;
    this.#alerts.raise(scene);
  }

  /**
   * A packet around the one before: what carries it in a tunnel, or the fragment that completed it. Rules about headers look
   * at it, none at its payload, which is the other packet.
   * @param index its number, from the outermost on.
   */
  onCarrier(packet: DecodedPacket, index: number, content: PacketContent): void {
    if (packet.ipVersion === 0) return;
    const { payload, wantsDecodeEvents } = this.#loaded;
    const scene = this.#scene;
    scene.packet = packet;
    scene.flows = undefined;
    scene.slot = NO_FLOW;
    scene.packetDirection = 0;
    scene.nowUs = packet.tsUs;
    scene.ended = false;
    scene.app = undefined;
    scene.events = NO_EVENTS;
    scene.decodeEvents = wantsDecodeEvents ? this.#decodeEvents.ofCarrier(index) : NO_EVENTS;
    scene.content = content;
    scene.fed = undefined;
    scene.turn(0);
    if (scene.captured.size > 0) scene.captured.clear();
    payload.inspectHeaders(scene);
    this.#alerts.raise(scene);
  }

  /** A packet that is not of IP, or whose header cannot be one, has a frame and oddities only. */
  #inspectHeaderless(scene: Scene): void {
    const { headerless, payload } = this.#loaded;
    for (const rule of headerless)
      if (packetMatches(rule, scene) && payload.headersMatch(rule, scene.packet!))
        this.#alerts.add(rule, undefined, scene);
    this.#alerts.raise(scene);
  }

  /** Rules do not look at this flow, from now to its end. */
  exempt(slot: number): void {
    const state = this.#flows.ensure(slot);
    state.passed = state.isExempt = true;
  }

  /** The connection is a copy of an earlier one. */
  onCopy(slot: number): void {
    this.#flows.ensure(slot).isCopy = true;
  }

  /** Looks a last time at what was waiting for more. */
  onFlowEnd(flows: FlowColumns, slot: number, nowUs: number, content: PacketContent): void {
    const state = this.#flows.get(slot);
    if (!state) {
      this.#alerts.forget(slot);
      return;
    }
    const scene = this.#scene;
    scene.packet = undefined;
    scene.flows = flows;
    scene.slot = slot;
    scene.nowUs = nowUs;
    scene.ended = true;
    scene.app = content.app;
    scene.events = NO_EVENTS;
    scene.decodeEvents = NO_EVENTS;
    scene.content = content;
    if (!state.passed) {
      const { payload, transactions } = this.#loaded;
      for (const direction of [0, 1] as const) {
        scene.turn(direction);
        this.#alerts.addRepeats(scene);
        const stream = state.streams[direction];
        if (stream) {
          stream.ended = true;
          payload.inspectStream(scene, stream);
          this.#loaded.frames.inspectStream(scene, stream);
        }
        transactions.inspect(scene);
      }
      this.#alerts.raise(scene);
    }
    this.#flows.delete(slot);
    this.#alerts.forget(slot);
  }

  stats(): Record<string, number> {
    return {
      signature_rules: this.#loaded.rules.length,
      signature_table_bytes: this.#loaded.groups.tableBytes,
      signature_flows: this.#flows.size,
      signature_stream_bytes: this.#windowMemory.bytesUsed,
      signature_streams_shed: this.#windowMemory.shed,
      ...this.#alerts.stats(),
      signature_rules_evaluated: this.#evaluatedBefore + this.#loaded.payload.evaluated,
      signature_pcre_given_up: searchesGivenUp(),
    };
  }

  #load(rules: readonly Rule[], prepared?: RuleGroups): Loaded {
    const groups = prepared ?? prepare(rules);
    const inspector = this.#inspector;
    const alerts = this.#alerts;
    const scene = this.#scene;
    const payload = new PayloadRules({ rules, groups, inspector, alerts });
    const transactions = new TransactionInspector({
      rules,
      groups,
      inspector,
      stateMatches: (rule) => alerts.stateMatches(rule, scene),
      payloadMatches: (rule) => payload.payloadMatches(rule, scene),
      matched: (rule, place) => alerts.add(rule, place, scene),
    });
    const frames = new FrameRules({ rules, inspector, alerts });
    const wantsDecodeEvents = rules.some((r) => r.decodeEvents.length > 0);
    const wantsStreamEvents = rules.some((r) => r.streamEvents.length > 0);
    const headerless = rules.filter(isHeaderless);
    return { rules, groups, payload, transactions, frames, wantsDecodeEvents, wantsStreamEvents, headerless };
  }

  #windowOf(slot: number, direction: Direction): StreamWindow {
    const state = this.#flows.ensure(slot);
    return (state.streams[direction] ??= new StreamWindow(this.#windowMemory, direction));
  }

  /** New bytes of streams and messages; those of the packet's own direction first. */
  #inspectFlow(scene: Scene, direction: Direction): void {
    const isTcp = scene.proto === PROTO.TCP;
    let state = scene.state;
    if (state?.passed) return;
    if (!isTcp) {
      this.#loaded.transactions.inspect(scene);
      this.#loaded.frames.inspectDatagram(scene);
    }
    state ??= scene.state;
    if (!state) return;
    for (let turn = 0; turn < 2; turn++) {
      const d = (direction ^ turn) as Direction;
      const stream = state.streams[d];
      // Of a side that has ended no bytes come, but what the other side begins is over on this one.
      if (!stream || !(stream.fresh || stream.ended)) continue;
      scene.turn(d);
      if (stream.fresh) {
        this.#loaded.payload.inspectStream(scene, stream);
        this.#loaded.frames.inspectStream(scene, stream);
      }
      stream.fresh = false;
      this.#loaded.transactions.inspect(scene);
    }
    scene.turn(direction);
    this.#closeStreams(scene, state);
  }

  /** Both sides have ended and no rule waits: the flow may stay in its table for long, what was kept of it need not. */
  #closeStreams({ app }: Scene, state: FlowState): void {
    const [fwd, bwd] = state.streams;
    if (fwd?.ended !== true || bwd?.ended !== true || fwd.data.length + bwd.data.length === 0) return;
    if ((app !== undefined && app.transactions.length > 0) || isWaiting(fwd) || isWaiting(bwd)) return;
    fwd.close();
    bwd.close();
    state.transactions = undefined;
  }
}

const isWaiting = (stream: StreamWindow): boolean => stream.pending !== undefined && stream.pending.size > 0;

function prepare(rules: readonly Rule[]): RuleGroups {
  const groups = new RuleGroups(rules);
  finish(groups.prepare());
  return groups;
}
