import { appendFile, mkdir, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SiemEvent } from '../domain/siem-event.js';
import { errorMessage } from '../util/errors.js';
import type { Logger } from '../util/logger.js';

const MAX_BYTES = 64 * 1024 * 1024;

/** Where events go that a receiver refuses for good: one JSON line each, with the reason. */
export interface DeadLetters {
  put(destination: string, event: SiemEvent, reason: string): Promise<void>;
  /** Newest first. */
  list(destination: string, limit: number): Promise<DeadLetter[]>;
}

export interface DeadLetter {
  atMs: number;
  reason: string;
  event: SiemEvent;
}

/** How much of the end of a file is read for a list. */
const TAIL_BYTES = 4 * 1024 * 1024;

/** Files `dead/<destination>.jsonl` in the spool; the previous 64 MiB stay as `.1`. */
export function createDeadLetters(spoolDir: string, log: Logger): DeadLetters {
  const dir = join(spoolDir, 'dead');
  return {
    async put(destination, event, reason) {
      log.error({ destination, eventId: event.id, reason }, 'siem: the receiver refused an event for good');
      const path = join(dir, `${destination}.jsonl`);
      try {
        await mkdir(dir, { recursive: true, mode: 0o750 });
        const size = await stat(path).then(
          (info) => info.size,
          () => 0,
        );
        if (size > MAX_BYTES) await rename(path, `${path}.1`);
        await appendFile(path, `${JSON.stringify({ atMs: Date.now(), destination, reason, event })}\n`, {
          mode: 0o640,
        });
      } catch (error) {
        log.error({ destination, error: errorMessage(error) }, 'siem: cannot write a dead letter');
      }
    },
    async list(destination, limit) {
      const text = await readTail(join(dir, `${destination}.jsonl`)).catch(() => '');
      return text
        .split('\n')
        .flatMap((line) => parseLetter(line))
        .slice(-limit)
        .reverse();
    },
  };
}

async function readTail(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const length = Math.min(size, TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Our own lines; the first of a tail may be cut. */
function parseLetter(line: string): DeadLetter[] {
  try {
    return line === '' ? [] : [JSON.parse(line) as DeadLetter];
  } catch {
    return [];
  }
}
