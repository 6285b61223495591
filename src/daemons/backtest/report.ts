import type { BacktestReport } from '../../contract/http.js';
import type { Backtest } from '../../policy/index.js';

/** Blocks listed in a report; the sums count all. */
const LISTED = 500;

export function toBacktestReport(
  result: ReturnType<Backtest['result']>,
  span: { sinceMs: number; untilMs: number },
): BacktestReport {
  const { active, candidate, alerts, flows, blocks } = result;
  return {
    ...span,
    alerts,
    flows,
    active,
    ...(candidate ? { candidate } : {}),
    blocks: blocks.slice(0, LISTED).map(({ by, decision, alert, innocent }) => ({
      by,
      atMs: decision.createdMs,
      offender: alert.offender,
      action: decision.action,
      scope: decision.scope,
      value: decision.value,
      ...(decision.port === undefined ? {} : { port: decision.port }),
      durationSecs: decision.durationSecs,
      policy: decision.policy ?? '',
      alertId: alert.id,
      alertTitle: alert.title,
      ...(innocent ? { innocent } : {}),
    })),
    more: Math.max(0, blocks.length - LISTED),
  };
}
