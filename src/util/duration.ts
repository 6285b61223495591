const UNIT_SECS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

/**
 * Reads `90`, `90s`, `15m`, `1h30m`, `7d` as seconds; a bare number is seconds.
 * @returns seconds, or undefined when the text is not a duration.
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed);
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/.test(trimmed)) return undefined;
  let total = 0;
  for (const match of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)) {
    total += Number(match[1]) * (UNIT_SECS[match[2] ?? 's'] ?? 1);
  }
  return total;
}

/** Writes seconds for people: `2d 3h`, `15m`, `4s`; the two largest units. */
export function formatDuration(secs: number): string {
  if (secs < 1) return secs <= 0 ? '0s' : `${Math.round(secs * 1000)}ms`;
  const parts: string[] = [];
  let rest = Math.round(secs);
  for (const [unit, size] of [
    ['d', 86400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const n = Math.floor(rest / size);
    if (n > 0 && parts.length < 2) parts.push(`${n}${unit}`);
    rest -= n * size;
  }
  return parts.join(' ');
}
