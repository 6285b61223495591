import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { AppError, errorMessage } from '../../util/errors.js';
import type { CanaryResult } from './step.js';

/** A run that has not ended after this time hangs, milliseconds. */
const HANGING_MS = 300_000;
/** A timer that has run before and is silent for so long does not run any more, milliseconds. */
const OVERDUE_MS = 26 * 3_600_000;
/** Longer than any outcome. */
const MAX_BYTES = 64 * 1024;

const stepSchema = z.object({ name: z.string(), ok: z.boolean(), ms: z.number(), detail: z.string() });
const runSchema = z.object({
  format: z.literal(1),
  /** Epoch milliseconds. */
  startedMs: z.number(),
  /** Absent while it runs. */
  result: z
    .object({
      ok: z.boolean(),
      place: z.enum(['namespace', 'live']),
      steps: z.array(stepSchema).max(100),
      unprovable: z.string().optional(),
    })
    .optional(),
});

/**
 * Leaves what a run of `portcullis canary` has shown for the responder, or that it has begun.
 * @throws AppError canary.result: a run whose outcome nobody finds would look like one that went well
 */
export function writeTimedRun(path: string, startedMs: number, result?: CanaryResult): void {
  const fresh = `${path}.new`;
  const text = `${JSON.stringify({ format: 1, startedMs, ...(result ? { result } : {}) })}\n`;
  try {
    writeFileSync(fresh, text, { mode: 0o644 });
    renameSync(fresh, path);
  } catch (cause) {
    throw new AppError({
      kind: 'user',
      code: 'canary.result',
      message: `The outcome cannot be written: ${errorMessage(cause)}`,
      fix: 'The folder of --result must be there; the responder reads the file that enforce.canary_result names.',
      cause,
    });
  }
}

/**
 * What a canary of the system's timer has shown (portcullis-canary.service). It has namespaces of its own to prove the whole
 * way in, which the responder's sandbox does not allow, and leaves its outcome in a file.
 */
export class TimedCanary {
  private readonly path: string;
  private readonly wallMs: () => number;
  private seenMs = 0;
  private startedMs = 0;
  private isRunning = false;
  private isOverdue = false;
  /** The outcome of the newest run that has ended. */
  latest: CanaryResult | undefined;

  constructor(path: string, wallMs: () => number) {
    this.path = path;
    this.wallMs = wallMs;
  }

  /** @returns an outcome that was not told before; a run that hangs, or does not come any more, is one that failed. */
  take(): CanaryResult | undefined {
    const news = this.read();
    if (news) {
      this.startedMs = news.startedMs;
      this.isRunning = news.result === undefined;
      this.isOverdue = false;
      if (news.result) return (this.latest = toResult(news.result));
    }
    if (this.startedMs === 0) return undefined;
    const ageMs = this.wallMs() - this.startedMs;
    if (this.isRunning && ageMs > HANGING_MS) {
      this.isRunning = false;
      return (this.latest = failed('the run of the timer', `it did not end within ${HANGING_MS / 1000} s`));
    }
    if (this.isOverdue || ageMs < OVERDUE_MS) return undefined;
    this.isOverdue = true;
    return (this.latest = failed('the timer', `it has not run for ${Math.round(OVERDUE_MS / 3_600_000)} hours`));
  }

  private read(): z.output<typeof runSchema> | undefined {
    try {
      const { mtimeMs, size } = statSync(this.path);
      if (mtimeMs === this.seenMs) return undefined;
      this.seenMs = mtimeMs;
      if (size > MAX_BYTES) return undefined;
      return runSchema.safeParse(JSON.parse(readFileSync(this.path, 'utf8'))).data;
    } catch {
      // No timer runs here, or the file is no outcome: then it soon counts as one that hangs or does not come.
      return undefined;
    }
  }
}

function toResult({ unprovable, ...rest }: NonNullable<z.output<typeof runSchema>['result']>): CanaryResult {
  return unprovable === undefined ? rest : { ...rest, unprovable };
}

function failed(name: string, detail: string): CanaryResult {
  return { ok: false, place: 'namespace', steps: [{ name, ok: false, ms: 0, detail }] };
}
