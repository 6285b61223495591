import { unquote } from '../parse/rule.js';
import { parseMatcher, pythonRegex, type RuleMatcher } from './matcher.js';
import { isNoalert, type RuleText } from './rule-lines.js';

/** One line of an edit file. */
export interface Edit {
  /** File and line, such as `disable.conf:3`. */
  origin: string;
  matches: RuleMatcher;
}

export interface Modification extends Edit {
  apply(text: string): string;
}

/** What an operator wants changed in the rules of others. */
export interface RuleEdits {
  disable: Edit[];
  enable: Edit[];
  drop: Edit[];
  modify: Modification[];
  problems: { file: string; line: number; reason: string }[];
}

/** Texts of suricata-update's files by name; those that are absent are left out. */
export type EditTexts = Partial<Record<(typeof EDIT_FILES)[number], string>>;
export const EDIT_FILES = ['disable.conf', 'enable.conf', 'drop.conf', 'modify.conf'] as const;

/** Reads disable.conf, enable.conf, drop.conf and modify.conf as suricata-update has them; a bad line is a problem. */
export function parseEdits(texts: EditTexts): RuleEdits {
  const edits: RuleEdits = { disable: [], enable: [], drop: [], modify: [], problems: [] };
  for (const file of EDIT_FILES) {
    for (const [i, raw] of (texts[file] ?? '').split(/\r?\n/).entries()) {
      const line = file === 'modify.conf' ? raw.trim() : raw.replace(/(^|\s)#.*$/, '').trim();
      if (line === '' || line.startsWith('#')) continue;
      const origin = `${file}:${i + 1}`;
      try {
        if (file === 'modify.conf') edits.modify.push({ origin, ...parseModification(line) });
        else {
          const list = file === 'disable.conf' ? edits.disable : file === 'enable.conf' ? edits.enable : edits.drop;
          list.push({ origin, matches: parseMatcher(line) });
        }
      } catch (error) {
        edits.problems.push({ file, line: i + 1, reason: error instanceof Error ? error.message : String(error) });
      }
    }
  }
  return edits;
}

/** Words of a line; quoted ones keep their white space, `\"` is a quotation mark. */
function words(line: string): string[] {
  const found = line.match(/(?:re:|metadata:)?"(?:[^"\\]|\\.)*"|\S+/gs) ?? [];
  return found
    .filter((w) => w !== '|')
    .map((w) => w.replace(/"((?:[^"\\]|\\.)*)"$/s, (_, t: string) => t.replaceAll('\\"', '"')));
}

/** `\1`, `\g<1>`, `${1}` of Python and Oinkmaster; a `$` alone is a `$`. */
function toReplacement(text: string): string {
  return text
    .replace(/\$(?!\{?\d)/g, '$$$$')
    .replace(/\\g<(\w+)>/g, (_, name: string) => (/^\d+$/.test(name) ? `$${name}` : `$<${name}>`))
    .replace(/\\(\d)/g, '$$$1')
    .replace(/\$\{(\d+)\}/g, '$$$1');
}

/** `MATCHER "from" "to"`, with `modifysid` before it, or `metadata-add|metadata-set MATCHER "key" "value"`. */
function parseModification(line: string): Omit<Modification, 'origin'> {
  const [first = '', ...rest] = words(line);
  if (first === 'metadata-add' || first === 'metadata-set') {
    const [matcher = '', key = '', value = ''] = rest;
    if (key === '' || rest.length !== 3) throw new Error(`${first} needs a matcher, a key and a value`);
    return {
      matches: parseMatcher(matcher),
      apply: (text) => withMetadata(text, key, value, first === 'metadata-set'),
    };
  }
  const [matcher = '', from, to] = first === 'modifysid' ? rest : [first, ...rest];
  if (from === undefined || to === undefined || rest.length > 3)
    throw new Error('needs a matcher, a pattern and its replacement');
  const pattern = pythonRegex(from, 'g');
  const replacement = toReplacement(to);
  return { matches: parseMatcher(matcher), apply: (text) => text.replace(pattern, replacement) };
}

function withMetadata(text: string, key: string, value: string, replaces: boolean): string {
  const m = /\bmetadata\s*:\s*([^;]*);/.exec(text);
  if (!m) return text.replace(/\)\s*$/, ` metadata:${key} ${value};)`);
  const others = m[1]!.split(',').map((p) => p.trim());
  const kept = replaces ? others.filter((p) => p.split(/\s/)[0] !== key) : others;
  return text.replace(m[0], `metadata:${[...kept, `${key} ${value}`].filter((p) => p !== '').join(', ')};`);
}

/** Whom an edit concerns, and the rule after it. */
export interface EditedRule extends RuleText {
  /** Before the edits. */
  enabledInFile: boolean;
  /** As its file has it, when an edit changed it. */
  original: string | undefined;
  changedBy: string | undefined;
}

/** Applies the edits in suricata-update's order: disable, enable, drop, modify. */
export function editRule(rule: RuleText, edits: RuleEdits): EditedRule {
  const edited: EditedRule = { ...rule, enabledInFile: rule.enabled, original: undefined, changedBy: undefined };
  const off = rule.enabled ? edits.disable.find((e) => e.matches(rule)) : undefined;
  if (off) [edited.enabled, edited.changedBy] = [false, off.origin];
  const on = edited.enabled ? undefined : edits.enable.find((e) => e.matches(rule));
  if (on) [edited.enabled, edited.changedBy] = [true, on.origin];
  let text = rule.text;
  const drop = isNoalert(rule) ? undefined : edits.drop.find((e) => e.matches(rule));
  if (drop && rule.raw.action === 'alert') {
    text = text.replace(/^alert\b/, 'drop');
    edited.changedBy = drop.origin;
  }
  for (const change of edits.modify) {
    if (!change.matches(rule)) continue;
    const after = change.apply(text);
    if (after !== text) edited.changedBy = change.origin;
    text = after;
  }
  if (text !== rule.text) [edited.original, edited.text] = [rule.text, text];
  return edited;
}

/** The message as a rule text states it. */
export function messageOf(text: string): string {
  const m = /\bmsg\s*:\s*("(?:[^"\\]|\\.)*")/.exec(text);
  return m ? unquote(m[1]!) : '';
}
