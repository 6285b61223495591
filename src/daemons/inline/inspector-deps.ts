import type { Detection } from '../../domain/detection.js';
import type { DecodedPacket } from '../../domain/packet.js';
import type { Marks, RawSender } from '../../inline/index.js';
import type { DropBook } from './drop-book.js';
import type { InlineJudge } from './judge.js';

/** What the inspector does with the kernel. */
export interface VerdictSink {
  verdict(id: number, verdict: number, mark: number): void;
  /** A packet will wait longer than this turn. */
  hold(): void;
  /** One of those has its verdict. */
  released(): void;
}

export interface InspectorDeps {
  sink: VerdictSink;
  marks: Marks;
  judge: InlineJudge;
  drops: DropBook;
  /** Without it nothing is reset or rejected. */
  raw: RawSender | undefined;
  /** True when a packet of this source must not pass because of a decision that was just made. */
  isBlocked(p: DecodedPacket): boolean;
  emit(detection: Detection): void;
}
