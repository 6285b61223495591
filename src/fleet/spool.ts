import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const CHUNK_BYTES = 256 * 1024;
const CURSOR = 'cursor.json';
const SAVE_MS = 500;
/** Lines that wait in memory while the disk is full. */
const MAX_BUFFERED = 2000;
const RETRY_MS = 1000;

interface Place {
  segment: number;
  offset: number;
}

/**
 * A queue of lines on disk, bounded by bytes: what is written waits until it is confirmed, over restarts too. When it is
 * full the oldest segment goes, and its lines are counted. One reader.
 */
export interface Spool {
  append(line: string): void;
  /** The next lines after those read before; empty when there are none. */
  read(maxLines: number): string[];
  /** Everything read so far has arrived. */
  confirm(): void;
  /** Reads again from what is not confirmed. */
  rewind(): void;
  /** Resolves when there is something to read. */
  readable(signal: AbortSignal): Promise<void>;
  stats(): { waiting: number; bytes: number; dropped: number };
  close(): void;
}

export function openSpool(dir: string, maxBytes: number): Spool {
  mkdirSync(dir, { recursive: true, mode: 0o750 });
  const segmentBytes = Math.max(64 * 1024, Math.floor(maxBytes / 16));
  const fileOf = (n: number): string => join(dir, `${String(n).padStart(12, '0')}.jsonl`);
  /** Bytes and lines of each segment, oldest first. */
  const segments = new Map<number, { bytes: number; lines: number }>();
  for (const name of readdirSync(dir).sort()) {
    if (!/^\d{12}\.jsonl$/.test(name)) continue;
    const path = join(dir, name);
    segments.set(Number(name.slice(0, 12)), { bytes: statSync(path).size, lines: countLines(path) });
  }
  let last = Math.max(0, ...segments.keys()) + 1;
  let fd = startSegment(last);
  const first = (): number => segments.keys().next().value ?? last;
  let confirmed = loadCursor();
  let place = { ...confirmed };
  let readLines = 0;
  let waiting = 0;
  let dropped = 0;
  let buffered: string[] = [];
  let scheduled = false;
  let wake: (() => void) | undefined;
  let cursorDirty = false;
  waiting = countWaiting();

  const timer = setInterval(saveCursor, SAVE_MS);
  timer.unref();

  function startSegment(n: number): number {
    segments.set(n, { bytes: 0, lines: 0 });
    return openSync(fileOf(n), 'a+', 0o640);
  }

  function loadCursor(): Place {
    try {
      const saved = JSON.parse(readFileSync(join(dir, CURSOR), 'utf8')) as Place;
      if (segments.has(saved.segment) && saved.offset <= segments.get(saved.segment)!.bytes) return saved;
    } catch {
      // None yet, or damaged: what is there is sent again, and the receiver knows it by its id.
    }
    return { segment: first(), offset: 0 };
  }

  function saveCursor(): void {
    if (!cursorDirty) return;
    const path = join(dir, CURSOR);
    try {
      writeFileSync(`${path}.new`, JSON.stringify(confirmed), { mode: 0o640 });
      renameSync(`${path}.new`, path);
      cursorDirty = false;
    } catch {
      // The disk is full: tried again; what was confirmed since is sent once more after a crash.
    }
  }

  function countWaiting(): number {
    let lines = 0;
    for (const [n, segment] of segments) if (n >= confirmed.segment) lines += segment.lines;
    return lines - countLines(fileOf(confirmed.segment), confirmed.offset);
  }

  function remove(n: number): void {
    segments.delete(n);
    rmSync(fileOf(n), { force: true });
  }

  function bytesHeld(): number {
    let bytes = 0;
    for (const segment of segments.values()) bytes += segment.bytes;
    return bytes;
  }

  /** Room for what comes: the oldest segment that is not being written goes. */
  function makeRoom(): void {
    while (bytesHeld() > maxBytes && segments.size > 1) {
      const n = first();
      const lost =
        (segments.get(n)?.lines ?? 0) - (n === confirmed.segment ? countLines(fileOf(n), confirmed.offset) : 0);
      remove(n);
      dropped += lost;
      waiting -= lost;
      if (confirmed.segment <= n) confirmed = { segment: first(), offset: 0 };
      if (place.segment <= n) {
        place = { ...confirmed };
        readLines = 0;
      }
      cursorDirty = true;
    }
  }

  function write(): void {
    scheduled = false;
    if (buffered.length === 0) return;
    const segment = segments.get(last)!;
    if (!put(Buffer.from(buffered.join('')), segment)) {
      waitForRoom();
      return;
    }
    segment.lines += buffered.length;
    buffered = [];
    if (segment.bytes > segmentBytes) beginSegment();
    wake?.();
  }

  /** @returns false when the disk is full; no half line is left then. */
  function put(text: Buffer, segment: { bytes: number }): boolean {
    try {
      const written = writeSync(fd, text);
      if (written === text.length) {
        segment.bytes += written;
        return true;
      }
      ftruncateSync(fd, segment.bytes);
    } catch {
      // What cannot be cut off is skipped as a line that a crash has cut off.
    }
    return false;
  }

  function waitForRoom(): void {
    const over = Math.max(0, buffered.length - MAX_BUFFERED);
    buffered.splice(0, over);
    dropped += over;
    waiting -= over;
    scheduled = true;
    setTimeout(write, RETRY_MS).unref();
  }

  function beginSegment(): void {
    let next: number;
    try {
      next = startSegment(last + 1);
    } catch {
      segments.delete(last + 1);
      return;
    }
    closeSync(fd);
    fd = next;
    last += 1;
    makeRoom();
  }

  /** Whole lines from a place in a segment. */
  function readFrom({ segment, offset }: Place, maxLines: number): { lines: string[]; bytes: number } {
    const own = segment === last ? fd : openSync(fileOf(segment), 'r');
    try {
      let size = CHUNK_BYTES;
      for (;;) {
        const chunk = Buffer.alloc(Math.min(size, Math.max(0, fstatSync(own).size - offset)));
        const got = readSync(own, chunk, 0, chunk.length, offset);
        const lines: string[] = [];
        let at = 0;
        for (let end = chunk.indexOf(10); end >= 0 && lines.length < maxLines; end = chunk.indexOf(10, at)) {
          lines.push(chunk.toString('utf8', at, end));
          at = end + 1;
        }
        // One line longer than a chunk.
        if (lines.length > 0 || got < size) return { lines, bytes: at };
        size *= 4;
      }
    } finally {
      if (own !== fd) closeSync(own);
    }
  }

  const hasMore = (): boolean => place.segment < last || place.offset < (segments.get(last)?.bytes ?? 0);

  return {
    append(line) {
      buffered.push(`${line}\n`);
      waiting++;
      if (scheduled) return;
      scheduled = true;
      // One write a turn, whatever came in it.
      setImmediate(write);
    },
    read(maxLines) {
      while (hasMore()) {
        const { lines, bytes } = readFrom(place, maxLines);
        if (lines.length > 0) {
          place.offset += bytes;
          readLines += lines.length;
          return lines;
        }
        // The end of a segment, or a line that a crash has cut off.
        if (place.segment >= last) return [];
        place = { segment: place.segment + 1, offset: 0 };
      }
      return [];
    },
    confirm() {
      confirmed = { ...place };
      waiting -= readLines;
      readLines = 0;
      cursorDirty = true;
      for (const n of segments.keys()) {
        if (n >= confirmed.segment) break;
        remove(n);
      }
    },
    rewind() {
      place = { ...confirmed };
      readLines = 0;
    },
    readable(signal) {
      if (hasMore() || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const go = (): void => {
          wake = undefined;
          signal.removeEventListener('abort', go);
          resolve();
        };
        wake = go;
        signal.addEventListener('abort', go, { once: true });
      });
    },
    stats: () => ({ waiting, bytes: bytesHeld(), dropped }),
    close() {
      write();
      clearInterval(timer);
      saveCursor();
      closeSync(fd);
    },
  };
}

/** Line ends in a file, up to an offset. */
function countLines(path: string, upTo = Infinity): number {
  if (!existsSync(path)) return 0;
  const bytes = readFileSync(path);
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0 && at < upTo; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}
