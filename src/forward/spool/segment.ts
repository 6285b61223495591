import { open, readFile, readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { checkRecord, findRecord } from './record.js';

/** One file of a lane: records with rising sequence numbers, the first at least `firstSeq`. */
export interface Segment {
  path: string;
  firstSeq: number;
  /** Bytes known to be whole records. */
  bytes: number;
  /** Monotonic milliseconds of the newest record: a jump of the clock must not expire it. */
  newestMonoMs: number;
  /** Places to start reading from: rising sequence numbers and their offsets. */
  index: { seq: number; offset: number }[];
}

/** `first-0000000000000042.seg` */
export function segmentName(lane: string, firstSeq: number): string {
  return `${lane}-${String(firstSeq).padStart(16, '0')}.seg`;
}

/** The lane's segments in order, as found on disk. */
export async function listSegments(dir: string, lane: string): Promise<Segment[]> {
  const pattern = new RegExp(`^${lane}-(\\d{16})\\.seg$`);
  const found: Segment[] = [];
  for (const name of await readdir(dir)) {
    const match = pattern.exec(name);
    if (!match) continue;
    const path = join(dir, name);
    const info = await stat(path);
    const ageMs = Math.max(0, Date.now() - info.mtimeMs);
    found.push({
      path,
      firstSeq: Number(match[1]),
      bytes: info.size,
      newestMonoMs: performance.now() - ageMs,
      index: [],
    });
  }
  return found.sort((a, b) => a.firstSeq - b.firstSeq);
}

/**
 * Reads the last segment of a lane to its end and cuts a torn tail off.
 * @returns the sequence number after the last record, and the bytes cut.
 */
export async function recoverSegment(segment: Segment): Promise<{ nextSeq: number; cutBytes: number }> {
  const data = await readFile(segment.path);
  let offset = 0;
  let nextSeq = segment.firstSeq;
  for (;;) {
    const record = checkRecord(data, offset, data.length);
    if (record.kind === 'ok') {
      nextSeq = record.seq + 1;
      offset = record.next;
      continue;
    }
    const later = offset < data.length ? findRecord(data, offset + 1, data.length) : -1;
    if (later < 0) break;
    offset = later;
  }
  const cutBytes = data.length - offset;
  if (cutBytes > 0) await truncate(segment.path, offset);
  segment.bytes = offset;
  return { nextSeq, cutBytes };
}

/** Makes the names in a directory durable. */
export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
