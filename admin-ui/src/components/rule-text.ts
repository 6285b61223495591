export interface TextPart {
  text: string;
  marked: boolean;
}

/** Splits a Suricata rule so that the patterns of `content` and `pcre` can be marked; quotes may be escaped. */
export function highlightRule(rule: string): TextPart[] {
  const parts: TextPart[] = [];
  const pattern = /\b(?:content|pcre|uricontent)\s*:\s*!?"((?:[^"\\]|\\.)*)"/g;
  let from = 0;
  for (const match of rule.matchAll(pattern)) {
    const inner = match[1] ?? '';
    const start = match.index + match[0].length - inner.length - 1;
    parts.push({ text: rule.slice(from, start), marked: false }, { text: inner, marked: true });
    from = start + inner.length;
  }
  parts.push({ text: rule.slice(from), marked: false });
  return parts.filter((part) => part.text !== '');
}
