import { isRawRule, parseRuleText, RULE_ACTIONS, unquote, type RawRule } from '../parse/rule.js';

/** A rule of a file as text, in force or commented out. */
export interface RuleText {
  file: string;
  /** First line, 1-based, and how many lines it takes. */
  line: number;
  lines: number;
  /** The rule without the comment sign before it. */
  text: string;
  /** False for a rule that its file comments out. */
  enabled: boolean;
  gid: number;
  sid: number;
  rev: number;
  msg: string;
  raw: RawRule;
}

const COMMENTED_RULE = new RegExp(`^#[#\\s]*((?:${RULE_ACTIONS.join('|')})\\s+\\S+\\s+.*\\(.*\\bsid\\s*:.*\\))\\s*$`);

function optionOf(raw: RawRule, name: string): string | undefined {
  return raw.options.find((o) => o.name === name)?.value;
}

function toRuleText(file: string, line: number, lines: number, text: string, enabled: boolean): RuleText | undefined {
  const raw = parseRuleText(text, line);
  if (!isRawRule(raw)) return undefined;
  const number = (name: string, otherwise: number): number => {
    const value = Number(optionOf(raw, name) ?? otherwise);
    return Number.isSafeInteger(value) ? value : otherwise;
  };
  return {
    file,
    line,
    lines,
    text,
    enabled,
    gid: number('gid', 1),
    sid: number('sid', 0),
    rev: number('rev', 0),
    msg: unquote(optionOf(raw, 'msg') ?? ''),
    raw,
  };
}

/** Every rule of a file that can be taken apart, commented-out ones too; a line that cannot is left to the loader. */
export function* rulesOf(file: string, text: string): Generator<RuleText> {
  const lines = text.split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const first = i;
    let joined = lines[i] ?? '';
    while (joined.endsWith('\\') && i + 1 < lines.length) joined = joined.slice(0, -1) + (lines[++i] ?? '');
    const trimmed = joined.trim();
    if (trimmed === '') continue;
    const commented = trimmed.startsWith('#') ? COMMENTED_RULE.exec(trimmed)?.[1] : undefined;
    if (trimmed.startsWith('#') && commented === undefined) continue;
    const rule = toRuleText(file, first + 1, i - first + 1, commented ?? trimmed, commented === undefined);
    if (rule) yield rule;
  }
}

/** Flow bits that a rule sets and tests. */
export function flowbitsOf(rule: RuleText): { sets: string[]; tests: string[] } {
  const sets: string[] = [];
  const tests: string[] = [];
  for (const { name, value = '' } of rule.raw.options) {
    if (name !== 'flowbits') continue;
    const [action = '', names = ''] = value.split(',').map((p) => p.trim());
    const list = names.split('|').map((n) => n.trim());
    if (action === 'set' || action === 'toggle') sets.push(...list);
    if (action === 'isset') tests.push(...list);
  }
  return { sets, tests };
}

export function isNoalert(rule: RuleText): boolean {
  return rule.raw.options.some(
    (o) => o.name === 'noalert' || (o.name === 'flowbits' && /^\s*noalert\s*$/.test(o.value ?? '')),
  );
}
