import type { RuleList, RuleListQuery, RuleRow } from '../../contract/http.js';

const MAX_COUNTED = 200;

function order(sort: RuleListQuery['sort']): (a: RuleRow, b: RuleRow) => number {
  const bySid = (a: RuleRow, b: RuleRow): number => a.gid - b.gid || a.sid - b.sid;
  if (sort === 'hits') return (a, b) => b.hits - a.hits || bySid(a, b);
  if (sort === 'last') return (a, b) => b.lastHitMs - a.lastHitMs || bySid(a, b);
  if (sort === 'msg') return (a, b) => a.msg.localeCompare(b.msg) || bySid(a, b);
  return bySid;
}

const haystack = (row: RuleRow): string =>
  `${row.sid} ${row.gid}:${row.sid} ${row.msg} ${row.classtype} ${row.technique ?? ''} ${row.file} ${row.action}`.toLowerCase();

function fits(row: RuleRow, query: RuleListQuery, words: readonly string[]): boolean {
  if (query.state !== undefined && row.state !== query.state) return false;
  if (query.classtype !== undefined && row.classtype !== query.classtype) return false;
  if (query.file !== undefined && row.file !== query.file) return false;
  if (query.source !== undefined && row.source !== query.source) return false;
  if (words.length === 0) return true;
  const text = haystack(row);
  return words.every((w) => (w.startsWith('-') && w.length > 1 ? !text.includes(w.slice(1)) : text.includes(w)));
}

function counted(rows: readonly RuleRow[], value: (row: RuleRow) => string): { value: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(value(row), (counts.get(value(row)) ?? 0) + 1);
  return [...counts]
    .map(([v, count]) => ({ value: v, count }))
    .filter((c) => c.value !== '')
    .sort((a, b) => b.count - a.count || a.value.localeCompare(b.value))
    .slice(0, MAX_COUNTED);
}

/** One page of the rules that a search finds; the cursor is the position of the next page's first rule. */
export function searchRules(rows: readonly RuleRow[], query: RuleListQuery, hitsSinceMs: number): RuleList {
  const words = (query.q ?? '')
    .toLowerCase()
    .split(/\s+/)
    .filter((w) => w !== '');
  const found = rows.filter((row) => fits(row, query, words)).sort(order(query.sort));
  const from = /^\d{1,9}$/.test(query.cursor ?? '') ? Number(query.cursor) : 0;
  const to = from + query.limit;
  const inState = (state: RuleRow['state']): number => rows.filter((r) => r.state === state).length;
  return {
    items: found.slice(from, to),
    nextCursor: to < found.length ? String(to) : null,
    total: found.length,
    counts: { enabled: inState('enabled'), disabled: inState('disabled'), failed: inState('failed') },
    classtypes: counted(rows, (r) => r.classtype),
    files: counted(rows, (r) => r.file),
    hitsSinceMs,
  };
}
