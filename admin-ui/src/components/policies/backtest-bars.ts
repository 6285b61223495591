import type { BacktestReport } from '@/api/types';
import { formatTime } from '@/format/time';

const BARS = 48;

/** Blocks by time, each bar as [both, only in force, only the new text, innocent]; an innocent one counts there alone. */
export function backtestBars(report: BacktestReport): { title: string; values: number[] }[] {
  const { sinceMs, untilMs, blocks } = report;
  const width = Math.max(1, (untilMs - sinceMs) / BARS);
  const bars = Array.from({ length: BARS }, () => [0, 0, 0, 0]);
  for (const block of blocks) {
    const bar = bars[Math.min(BARS - 1, Math.max(0, Math.floor((block.atMs - sinceMs) / width)))];
    const series = block.innocent ? 3 : block.by === 'both' ? 0 : block.by === 'active' ? 1 : 2;
    if (bar) bar[series] = (bar[series] ?? 0) + 1;
  }
  return bars.map((values, i) => ({
    title: `${formatTime(sinceMs + i * width, untilMs)}: ${values.reduce((a, b) => a + b, 0)}`,
    values,
  }));
}
