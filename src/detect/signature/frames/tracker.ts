import type { Direction } from '../../../domain/flow.js';
import type { Rule } from '../rule.js';
import type { StreamWindow } from '../state/stream-window.js';
import { STREAM_FRAME } from './index.js';
import type { FlowKnowledge, Splitter } from './split.js';

/** A part of what one side sends that rules look into. */
export interface Frame {
  type: string;
  /** Position in the stream. */
  begin: number;
  /** -1 while nobody knows, and for good when it lasts to the end of the stream. */
  end: number;
  /** Rules that have matched it. */
  matched: Set<number> | undefined;
}

/** Frames that wait for their bytes, of one side. */
const MAX_FRAMES = 64;
/** Messages that are told apart in one go. */
const MAX_MESSAGES = 256;

/** Frames of both directions of a flow. */
export class FlowFrames {
  readonly known: FlowKnowledge = { nfsVersion: 0 };
  readonly #trackers: [FrameTracker | undefined, FrameTracker | undefined] = [undefined, undefined];

  /** The tracker of one direction; another protocol begins anew. */
  of(direction: Direction, proto: string): FrameTracker {
    const known = this.#trackers[direction];
    return known?.proto === proto ? known : (this.#trackers[direction] = new FrameTracker(proto));
  }
}

/** Follows the messages of one side of a connection. */
export class FrameTracker {
  readonly proto: string;
  #frames: Frame[] = [{ type: STREAM_FRAME, begin: 0, end: -1, matched: undefined }];
  /** Where the next message begins; Infinity when that cannot be told any more. */
  #next = 0;
  /** Of rules about several kinds of frames: the kinds that have matched. */
  readonly #matched = new Map<number, Set<string>>();

  constructor(proto: string) {
    this.proto = proto;
  }

  get frames(): readonly Frame[] {
    return this.#frames;
  }

  /** Takes in what has come. */
  follow(splitter: Splitter | undefined, stream: StreamWindow, side: Direction, known: FlowKnowledge): void {
    if (splitter === undefined) return;
    const newest = stream.start + stream.length;
    for (let n = 0; n < MAX_MESSAGES && this.#next < newest; n++) {
      // Bytes were lost, or are not kept any more: where messages begin is not known.
      if (this.#next < stream.start) this.#next = Infinity;
      if (this.#next === Infinity) return;
      const begin = this.#next;
      const split = splitter(stream.from(begin), side, known);
      if (split === undefined) return;
      for (const [type, from, to] of split.parts) this.#add(type, begin + from, to < 0 ? -1 : begin + to);
      if (split.length === undefined) return;
      this.#next = split.length > 0 ? begin + split.length : Infinity;
    }
  }

  /** Of a rule about several kinds of frames, one has matched: whether all have now. */
  completes(rule: Rule, type: string): boolean {
    const kinds = new Set(rule.buffers.map((b) => b.buffer.frame));
    if (kinds.size === 1) return true;
    let matched = this.#matched.get(rule.index);
    if (matched === undefined) this.#matched.set(rule.index, (matched = new Set()));
    matched.add(type);
    if (matched.size < kinds.size) return false;
    this.#matched.delete(rule.index);
    return true;
  }

  /** Forgets frames of which all bytes have been looked at. */
  forget(position: number): void {
    this.#frames = this.#frames.filter((frame) => frame.end < 0 || frame.end > position);
  }

  #add(type: string, begin: number, end: number): void {
    const known = this.#frames.find((frame) => frame.type === type && frame.begin === begin);
    if (known !== undefined) known.end = end;
    else if (this.#frames.length < MAX_FRAMES) this.#frames.push({ type, begin, end, matched: undefined });
  }
}
