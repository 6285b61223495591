/** One `name` or `name:value` of a rule's options, as written. */
export interface RuleOption {
  name: string;
  /** Text after the colon without surrounding white space, or undefined; escapes are kept. */
  value: string | undefined;
  /** 1-based column in the line. */
  column: number;
}

export type RuleDirection = '->' | '<>' | '=>';

/** A rule as text taken apart, before any keyword is understood. */
export interface RawRule {
  action: string;
  proto: string;
  src: string;
  srcPort: string;
  direction: RuleDirection;
  dst: string;
  dstPort: string;
  options: RuleOption[];
  text: string;
  /** 1-based line in the file. */
  line: number;
}

/** Why a rule could not be taken apart or understood. */
export interface RuleProblem {
  line: number;
  column: number;
  reason: string;
  /** The keyword that is not understood, when that is the reason. */
  keyword?: string;
  /** The rule's sid, when it could be read. */
  signatureId?: number;
}

export const RULE_ACTIONS = [
  'alert',
  'pass',
  'drop',
  'reject',
  'rejectsrc',
  'rejectdst',
  'rejectboth',
  'log',
  'config',
] as const;

/** Splits a line into header and options. Throws nothing: a problem is a value. */
export function parseRuleText(text: string, line: number): RawRule | RuleProblem {
  const open = text.indexOf('(');
  if (open < 0) return { line, column: text.length + 1, reason: 'there are no options: "(" is missing' };
  const close = text.lastIndexOf(')');
  if (close < open) return { line, column: text.length + 1, reason: 'the options are not closed: ")" is missing' };
  if (text.slice(close + 1).trim() !== '') {
    return {
      line,
      column: close + 2,
      reason: `unexpected text after ")": ${text
        .slice(close + 1)
        .trim()
        .slice(0, 40)}`,
    };
  }
  const header = splitHeader(text.slice(0, open));
  if (header.length !== 7) {
    return {
      line,
      column: 1,
      reason: `the header has ${header.length} parts, 7 are needed (action protocol source port direction destination port)`,
    };
  }
  const [action, proto, src, srcPort, direction, dst, dstPort] = header as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  if (!(RULE_ACTIONS as readonly string[]).includes(action)) {
    return { line, column: 1, reason: `"${action}" is not an action`, keyword: action };
  }
  if (direction !== '->' && direction !== '<>' && direction !== '=>') {
    return { line, column: 1 + text.indexOf(direction), reason: `"${direction}" is not a direction (->, <>, =>)` };
  }
  const options = parseOptions(text, open + 1, close, line);
  if (!Array.isArray(options)) return options;
  return { action, proto: proto.toLowerCase(), src, srcPort, direction, dst, dstPort, options, text, line };
}

/** White space separates, but not inside square brackets. */
function splitHeader(header: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let current = '';
  for (const c of header) {
    if (c === '[') depth++;
    if (c === ']') depth--;
    if (/\s/.test(c)) {
      if (depth > 0) continue;
      if (current !== '') parts.push(current);
      current = '';
    } else current += c;
  }
  if (current !== '') parts.push(current);
  return parts;
}

function parseOptions(text: string, from: number, to: number, line: number): RuleOption[] | RuleProblem {
  const options: RuleOption[] = [];
  let start = from;
  let quoted = false;
  for (let i = from; i < to; i++) {
    const c = text[i];
    if (c === '\\') i++;
    else if (c === '"') quoted = !quoted;
    else if (c === ';' && quoted) {
      return { line, column: i + 1, reason: 'a semicolon within quotation marks is written \\;' };
    } else if (c === ';') {
      const option = toOption(text.slice(start, i), start);
      if (option) options.push(option);
      start = i + 1;
    }
  }
  if (quoted) return { line, column: start + 1, reason: 'a quotation mark is not closed' };
  if (text.slice(start, to).trim() !== '') {
    return { line, column: start + 1, reason: `";" is missing after "${text.slice(start, to).trim().slice(0, 40)}"` };
  }
  return options;
}

function toOption(part: string, start: number): RuleOption | undefined {
  const trimmed = part.trimStart();
  if (trimmed.trim() === '') return undefined;
  const column = start + 1 + (part.length - trimmed.length);
  const colon = trimmed.indexOf(':');
  if (colon < 0) return { name: trimmed.trim(), value: undefined, column };
  return { name: trimmed.slice(0, colon).trim(), value: trimmed.slice(colon + 1).trim(), column };
}

export function isRawRule(result: RawRule | RuleProblem): result is RawRule {
  return 'action' in result;
}

/** One logical line of a rule file. */
export interface RuleLine {
  text: string;
  /** Line on which it begins. */
  line: number;
}

/** Lines that hold rules: comments and empty lines left out, `\` at the end of a line continues it. */
export function* ruleLines(text: string): Generator<RuleLine> {
  const lines = text.split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const line = i + 1;
    let joined = lines[i] ?? '';
    while (joined.endsWith('\\') && i + 1 < lines.length) joined = joined.slice(0, -1) + (lines[++i] ?? '');
    const trimmed = joined.trim();
    if (trimmed !== '' && !trimmed.startsWith('#')) yield { text: trimmed, line };
  }
}

/** Removes surrounding quotes and resolves `\"`, `\;`, `\:` and `\\`. */
export function unquote(value: string): string {
  const inner = value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  return inner.replace(/\\([";:\\])/g, '$1');
}
