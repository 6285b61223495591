import type { Detection } from '../../domain/detection.js';
import type { Direction, FlowColumns } from '../../domain/flow.js';
import { TCP, type DecodedPacket } from '../../domain/packet.js';
import { toDetection } from './detection.js';
import { isSuppressed } from './header.js';
import type { CapturedText } from './match/inspect.js';
import type { Rule } from './rule.js';
import type { Scene } from './scene.js';
import { applyBits, applyInts, createHostBits, testBits, testInts } from './state/bits.js';
import { CapturedTexts } from './state/captures.js';
import type { StreamWindow } from './state/stream-window.js';
import { Tags } from './state/tags.js';
import { createThresholds, type Admission } from './state/thresholds.js';
import type { Place } from './transactions.js';

export interface AlertLimits {
  maxAlertsPerPacket: number;
  maxThresholdEntries: number;
  maxHostBits: number;
  /** Packets wait for their verdict: packet and stream are looked at together, and give one alert. */
  inline?: boolean;
}

export interface AlertDeps {
  emit(detection: Detection): void;
  sensor: string;
  /**
   * A rule matched and its alert was held back by a limit: raised often enough, or too many for one packet. What the rule
   * asks for beyond an alert is asked for all the same.
   */
  emitQuietly?(detection: Detection): void;
  /** A packet that a `tag` wants recorded: those that follow the alert of its rule. */
  onTagged?(packet: DecodedPacket, scene: TaggedPlace, rule: Rule): void;
  /** Community id of a flow; detections go without one when it is not given. */
  communityId?(flows: FlowColumns, slot: number): string;
}

/** The flow of a tagged packet; slot -1 without. */
export interface TaggedPlace {
  readonly flows: FlowColumns | undefined;
  readonly slot: number;
  src(): string;
  dst(): string;
}

/** A rule that matched, and where. */
export interface Alert {
  rule: Rule;
  place: Place | undefined;
  direction: Direction;
}

/** Rules of one side of a connection that wait for the next packet. */
const MAX_REPEATS = 16;
/** Bytes of a place that are kept until then. */
const MAX_KEPT_BYTES = 4096;

/** The packet's bytes are gone by then. */
function kept(place: Place | undefined): Place | undefined {
  if (place === undefined || place.offset + place.length > MAX_KEPT_BYTES) return undefined;
  return { ...place, data: place.data.slice(0, place.offset + place.length) };
}

/** Streams of these are looked at with each of their messages. */
const BY_MESSAGES = new Set<string | undefined>(['http', 'http2', 'tls']);
/** Others when so many bytes have come, or when a side ends. */
const PIECE_BYTES = 2560;

function isLookedAt(stream: StreamWindow, { app, flows, slot, ended }: Scene): boolean {
  if (ended || flows === undefined || BY_MESSAGES.has(app?.proto)) return true;
  if (((flows.tcpFlagsFwd[slot]! | flows.tcpFlagsBwd[slot]!) & (TCP.FIN | TCP.RST)) !== 0) return true;
  return Math.floor(stream.total / PIECE_BYTES) > Math.floor(stream.repeatsFrom / PIECE_BYTES);
}

/** Once for each piece of the stream, however many packets matched in it. */
function addLater(alert: Alert, stream: StreamWindow | undefined): void {
  if (stream === undefined) return;
  if (stream.repeats === undefined) {
    stream.repeats = [alert];
    stream.repeatsFrom = stream.total;
  } else if (stream.repeats.length < MAX_REPEATS && !stream.repeats.some((a) => a.rule === alert.rule))
    stream.repeats.push(alert);
}

/** Rules that matched one packet: their bits, thresholds and suppressions, then detections in the order of the rules. */
export class Alerts {
  readonly #deps: AlertDeps;
  readonly #limit: number;
  readonly #inline: boolean;
  readonly #hostBits;
  readonly #thresholds;
  readonly #tags = new Tags();
  readonly #pending: Alert[] = [];
  readonly #counts = { alerts: 0, suppressed: 0, overflow: 0 };

  readonly #captured: readonly CapturedText[];

  /** @param captured what the rule being looked at has captured, kept up to date by its inspector. */
  constructor(limits: AlertLimits, deps: AlertDeps, captured: readonly CapturedText[]) {
    this.#deps = deps;
    this.#captured = captured;
    this.#limit = limits.maxAlertsPerPacket;
    this.#inline = limits.inline ?? false;
    this.#hostBits = createHostBits(limits.maxHostBits);
    this.#thresholds = createThresholds(limits.maxThresholdEntries);
  }

  stats(): Record<string, number> {
    return {
      signature_alerts: this.#counts.alerts,
      signature_alerts_suppressed: this.#counts.suppressed,
      signature_alerts_overflow: this.#counts.overflow,
      signature_threshold_entries: this.#thresholds.size,
      signature_threshold_evicted: this.#thresholds.evicted,
      signature_host_bits: this.#hostBits.size,
      signature_tagged_packets: this.#tags.packets,
      signature_tags_refused: this.#tags.refused,
    };
  }

