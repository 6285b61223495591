import { parseThreshold } from '../keywords/state.js';
import { parseNumber } from './number.js';
import type { RateFilter, Rule, Suppression } from '../rule.js';
import { parseAddresses } from './address.js';

export interface ThresholdProblem {
  line: number;
  reason: string;
}

/**
 * Applies a `threshold.config` to rules: `threshold gen_id G, sig_id S, type ..., track ..., count N, seconds N` and
 * `rate_filter gen_id G, sig_id S, track ..., count N, seconds N, new_action A, timeout N`,
 * `suppress gen_id G, sig_id S[, track by_src|by_dst|by_either, ip ADDRESSES]`; id 0 means every one.
 */
export function applyThresholdConfig(
  text: string,
  rules: readonly Rule[],
  variables: ReadonlyMap<string, string>,
): ThresholdProblem[] {
  const problems: ThresholdProblem[] = [];
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/#.*/, '').trim();
    if (line === '') continue;
    try {
      applyLine(line, rules, variables);
    } catch (error) {
      problems.push({ line: i + 1, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return problems;
}

function applyLine(line: string, rules: readonly Rule[], variables: ReadonlyMap<string, string>): void {
  const m =
    /^(suppress|threshold|event_filter|rate_filter)\s+gen_id\s+(\d+)\s*,\s*sig_id\s+(\d+)\s*(?:,\s*(.*))?$/.exec(line);
  if (!m) throw new Error('is neither a suppression nor a threshold');
  const [, kind, gid, sid, rest = ''] = m;
  const chosen = rules.filter((r) => fits(Number(gid), r.gid) && fits(Number(sid), r.signatureId));
  if (kind === 'suppress') {
    const suppression = parseSuppression(rest, variables);
    for (const rule of chosen) rule.suppress.push(suppression);
    return;
  }
  if (kind === 'rate_filter') {
    const rateFilter = parseRateFilter(rest);
    for (const rule of chosen) rule.rateFilter = rateFilter;
    return;
  }
  const threshold = parseThreshold(rest);
  for (const rule of chosen) {
    const hasOwn = rule.threshold !== undefined || rule.detectionFilter !== undefined;
    // As in Suricata: a line about one rule takes the place of its own limits, one about many leaves them.
    if (hasOwn && (Number(gid) === 0 || Number(sid) === 0)) continue;
    rule.threshold = threshold;
    rule.detectionFilter = undefined;
  }
}

function parseRateFilter(rest: string): RateFilter {
  let newAction = '';
  let timeoutSecs = 0;
  const others = rest.split(',').filter((part) => {
    const m = /^\s*(new_action|timeout)\s+(\S+)\s*$/.exec(part);
    if (m?.[1] === 'new_action') newAction = m[2]!;
    else if (m) timeoutSecs = parseNumber(m[2]!, 0);
    return !m;
  });
  if (!/^(drop|reject|alert|pass)$/.test(newAction)) throw new Error('needs new_action drop, reject, alert or pass');
  return { ...parseThreshold(others.join(','), 'rate_filter'), newAction, timeoutSecs };
}

const fits = (wanted: number, have: number): boolean => wanted === 0 || wanted === have;

function parseSuppression(rest: string, variables: ReadonlyMap<string, string>): Suppression {
  if (rest === '') return { track: 'always', addresses: parseAddresses('any', variables) };
  const m = /^track\s+(by_src|by_dst|by_either)\s*,\s*ip\s+(.+)$/.exec(rest);
  if (!m) throw new Error(`"${rest}" is not understood here`);
  return { track: m[1] as Suppression['track'], addresses: parseAddresses(m[2]!, variables) };
}
