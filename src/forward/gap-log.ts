import { appendFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { SiemGapEvent } from '../domain/siem-event.js';
import { errorMessage } from '../util/errors.js';
import type { Logger } from '../util/logger.js';

/** What was lost, when, and why; `destination` is absent when it was lost for all. */
export interface GapRecord {
  id: string;
  atMs: number;
  fromMs: number;
  toMs: number;
  dropped: number;
  cause: string;
  destination?: string | undefined;
}

const gapSchema = z.object({
  id: z.string(),
  atMs: z.number(),
  fromMs: z.number(),
  toMs: z.number(),
  dropped: z.number(),
  cause: z.string(),
  destination: z.string().optional(),
});

const MAX_RECORDS = 1000;

/** The newest gaps, in a file of the spool so that they survive a restart. */
export class GapLog {
  private readonly path: string;
  private readonly log: Logger;
  private readonly records: GapRecord[];
  private writing: Promise<void> = Promise.resolve();

  private constructor(path: string, log: Logger, records: GapRecord[]) {
    this.path = path;
    this.log = log;
    this.records = records;
  }

  static async open(spoolDir: string, log: Logger): Promise<GapLog> {
    const path = join(spoolDir, 'gaps.jsonl');
    const text = await readFile(path, 'utf8').catch(() => '');
    const lines = text.split('\n').filter((line) => line !== '');
    const gaps = new GapLog(path, log, lines.flatMap(parseLine).slice(-MAX_RECORDS));
    if (lines.length > 2 * MAX_RECORDS) await gaps.rewrite();
    return gaps;
  }

  add(event: SiemGapEvent): void {
    const { id, tsMs, fromMs, toMs, dropped, cause, destination } = event;
    const record: GapRecord = { id, atMs: tsMs, fromMs, toMs, dropped, cause, destination };
    this.records.push(record);
    if (this.records.length > MAX_RECORDS) this.records.shift();
    this.writing = this.writing.then(() =>
      appendFile(this.path, `${JSON.stringify(record)}\n`, { mode: 0o640 }).catch((error: unknown) => {
        this.log.warn({ error: errorMessage(error) }, 'siem: a gap is reported but not in the gap list on disk');
      }),
    );
  }

  /** Gaps of one destination and those of all, newest first. */
  list(destination: string): GapRecord[] {
    return this.records.filter((g) => g.destination === undefined || g.destination === destination).reverse();
  }

  close(): Promise<void> {
    return this.writing;
  }

  private async rewrite(): Promise<void> {
    const text = this.records.map((record) => `${JSON.stringify(record)}\n`).join('');
    await writeFile(`${this.path}.tmp`, text, { mode: 0o640 });
    await rename(`${this.path}.tmp`, this.path);
  }
}

function parseLine(line: string): GapRecord[] {
  try {
    const parsed = gapSchema.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  } catch {
    return [];
  }
}
