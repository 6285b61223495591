import type { StreamSink } from '../../domain/app-layer.js';
import type { Detection } from '../../domain/detection.js';
import { TCP_STATE, type Direction, type FlowColumns } from '../../domain/flow.js';
import { PROTO, type DecodedPacket } from '../../domain/packet.js';
import { createDecodeEvents } from './decode-events.js';
import { toDetection } from './detection.js';
import { ANY_PROTO, groupRules, type PatternGroup } from './groups.js';
import { headerMatches, isSuppressed, packetMatches } from './header.js';
import { Candidates } from './match/candidates.js';
import { guardTimeouts } from './match/guard.js';
import { Inspector } from './match/inspect.js';
import { headerBytes } from './packet-buffers.js';
import type { Rule } from './rule.js';
import { FlowState, Scene, type PacketContent } from './scene.js';
import { applyBits, applyInts, createHostBits, testBits, testInts } from './state/bits.js';
import { StreamWindow } from './state/stream-window.js';
import { createThresholds } from './state/thresholds.js';
import { TransactionInspector, type Place } from './transactions.js';

export interface EngineDeps {
  emit(detection: Detection): void;
  sensor: string;
}

export interface EngineLimits {
  maxAlertsPerPacket: number;
  maxThresholdEntries: number;
  maxHostBits: number;
}

interface Alert {
  rule: Rule;
  place: Place | undefined;
  direction: Direction;
}

/**
 * Evaluates rules for each packet: headers and payload, then new bytes of the stream, then transactions. The caller feeds
 * the flow's stream and parser first, so that a packet is judged with what it completed.
 */
export class SignatureEngine {
  #rules: readonly Rule[];
  #groups;
  #transactions: TransactionInspector;
  readonly #deps: EngineDeps;
  readonly #limits: EngineLimits;
  readonly #inspector = new Inspector();
  readonly #scene = new Scene();
  readonly #flows = new Map<number, FlowState>();
  readonly #hostBits;
  readonly #thresholds;
  readonly #decodeEvents = createDecodeEvents();
  #wantsDecodeEvents = false;
  readonly #alerts: Alert[] = [];
  #candidates = new Candidates(0);
  #place: Place | undefined;
  readonly #counts = { alerts: 0, suppressed: 0, overflow: 0, evaluated: 0 };

  constructor(rules: readonly Rule[], limits: EngineLimits, deps: EngineDeps) {
    this.#deps = deps;
    this.#limits = limits;
    this.#hostBits = createHostBits(limits.maxHostBits);
    this.#thresholds = createThresholds(limits.maxThresholdEntries);
    this.#rules = rules;
    this.#wantsDecodeEvents = rules.some((r) => r.decodeEvents.length > 0);
    this.#groups = groupRules(rules);
    this.#candidates = new Candidates(rules.length);
    this.#transactions = this.#newTransactions();
  }

  /** Swaps the rules; flows keep their bits and streams, what waited for old rules is forgotten. */
  setRules(rules: readonly Rule[]): void {
    this.#rules = rules;
    this.#wantsDecodeEvents = rules.some((r) => r.decodeEvents.length > 0);
    this.#groups = groupRules(rules);
    this.#candidates = new Candidates(rules.length);
    this.#transactions = this.#newTransactions();
    for (const state of this.#flows.values()) {
      state.transactions.clear();
      for (const stream of state.streams) {
        stream?.pending.clear();
        stream?.matched.clear();
      }
    }
  }

  get ruleCount(): number {
    return this.#rules.length;
  }

  /** Takes the stream of a flow; to be fed before `onPacket`. */
  sinkFor(slot: number): StreamSink {
    const windowOf = (direction: Direction): StreamWindow => {
      const state = this.#stateOf(slot);
      return (state.streams[direction] ??= new StreamWindow());
    };
    return {
      onData: (direction, data, offset, length, position) => {
        windowOf(direction).add(data, offset, length, position);
      },
      onGap: (direction, length, position) => {
        const window = windowOf(direction);
        window.restart(position + length);
        window.fresh = true;
      },
      onEnd: (direction) => {
        const window = windowOf(direction);
        window.ended = true;
        window.fresh = true;
      },
    };
  }

