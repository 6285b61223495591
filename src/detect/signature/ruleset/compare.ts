import { rulesOf } from './rule-lines.js';
import type { RuleFileText } from './rule-set.js';

export interface RuleChange {
  gid: number;
  sid: number;
  rev: number;
  msg: string;
}

/** What two sets of rule files have different; a rule that was commented out counts as changed. */
export interface Comparison {
  new: RuleChange[];
  changed: RuleChange[];
  gone: RuleChange[];
  /** Rules after the change, commented-out ones left out. */
  rules: number;
  /** Rules before. */
  before: number;
}

interface Known extends RuleChange {
  text: string;
}

function index(files: readonly RuleFileText[]): Map<string, Known> {
  const all = new Map<string, Known>();
  for (const { file, text } of files) {
    for (const { gid, sid, rev, msg, enabled, text: rule } of rulesOf(file, text)) {
      const key = `${gid}:${sid}`;
      const known = all.get(key);
      if (enabled && (known === undefined || known.rev < rev)) all.set(key, { gid, sid, rev, msg, text: rule });
    }
  }
  return all;
}

const bySid = (a: RuleChange, b: RuleChange): number => a.gid - b.gid || a.sid - b.sid;
const toChange = ({ gid, sid, rev, msg }: Known): RuleChange => ({ gid, sid, rev, msg });

export function compareRules(before: readonly RuleFileText[], after: readonly RuleFileText[]): Comparison {
  const old = index(before);
  const fresh = index(after);
  const pick = (from: ReadonlyMap<string, Known>, chosen: (key: string, rule: Known) => boolean): RuleChange[] =>
    [...from]
      .filter(([key, rule]) => chosen(key, rule))
      .map(([, rule]) => toChange(rule))
      .sort(bySid);
  return {
    new: pick(fresh, (key) => !old.has(key)),
    changed: pick(fresh, (key, rule) => old.has(key) && old.get(key)!.text !== rule.text),
    gone: pick(old, (key) => !fresh.has(key)),
    rules: fresh.size,
    before: old.size,
  };
}
