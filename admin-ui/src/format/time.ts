const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayAndClock = new Intl.DateTimeFormat('en-GB', {
  day: '2-digit',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const full = new Intl.DateTimeFormat('en-GB', {
  year: 'numeric',
  month: 'short',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
});

/** Local time: the clock for today, with the day before that, with the year before this one. */
export function formatTime(ms: number, nowMs: number): string {
  const date = new Date(ms);
  const now = new Date(nowMs);
  if (date.toDateString() === now.toDateString()) return clock.format(date);
  if (date.getFullYear() === now.getFullYear()) return dayAndClock.format(date).replace(',', '');
  return full.format(date).replace(',', '');
}

/** `2026-11-21 13:55:18.123 UTC`, for the hover. */
export function formatUtc(ms: number): string {
  return `${new Date(ms).toISOString().replace('T', ' ').replace('Z', '')} UTC`;
}

const STEPS: readonly [number, string][] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** Seconds as at most two units: `1 h 12 min`, `45 s`. */
export function formatDuration(secs: number): string {
  let rest = Math.max(0, Math.round(secs));
  if (rest === 0) return '0 s';
  const parts: string[] = [];
  for (const [size, unit] of STEPS) {
    const amount = Math.floor(rest / size);
    if (amount === 0) {
      if (parts.length > 0) break;
      continue;
    }
    parts.push(`${amount} ${unit}`);
    rest -= amount * size;
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}

/** One unit: `3 min ago`, `in 2 h`, `now`. */
export function formatAgo(ms: number, nowMs: number): string {
  const secs = Math.round((nowMs - ms) / 1000);
  if (Math.abs(secs) < 2) return 'now';
  const [size, unit] = STEPS.find(([step]) => Math.abs(secs) >= step) ?? [1, 's'];
  const text = `${Math.floor(Math.abs(secs) / size)} ${unit}`;
  return secs > 0 ? `${text} ago` : `in ${text}`;
}

/** `4:05`, `1:04:05`: a countdown. */
export function formatCountdown(secs: number): string {
  const rest = Math.max(0, Math.ceil(secs));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(rest / 3600);
  const minutes = Math.floor((rest % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest % 60)}` : `${minutes}:${two(rest % 60)}`;
}
