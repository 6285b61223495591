import { PROTO } from '../../../domain/packet.js';
import type { Alerts } from '../alerts.js';
import { headerMatches, packetMatches } from '../header.js';
import type { Inspector } from '../match/inspect.js';
import type { BufferInspection, Rule } from '../rule.js';
import type { Scene } from '../scene.js';
import type { StreamWindow } from '../state/stream-window.js';
import type { Place } from '../transactions.js';
import { splitterOf } from './index.js';
import { FlowFrames, FrameTracker, type Frame } from './tracker.js';

interface FrameRulesDeps {
  rules: readonly Rule[];
  inspector: Inspector;
  alerts: Alerts;
}

/** Rules about frames: parts of a protocol's messages, as they lie in the stream or the datagram. */
export class FrameRules {
  readonly #deps: FrameRulesDeps;
  readonly #byProto = new Map<string, Rule[]>();

  constructor(deps: FrameRulesDeps) {
    this.#deps = deps;
    for (const rule of deps.rules) {
      if (rule.kind !== 'frame') continue;
      for (const proto of rule.appProtos ?? []) {
        const others = this.#byProto.get(proto);
        if (others === undefined) this.#byProto.set(proto, [rule]);
        else others.push(rule);
      }
    }
  }

  /** Looks at what came to a stream. */
  inspectStream(scene: Scene, stream: StreamWindow): void {
    const rules = this.#rulesOf(scene);
    const state = scene.state;
    if (rules === undefined || state === undefined) return;
    const proto = scene.app!.proto!;
    const { direction, side } = scene;
    const frames = (state.frames ??= new FlowFrames());
    const tracker = frames.of(direction, proto);
    tracker.follow(splitterOf(proto, 'tcp'), stream, side, frames.known);
    const newest = stream.start + stream.length;
    for (const frame of tracker.frames) {
      if (frame.begin >= newest) continue;
      const bytes = stream.from(frame.begin);
      const isWhole = frame.end >= 0 ? frame.end <= newest : stream.ended;
      const data = frame.end >= 0 && frame.end < newest ? bytes.subarray(0, Math.max(0, frame.end - Math.max(frame.begin, stream.start))) : bytes; // prettier-ignore
      this.#inspect(scene, rules, { tracker, frame, data, start: Math.max(0, stream.start - frame.begin), isWhole });
    }
    tracker.forget(newest);
  }

  /** Looks at a datagram. */
  inspectDatagram(scene: Scene): void {
    const { packet } = scene;
    const rules = this.#rulesOf(scene);
    if (rules === undefined || packet === undefined || packet.proto !== PROTO.UDP || packet.isFragment) return;
    const data = packet.data.subarray(packet.payloadOffset, packet.payloadOffset + packet.payloadLen);
    const proto = scene.app!.proto!;
    const tracker = new FrameTracker(proto);
    const state = scene.ensureState();
    if (state === undefined) return;
    const { known } = (state.frames ??= new FlowFrames());
    const split = splitterOf(proto, 'udp')?.(data, scene.side, known);
    for (const [type, begin, end] of split?.parts ?? []) {
      const frame: Frame = { type, begin, end, matched: undefined };
      this.#inspect(scene, rules, { tracker, frame, data: data.subarray(begin, end), start: 0, isWhole: true });
    }
  }

  #rulesOf({ app }: Scene): readonly Rule[] | undefined {
    return this.#byProto.size === 0 || app?.proto === undefined ? undefined : this.#byProto.get(app.proto);
  }

  #inspect(
    scene: Scene,
    rules: readonly Rule[],
    found: { tracker: FrameTracker; frame: Frame; data: Uint8Array; start: number; isWhole: boolean },
  ): void {
    const { tracker, frame } = found;
    for (const rule of rules) {
      if (frame.matched?.has(rule.index) === true) continue;
      const inspections = rule.buffers.filter((b) => b.buffer.frame === frame.type);
      if (inspections.length === 0 || !headerMatches(rule, scene)) continue;
      this.#deps.inspector.begin();
      const place = this.#matches(inspections, found);
      if (place === undefined || !packetMatches(rule, scene) || !this.#deps.alerts.stateMatches(rule, scene)) continue;
      (frame.matched ??= new Set()).add(rule.index);
      if (!tracker.completes(rule, frame.type)) continue;
      this.#deps.alerts.add(rule, place, scene);
    }
  }

  #matches(
    inspections: readonly BufferInspection[],
    { data, start, isWhole }: { data: Uint8Array; start: number; isWhole: boolean },
  ): Place | undefined {
    const { inspector } = this.#deps;
    let place: Place | undefined;
    for (const { buffer, transforms, matches } of inspections) {
      let bytes = data;
      for (const transform of transforms) bytes = transform.apply(bytes);
      if (!inspector.run(matches, bytes, start, isWhole)) return undefined;
      place = { buffer: buffer.name, data: bytes, ...inspector.found };
    }
    return place;
  }
}