  onPacket(
    packet: DecodedPacket,
    flows: FlowColumns,
    slot: number,
    direction: Direction,
    content: PacketContent,
  ): void {
    if (packet.ipVersion === 0) return;
    const scene = this.#scene;
    scene.packet = packet;
    scene.flows = flows;
    scene.slot = slot;
    scene.packetDirection = direction;
    scene.nowUs = packet.tsUs;
    scene.ended = false;
    scene.app = content.app;
    scene.events = content.events;
    scene.decodeEvents = this.#wantsDecodeEvents ? this.#decodeEvents.of(packet) : [];
    scene.content = content;
    scene.state = slot < 0 ? undefined : this.#stateOf(slot);
    scene.turn(direction);
    this.#packetRules(scene);
    if (scene.state && !scene.state.passed) this.#flowRules(scene, direction);
    this.#raise(scene);
  }

  /** Looks a last time at what was waiting for more. */
  onFlowEnd(flows: FlowColumns, slot: number, nowUs: number, content: PacketContent): void {
    const state = this.#flows.get(slot);
    if (!state) return;
    const scene = this.#scene;
    scene.packet = undefined;
    scene.flows = flows;
    scene.slot = slot;
    scene.nowUs = nowUs;
    scene.ended = true;
    scene.app = content.app;
    scene.events = [];
    scene.content = content;
    scene.state = state;
    if (!state.passed) {
      for (const direction of [0, 1] as const) {
        scene.turn(direction);
        const stream = state.streams[direction];
        if (stream) {
          stream.ended = true;
          this.#streamRules(scene, stream);
        }
        this.#transactions.inspect(scene);
      }
      this.#raise(scene);
    }
    this.#flows.delete(slot);
  }

  stats(): Record<string, number> {
    return {
      signature_rules: this.#rules.length,
      signature_flows: this.#flows.size,
      signature_alerts: this.#counts.alerts,
      signature_alerts_suppressed: this.#counts.suppressed,
      signature_alerts_overflow: this.#counts.overflow,
      signature_rules_evaluated: this.#counts.evaluated,
      signature_threshold_entries: this.#thresholds.size,
      signature_host_bits: this.#hostBits.size,
      signature_pcre_timeouts: guardTimeouts(),
    };
  }

