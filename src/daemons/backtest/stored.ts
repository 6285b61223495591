import type { Alert, LabelVerdict } from '../../domain/alert.js';
import type { FlowRecord } from '../../domain/flow.js';
import type { Store, StoredAlert } from '../../store/index.js';

const PAGE = 1000;
const MAX_ALERTS = 500_000;
const MAX_FLOWS = 300_000;

/** Recorded alerts and flows of a span of time, oldest first. */
export interface StoredPast {
  alerts: StoredAlert[];
  flows: FlowRecord[];
  /** The recordings reach further back than was read. */
  truncated: boolean;
}

/**
 * Reads what the store has since then: alerts up to half a million, and flows, for blast radius and history, up to
 * 300,000; of more, the newest.
 * @param progress share of the span that has been read, 0..1.
 */
export async function readStored(
  store: Store,
  span: { sinceMs: number; untilMs: number },
  progress: (share: number) => void,
  signal?: AbortSignal,
): Promise<StoredPast> {
  const share = (atMs: number): number =>
    Math.min(1, Math.max(0, (span.untilMs - atMs) / Math.max(1, span.untilMs - span.sinceMs)));
  const alerts = await readBack(
    (cursor) => store.alerts.list({ limit: PAGE, cursor }),
    { atMs: (a) => a.lastMs, sinceMs: span.sinceMs, max: MAX_ALERTS },
    (atMs) => progress(share(atMs) / 2),
    signal,
  );
  const flows = await readBack(
    (cursor) => store.flows.list({ limit: PAGE, cursor }),
    { atMs: (f) => f.endUs / 1000, sinceMs: span.sinceMs, max: MAX_FLOWS },
    (atMs) => progress((1 + share(atMs)) / 2),
    signal,
  );
  return { alerts, flows, truncated: alerts.length === MAX_ALERTS || flows.length === MAX_FLOWS };
}

interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** Pages come newest first; the result is in order of time. */
async function readBack<T>(
  list: (cursor: string | undefined) => Promise<Page<T>>,
  what: { atMs(item: T): number; sinceMs: number; max: number },
  progress: (atMs: number) => void,
  signal: AbortSignal | undefined,
): Promise<T[]> {
  const found: T[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null && found.length < what.max) {
    signal?.throwIfAborted();
    const page: Page<T> = await list(cursor);
    for (const item of page.items) if (what.atMs(item) >= what.sinceMs && found.length < what.max) found.push(item);
    const last = page.items.at(-1);
    if (last) progress(what.atMs(last));
    cursor = last && what.atMs(last) >= what.sinceMs ? page.nextCursor : null;
  }
  return found.reverse();
}

/** What analysts said of offenders: benign when only false positives are marked, guilty as soon as one true one is. */
export function offenderLabels(
  alerts: readonly (Alert & { labelVerdict?: LabelVerdict })[],
): (offender: string) => 'benign' | 'guilty' | undefined {
  const labels = new Map<string, 'benign' | 'guilty'>();
  for (const { offender, labelVerdict } of alerts) {
    if (labelVerdict === 'true_positive') labels.set(offender, 'guilty');
    else if (labelVerdict === 'false_positive' && !labels.has(offender)) labels.set(offender, 'benign');
  }
  return (offender) => labels.get(offender);
}
