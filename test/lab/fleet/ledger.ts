/** A block that somebody was told is made; `unsure` when the answer was lost, so that it may or may not be in force. */
export interface Acknowledged {
  id: string;
  value: string;
  /** Epoch milliseconds. */
  endMs: number;
  state: 'active' | 'lifted' | 'unsure';
  /** When an answer to it came. */
  atMs: number;
}

/** A decision ends in the kernel by its timeout, of whole seconds, and in the books by clocks that are asked once a second. */
const SLACK_MS = 1500;

/**
 * In what the kernels of a fleet differ from what was acknowledged: every acknowledged decision must be enforced or over
 * everywhere, nothing protected may be blocked, and nothing that nobody decided.
 * @param kernels blocked addresses of each box.
 */
export function disagreements(
  ledger: Iterable<Acknowledged>,
  kernels: ReadonlyMap<string, ReadonlySet<string>>,
  { isProtected, nowMs }: { isProtected(value: string): boolean; nowMs: number },
): string[] {
  const wrong: string[] = [];
  const known = new Map<string, Acknowledged>();
  for (const entry of ledger) known.set(entry.value, entry);
  for (const [box, blocked] of kernels) {
    for (const value of blocked) {
      if (isProtected(value)) wrong.push(`${box} blocks ${value}, which is protected`);
      else if (!known.has(value)) wrong.push(`${box} blocks ${value}, which nobody decided`);
    }
    for (const { value, endMs, state } of known.values()) {
      if (state === 'unsure') continue;
      const isOver = state === 'lifted' || endMs + SLACK_MS < nowMs;
      if (isOver && blocked.has(value)) wrong.push(`${box} still blocks ${value} (${state})`);
      if (!isOver && endMs - SLACK_MS > nowMs && !blocked.has(value)) wrong.push(`${box} does not block ${value}`);
    }
  }
  return wrong;
}