  /** Bits and numbers of the flow and hosts are as the rule wants them. */
  stateMatches(rule: Rule, scene: Scene): boolean {
    for (const test of rule.captureTests) {
      const texts = test.scope === 'flow' ? scene.state?.captured : scene.captured;
      if (texts?.matches(test) !== true) return false;
    }
    if (rule.bits.length === 0 && rule.flowInts.length === 0) return true;
    return testBits(rule.bits, this.#hostBits, scene) && testInts(rule.flowInts, scene.memory);
  }

  add(rule: Rule, place: Place | undefined, scene: Scene): void {
    if (rule.inPacket && rule.inStream && this.#isRepeat(rule, place, scene)) return;
    this.#tell(rule, place, scene);
  }

  #tell(rule: Rule, place: Place | undefined, scene: Scene): void {
    if (rule.bits.length > 0) applyBits(rule.bits, this.#hostBits, scene);
    if (rule.flowInts.length > 0) applyInts(rule.flowInts, scene.memory);
    if (rule.hasCaptures) this.#keepCaptured(scene);
    this.#pending.push({ rule, place, direction: scene.direction });
  }

  #keepCaptured(scene: Scene): void {
    for (const { capture, text } of this.#captured) {
      if (capture.scope === 'packet') scene.captured.set(capture.name, text);
      else {
        const state = scene.ensureState();
        if (state !== undefined) (state.captured ??= new CapturedTexts()).set(capture.name, text);
      }
    }
  }

  /** What the stream repeats of packets that came before. */
  addRepeats(scene: Scene): void {
    const { state } = scene;
    const stream = state?.streams[scene.direction];
    if (stream?.repeats === undefined || !isLookedAt(stream, scene)) return;
    const { repeats } = stream;
    stream.repeats = undefined;
    for (const { rule, place } of repeats) if (this.stateMatches(rule, scene)) this.#tell(rule, place, scene);
  }

  /**
   * A rule about packets and streams has matched a packet, and matches the same bytes in the stream. As in Suricata, which
   * sees them there when it has a piece of it, that is another alert, with a later packet of this side.
   * @returns true when the match is not told now.
   */
  #isRepeat(rule: Rule, place: Place | undefined, scene: Scene): boolean {
    const state = scene.ensureState();
    if (state === undefined) return false;
    const { direction } = scene;
    const told = (state.told[direction] ??= new Set());
    if (place?.buffer !== 'stream') {
      if (told.size < MAX_REPEATS) told.add(rule);
      return false;
    }
    if (!told.delete(rule)) return false;
    if (!this.#inline && !state.isCopy) addLater({ rule, place: kept(place), direction }, state.streams[direction]);
    return true;
  }

  /** Packets are recorded because an alert before them asked for that. */
  get isRecording(): boolean {
    return this.#tags.size > 0;
  }

  /** Hands on the packet at hand when an alert before it asked for that. */
  record(scene: Scene): void {
    if (!this.isRecording || scene.packet === undefined) return;
    const rule = this.#tags.take(scene);
    if (rule !== undefined) this.#deps.onTagged?.(scene.packet, scene, rule);
  }

  forget(slot: number): void {
    this.#tags.forget(slot);
  }

  /** Alerts of one packet, until a `pass` rule or the limit ends them. */
  raise(scene: Scene): void {
    const pending = this.#pending;
    if (pending.length === 0) return;
    if (pending.length > 1) pending.sort((a, b) => a.rule.index - b.rule.index);
    let kept = 0;
    for (const { rule, place, direction } of pending) {
      scene.turn(direction);
      if (rule.action === 'pass') {
        const state = scene.ensureState();
        if (state) state.passed = true;
        break;
      }
      if (rule.bypass) {
        const state = scene.ensureState();
        if (state) state.passed = state.isExempt = true;
      }
      const wanted = this.#isWanted(rule, scene);
      if (wanted === 'no' || rule.noalert) continue;
      if (wanted === 'raise' && kept >= this.#limit) this.#counts.overflow++;
      const isQuiet = wanted === 'quiet' || kept >= this.#limit;
      if (isQuiet && this.#deps.emitQuietly === undefined) continue;
      if (!isQuiet) {
        kept++;
        this.#counts.alerts++;
        if (rule.tags.length > 0) this.#tags.mark(rule, scene);
      }
      const action = rule.rateFilter === undefined ? rule.action : this.#actionOf(rule, scene);
      if (action === 'pass') continue;
      const { sensor } = this.#deps;
      if (isQuiet) {
        this.#deps.emitQuietly?.(toDetection(rule, scene, place, { sensor, action }));
        continue;
      }
      const { flows, slot } = scene;
      const communityId = flows && slot >= 0 ? this.#deps.communityId?.(flows, slot) : undefined;
      this.#deps.emit({
        ...toDetection(rule, scene, place, { sensor, action }),
        ...(communityId === undefined ? {} : { communityId }),
      });
    }
    pending.length = 0;
  }

  /** no: suppressed, or not often enough; quiet: a limit holds the alert back. */
  #isWanted(rule: Rule, scene: Scene): 'raise' | 'quiet' | 'no' {
    const admission =
      rule.suppress.length > 0 && isSuppressed(rule, scene)
        ? 'before'
        : rule.threshold !== undefined || rule.detectionFilter !== undefined
          ? this.#admission(rule, scene)
          : 'raise';
    if (admission === 'raise') return 'raise';
    this.#counts.suppressed++;
    return admission === 'after' ? 'quiet' : 'no';
  }

  #actionOf(rule: Rule, scene: Scene): string {
    const flowId = scene.flows && scene.slot >= 0 ? scene.flows.flowId[scene.slot]! : 0;
    return this.#thresholds.actionOf(rule, scene.src(), scene.dst(), flowId, scene.nowUs);
  }

  #admission(rule: Rule, scene: Scene): Admission {
    const flowId = scene.flows && scene.slot >= 0 ? scene.flows.flowId[scene.slot]! : 0;
    return this.#thresholds.admit(rule, scene.src(), scene.dst(), flowId, scene.nowUs);
  }
}
