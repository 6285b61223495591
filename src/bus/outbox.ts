import type { Writable } from 'node:stream';

/** Detections, decisions and answers go before flows and counters. */
export type Lane = 'urgent' | 'bulk';

const BULK_TYPES: ReadonlySet<string> = new Set(['flows', 'stats', 'hits', 'state', 'baselines']);

export function laneOf(message: { type: string }): Lane {
  return BULK_TYPES.has(message.type) ? 'bulk' : 'urgent';
}

export interface OutboxStats {
  sent: number;
  queuedBytes: number;
  shedUrgent: number;
  shedBulk: number;
  [counter: string]: number;
}

export interface Outbox {
  /** Writes at once when the peer keeps up. @returns false when something old had to be dropped for it. */
  push(message: { type: string }): boolean;
  /** Connects the queue to a stream; `greeting` goes first. */
  attach(stream: Writable, greeting?: { type: string }): void;
  detach(): void;
  stats(): OutboxStats;
}

/** Handed to the stream and not yet taken by the kernel. */
const MAX_IN_FLIGHT_BYTES = 256 * 1024;

/** Lines of one lane, oldest first, bounded by bytes. */
function createLaneQueue(maxBytes: number) {
  let lines: string[] = [];
  let head = 0;
  let bytes = 0;
  let shed = 0;
  const take = (): string | undefined => {
    if (head >= lines.length) return undefined;
    const line = lines[head++]!;
    bytes -= line.length;
    if (head > 1024 && head * 2 > lines.length) {
      lines = lines.slice(head);
      head = 0;
    }
    return line;
  };
  return {
    add(line: string): boolean {
      lines.push(line);
      bytes += line.length;
      const before = shed;
      while (bytes > maxBytes && head < lines.length) {
        take();
        shed++;
      }
      return shed === before;
    },
    take,
    bytes: () => bytes,
    shed: () => shed,
  };
}

/**
 * Bounded queue of outgoing messages with a priority lane. While the peer keeps up a message goes straight to the
 * socket; when the socket is full, or there is none, messages wait, and the oldest of a full lane are dropped.
 */
export function createOutbox(maxQueuedBytes: number): Outbox {
  const urgent = createLaneQueue(maxQueuedBytes);
  const bulk = createLaneQueue(maxQueuedBytes);
  let stream: Writable | undefined;
  let blocked = false;
  let sent = 0;

  function write(line: string): void {
    sent++;
    stream?.write(line);
    // The stream's own mark is far below what the kernel takes at once; waiting for its `drain` would hold up a detection.
    blocked = (stream?.writableLength ?? 0) > MAX_IN_FLIGHT_BYTES;
  }

  function drain(): void {
    blocked = false;
    while (stream && !blocked) {
      const line = urgent.take() ?? bulk.take();
      if (line === undefined) return;
      write(line);
    }
  }

  return {
    push(message) {
      const line = `${JSON.stringify(message)}\n`;
      if (stream && !blocked) {
        write(line);
        return true;
      }
      return (laneOf(message) === 'urgent' ? urgent : bulk).add(line);
    },
    attach(next, greeting) {
      stream = next;
      next.on('drain', () => {
        if (stream === next) drain();
      });
      if (greeting) write(`${JSON.stringify(greeting)}\n`);
      if (!blocked) drain();
    },
    detach() {
      stream = undefined;
      blocked = false;
    },
    stats: () => ({
      sent,
      queuedBytes: urgent.bytes() + bulk.bytes(),
      shedUrgent: urgent.shed(),
      shedBulk: bulk.shed(),
    }),
  };
}
