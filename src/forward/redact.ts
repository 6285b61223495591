import type { SiemEvent } from '../domain/siem-event.js';

const MARK = '[redacted]';

/** Fields that identify an event and cannot be blanked out. */
export const UNREDACTABLE = new Set(['kind', 'version', 'id', 'tsMs', 'severity', 'sensor', 'op', 'decisionId']);

/** Text fields that sit directly in an event, by kind of holder. */
function redactPath(target: Record<string, unknown>, path: readonly string[]): void {
  const [key, ...rest] = path;
  if (key === undefined || !(key in target)) return;
  const value = target[key];
  if (rest.length > 0) {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const copy = { ...(value as Record<string, unknown>) };
      redactPath(copy, rest);
      target[key] = copy;
    }
    return;
  }
  if (typeof value === 'string') target[key] = MARK;
  else if (Array.isArray(value)) target[key] = [];
}

/**
 * A function that blanks out fields: an event path such as `user` or `src.mac`, an evidence name such as
 * `http.cookie`, or a key of `details`. Evidence loses its text too, because the text repeats the value.
 */
export function createRedactor(names: readonly string[]): (event: SiemEvent) => SiemEvent {
  if (names.length === 0) return (event) => event;
  const wanted = new Set(names);
  const paths = names.filter((name) => !UNREDACTABLE.has(name)).map((name) => name.split('.'));
  return (event) => {
    const copy: Record<string, unknown> = { ...event };
    for (const path of paths) redactPath(copy, path);
    if (event.kind === 'alert') {
      copy['evidence'] = event.evidence.map((item) =>
        wanted.has(item.name) ? { name: item.name, value: MARK } : item,
      );
    }
    if (event.kind === 'health' || event.kind === 'audit') {
      const details = Object.entries(event.details).map(([key, value]) => [key, wanted.has(key) ? MARK : value]);
      copy['details'] = Object.fromEntries(details);
    }
    return copy as unknown as SiemEvent;
  };
}
