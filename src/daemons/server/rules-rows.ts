import type { RuleDetail, RuleRow } from '../../contract/http.js';
import { isNoalert, messageOf, toSeverity, type EditedRule, type FileProblem } from '../../detect/signature/index.js';
import { shortName, type RuleFileOrigin } from '../rule-files.js';
import type { RuleHits } from './rules-hits.js';

/** A rule with everything known of it. */
export interface RuleRecord extends RuleFileOrigin {
  rule: EditedRule;
  problem: FileProblem | undefined;
  /** Priority by classtype. */
  classes: ReadonlyMap<string, { priority: number }>;
}

const optionsOf = (rule: EditedRule, name: string): string[] =>
  rule.raw.options.filter((o) => o.name === name).map((o) => o.value ?? '');

function metadataOf(rule: EditedRule): Record<string, string[]> {
  const metadata: Record<string, string[]> = {};
  for (const part of optionsOf(rule, 'metadata').flatMap((value) => value.split(','))) {
    const [key = '', ...rest] = part.trim().split(/\s+/);
    if (key !== '') (metadata[key] ??= []).push(rest.join(' '));
  }
  return metadata;
}

export function toRuleRow({ rule, problem, origin, source, classes }: RuleRecord, hits: RuleHits): RuleRow {
  const classtype = optionsOf(rule, 'classtype')[0] ?? '';
  const priority = Number(optionsOf(rule, 'priority')[0] ?? classes.get(classtype)?.priority ?? 3);
  const { count, lastMs } = hits.of(rule.gid, rule.sid);
  return {
    gid: rule.gid,
    sid: rule.sid,
    rev: rule.rev,
    msg: rule.original === undefined ? rule.msg : messageOf(rule.text),
    action: /^\w+/.exec(rule.text)?.[0] ?? rule.raw.action,
    proto: rule.raw.proto,
    classtype,
    severity: toSeverity(priority),
    state: !rule.enabled ? 'disabled' : problem ? 'failed' : 'enabled',
    changedBy: rule.changedBy ?? null,
    noalert: isNoalert(rule) || /\bnoalert;\)$/.test(rule.text),
    origin,
    source,
    file: shortName(rule.file),
    line: rule.line,
    technique: metadataOf(rule)['mitre_technique_id']?.[0] ?? null,
    hits: count,
    lastHitMs: lastMs,
  };
}

export const toRuleRows = (records: readonly RuleRecord[], hits: RuleHits): RuleRow[] =>
  records.map((r) => toRuleRow(r, hits));

export function toRuleDetail(record: RuleRecord, hits: RuleHits): RuleDetail {
  const { rule, problem } = record;
  return {
    ...toRuleRow(record, hits),
    text: rule.text,
    originalText: rule.original ?? null,
    problem: problem ? { column: problem.column, reason: problem.reason, keyword: problem.keyword ?? null } : null,
    references: optionsOf(rule, 'reference'),
    metadata: metadataOf(rule),
  };
}
