import type { Detection } from '../../domain/detection.js';
import type { RuleFolder } from '../../detect/signature/index.js';
import { errorMessage } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';

/** How often each rule fired, kept over restarts. */
export interface RuleHits {
  readonly sinceMs: number;
  note(detection: Detection, nowMs: number): void;
  of(gid: number, sid: number): { count: number; lastMs: number };
  /** Writes the counts when they changed and a minute went by. */
  save(nowMs: number): void;
}

interface Stored {
  sinceMs: number;
  /** `gid:sid` to number and time of the newest. */
  rules: Record<string, [number, number]>;
}

const FILE = 'hits.json';
const SAVE_MS = 60_000;
/** Rules counted at most: more than any rule set has. */
const MAX_RULES = 200_000;

export function createRuleHits(folder: RuleFolder, nowMs: number, log: Logger): RuleHits {
  const stored = read(folder);
  const sinceMs = stored?.sinceMs ?? nowMs;
  const counts = new Map(Object.entries(stored?.rules ?? {}));
  let changed = stored === undefined;
  let savedMs = nowMs;
  return {
    sinceMs,
    note({ tier, gid, signatureId, repeats = 0 }, atMs) {
      if (tier !== 'signature') return;
      const key = `${gid}:${signatureId}`;
      const known = counts.get(key);
      if (!known && counts.size >= MAX_RULES) return;
      counts.set(key, [(known?.[0] ?? 0) + 1 + repeats, atMs]);
      changed = true;
    },
    of(gid, sid) {
      const [count = 0, lastMs = 0] = counts.get(`${gid}:${sid}`) ?? [];
      return { count, lastMs };
    },
    save(atMs) {
      if (!changed || atMs - savedMs < SAVE_MS) return;
      savedMs = atMs;
      try {
        folder.writeText(FILE, JSON.stringify({ sinceMs, rules: Object.fromEntries(counts) } satisfies Stored));
        changed = false;
      } catch (error) {
        log.error({ err: errorMessage(error) }, 'The counts of rules could not be written.');
      }
    },
  };
}

function read(folder: RuleFolder): Stored | undefined {
  try {
    const parsed = JSON.parse(folder.readText(FILE) ?? '') as Partial<Stored>;
    return typeof parsed.sinceMs === 'number' && typeof parsed.rules === 'object'
      ? { sinceMs: parsed.sinceMs, rules: parsed.rules }
      : undefined;
  } catch {
    return undefined;
  }
}
