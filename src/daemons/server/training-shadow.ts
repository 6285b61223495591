import type { ShadowReport, TrainingReport } from '../../contract/http.js';
import type { ShadowCount } from '../../contract/ipc.js';
import type { TrainingOptions } from '../../train/index.js';

/** Alarms that a challenger may have beyond the champion's whatever the traffic: a handful says nothing. */
const SPARE_ALARMS = 5;

export function emptyShadow(report: TrainingReport, options: TrainingOptions, nowMs: number): ShadowReport {
  return {
    version: report.challenger,
    runId: report.id,
    sinceMs: nowMs,
    rows: 0,
    both: 0,
    championOnly: 0,
    challengerOnly: 0,
    rowsNeeded: options.shadowRows,
    ok: false,
  };
}

export function addShadow(shadow: ShadowReport, count: ShadowCount): void {
  shadow.rows += count.rows;
  shadow.both += count.both;
  shadow.championOnly += count.championOnly;
  shadow.challengerOnly += count.challengerOnly;
}

/**
 * Whether a challenger has scored enough live traffic, and alarmed at most as often as the champion plus what the
 * budget of false alarms allows. What it finds beyond the champion may be right: a person sees both numbers.
 */
export function shadowVerdict(
  shadow: ShadowReport,
  options: TrainingOptions,
  about: { budget: number; nowMs: number },
): 'wait' | 'ok' | 'noisy' {
  const minutes = (about.nowMs - shadow.sinceMs) / 60_000;
  if (shadow.rows < options.shadowRows || minutes < options.shadowMinutes) return 'wait';
  const champion = shadow.both + shadow.championOnly;
  const challenger = shadow.both + shadow.challengerOnly;
  return challenger <= champion + Math.max(SPARE_ALARMS, about.budget * shadow.rows) ? 'ok' : 'noisy';
}