  #newTransactions(): TransactionInspector {
    return new TransactionInspector({
      rules: this.#rules,
      groups: this.#groups,
      inspector: this.#inspector,
      stateMatches: (rule) => this.#stateMatches(rule),
      payloadMatches: (rule) => this.#payloadMatches(rule),
      matched: (rule, place) => this.#match(rule, place),
    });
  }

  #stateOf(slot: number): FlowState {
    let state = this.#flows.get(slot);
    if (!state) this.#flows.set(slot, (state = new FlowState()));
    return state;
  }

  #packetRules(scene: Scene): void {
    const candidates = this.#candidates;
    candidates.clear();
    const packet = scene.packet!;
    this.#addAlways(this.#groups.header.get(packet.proto), scene);
    this.#addAlways(this.#groups.header.get(ANY_PROTO), scene);
    const group = this.#groups.packet.get(packet.proto) ?? this.#groups.packet.get(ANY_PROTO);
    if (group && packet.payloadLen > 0 && scene.content!.isValid) {
      this.#collect(
        group,
        packet.data,
        packet.payloadOffset,
        packet.payloadOffset + packet.payloadLen,
        packet.payloadOffset,
        packet.payloadOffset,
      );
    }
    // Without a stream its rules see single packets: connections picked up midway that are not followed.
    if (this.#isLoose(scene) && packet.payloadLen > 0 && scene.content!.isValid) {
      const from = packet.payloadOffset;
      this.#collect(this.#groups.stream[scene.side], packet.data, from, from + packet.payloadLen, from, from);
    }
    this.#protocolRules(scene);
    if (candidates.size === 0) return;
    const payload = packet.data.subarray(packet.payloadOffset, packet.payloadOffset + packet.payloadLen);
    for (const id of candidates.sorted()) {
      const rule = this.#rules[id]!;
      if (!headerMatches(rule, scene) || !this.#appMatches(rule, scene)) continue;
      this.#counts.evaluated++;
      this.#place = undefined;
      this.#inspector.values.fill(0);
      if (!packetMatches(rule, scene) || !this.#packetBuffers(rule, packet)) continue;
      if (rule.payload.length > 0 && !this.#inspect(rule, payload, 0, 'payload')) continue;
      if (this.#stateMatches(rule)) this.#match(rule, this.#place);
    }
  }

  #isLoose(scene: Scene): boolean {
    if (scene.proto !== PROTO.TCP || !scene.flows) return false;
    return (
      scene.slot < 0 ||
      (scene.flows.tcpState[scene.slot] === TCP_STATE.MIDSTREAM && scene.state!.streams[scene.direction] === undefined)
    );
  }

  /** Rules that ask for nothing but a protocol: once in each direction, when it is known. */
  #protocolRules(scene: Scene): void {
    const { app, state } = scene;
    if (app?.proto === undefined || !state || (state.protocolSeen & (1 << scene.direction)) !== 0) return;
    state.protocolSeen |= 1 << scene.direction;
    this.#addAlways(this.#groups.protocol.get(app.proto), scene);
  }

  #appMatches(rule: Rule, scene: Scene): boolean {
    if (rule.appProtos === undefined) return true;
    return scene.app?.proto !== undefined && rule.appProtos.includes(scene.app.proto);
  }

  #packetBuffers(rule: Rule, packet: DecodedPacket): boolean {
    for (const inspection of rule.buffers) {
      if (inspection.buffer.source !== 'packet') return false;
      let data = headerBytes(inspection.buffer.name, packet);
      if (!data) return false;
      for (const transform of inspection.transforms) data = transform.apply(data);
      if (!this.#inspector.run(inspection.matches, data)) return false;
      this.#remember(inspection.buffer.name, data);
    }
    return true;
  }

  /** @param begin position of the first byte of the payload or stream, also when it is not kept any more. */
  #collect(group: PatternGroup, data: Uint8Array, from: number, to: number, fresh: number, begin: number): void {
    this.#addAlways(group.always, this.#scene);
    if (group.prefilter.patterns > 0) group.prefilter.scan(data, from, to, fresh, this.#hit);
    const end = Math.min(to, begin + group.shallowBytes);
    if (end > fresh) group.shallow.scan(data, Math.max(from, begin), end, fresh, this.#hit);
  }

  readonly #hit = (ids: readonly number[]): void => {
    for (const id of ids) this.#candidates.add(id);
  };

  /** Rules without a pattern, as far as their header fits. */
  #addAlways(ids: readonly number[] | undefined, scene: Scene): void {
    if (ids === undefined) return;
    for (const id of ids) {
      const rule = this.#rules[id]!;
      if (this.#appMatches(rule, scene) && headerMatches(rule, scene)) this.#candidates.add(id);
    }
  }

  #flowRules(scene: Scene, direction: Direction): void {
    const state = scene.state!;
    for (const d of direction === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const stream = state.streams[d];
      const isOwn = d === direction;
      if (!isOwn && !stream?.fresh) continue;
      scene.turn(d);
      if (stream?.fresh) {
        this.#streamRules(scene, stream);
        stream.fresh = false;
        this.#transactions.inspect(scene);
      } else if (scene.proto !== PROTO.TCP) this.#transactions.inspect(scene);
    }
    scene.turn(direction);
  }

  #streamRules(scene: Scene, stream: StreamWindow): void {
    const group = this.#groups.stream[scene.side];
    const candidates = this.#candidates;
    candidates.clear();
    for (const id of stream.pending) candidates.add(id);
    if (stream.length > stream.scanned) {
      const from = Math.max(0, stream.scanned - group.prefilter.longest);
      this.#collect(group, stream.data, from, stream.length, stream.scanned, -stream.start);
      stream.scanned = stream.length;
    }
    if (candidates.size === 0) return;
    for (const id of candidates.sorted()) {
      const rule = this.#rules[id]!;
      if (!headerMatches(rule, scene) || !this.#appMatches(rule, scene)) continue;
      this.#counts.evaluated++;
      this.#inspector.values.fill(0);
      const position = Math.max(stream.start, stream.matched.get(id) ?? 0);
      this.#place = undefined;
      const matches =
        this.#inspect(rule, stream.from(position), position, 'stream', stream.ended) &&
        packetMatches(rule, scene) &&
        this.#stateMatches(rule);
      if (!matches) {
        if (stream.pending.size < 64 && rule.payload.some((m) => m.kind === 'content' && !m.negated))
          stream.pending.add(id);
        continue;
      }
      stream.pending.delete(id);
      stream.matched.set(id, stream.start + stream.length);
      this.#match(rule, this.#place);
    }
  }

  #inspect(rule: Rule, data: Uint8Array, start: number, name: string, atEnd = true): boolean {
    if (!this.#inspector.run(rule.payload, data, start, atEnd || name !== 'stream')) return false;
    this.#remember(name, data);
    return true;
  }

  #remember(buffer: string, data: Uint8Array): void {
    const { offset, length } = this.#inspector.found;
    if (length > 0) this.#place = { buffer, data, offset, length };
  }

  #payloadMatches(rule: Rule): boolean {
    const scene = this.#scene;
    const stream = scene.state?.streams[scene.direction];
    if (stream)
      return this.#inspector.run(rule.payload, stream.data.subarray(0, stream.length), stream.start, stream.ended);
    const p = scene.packet;
    return (
      p !== undefined &&
      this.#inspector.run(rule.payload, p.data.subarray(p.payloadOffset, p.payloadOffset + p.payloadLen))
    );
  }

  #stateMatches(rule: Rule): boolean {
    const scene = this.#scene;
    return testBits(rule.bits, this.#hostBits, scene) && testInts(rule.flowInts, scene.memory);
  }

  #match(rule: Rule, place: Place | undefined): void {
    const scene = this.#scene;
    // A rule for packets and streams sees the same bytes twice when they are delivered at once.
    if (rule.inPacket && rule.inStream && this.#alerts.some((a) => a.rule === rule && a.direction === scene.direction))
      return;
    applyBits(rule.bits, this.#hostBits, scene);
    applyInts(rule.flowInts, scene.memory);
    this.#alerts.push({ rule, place, direction: scene.direction });
  }

  /** Alerts of one packet in the order of their rules, until a `pass` rule or the limit ends them. */
  #raise(scene: Scene): void {
    const alerts = this.#alerts;
    if (alerts.length === 0) return;
    alerts.sort((a, b) => a.rule.index - b.rule.index);
    let kept = 0;
    for (const { rule, place, direction } of alerts) {
      scene.turn(direction);
      if (rule.action === 'pass') {
        if (scene.state) scene.state.passed = true;
        break;
      }
      if (rule.suppress.length > 0 && isSuppressed(rule, scene)) {
        this.#counts.suppressed++;
        continue;
      }
      const flowId = scene.flows && scene.slot >= 0 ? scene.flows.flowId[scene.slot]! : 0;
      const admitted =
        rule.threshold === undefined && rule.detectionFilter === undefined
          ? true
          : this.#thresholds.admit(rule, scene.src(), scene.dst(), flowId, scene.nowUs);
      if (rule.noalert || !admitted) {
        if (!admitted) this.#counts.suppressed++;
        continue;
      }
      if (kept >= this.#limits.maxAlertsPerPacket) {
        this.#counts.overflow++;
        continue;
      }
      kept++;
      this.#counts.alerts++;
      this.#deps.emit(toDetection(rule, scene, place, this.#deps.sensor));
    }
    alerts.length = 0;
  }
}
