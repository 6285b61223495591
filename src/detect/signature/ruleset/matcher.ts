import { basename } from 'node:path';
import type { RuleText } from './rule-lines.js';

/** Chooses rules as a line of suricata-update's disable.conf, enable.conf, drop.conf or modify.conf does. */
export type RuleMatcher = (rule: RuleText) => boolean;

/** `*` and `?` as a shell has them, on the whole name. */
export function globToRegex(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}

/** A regular expression as Python writes it. @throws {Error} when it is none. */
export function pythonRegex(source: string, flags: string): RegExp {
  let text = source;
  let all = flags;
  const inline = /^\(\?([imsx]+)\)/.exec(text);
  if (inline) {
    text = text.slice(inline[0].length);
    for (const flag of inline[1]!) if ('ims'.includes(flag) && !all.includes(flag)) all += flag;
  }
  return new RegExp(text.replace(/\(\?P<(\w+)>/g, '(?<$1>').replace(/\(\?P=(\w+)\)/g, '\\k<$1>'), all);
}

function byIds(text: string): RuleMatcher | undefined {
  const ids = new Set<string>();
  for (const part of text.split(',')) {
    const m = /^\s*(?:(\d+)\s*:\s*)?(\d+)\s*$/.exec(part);
    if (!m) return undefined;
    ids.add(`${Number(m[1] ?? 1)}:${Number(m[2])}`);
  }
  return (rule) => ids.has(`${rule.gid}:${rule.sid}`);
}

/** A group is a file name, with or without `.rules`, also as a glob. */
function byGroup(group: string): RuleMatcher {
  const pattern = globToRegex(group);
  return (rule) => {
    const file = basename(rule.file);
    return pattern.test(file) || pattern.test(file.replace(/\.rules$/, ''));
  };
}

function byMetadata(text: string): RuleMatcher {
  const wanted = text.trim().replace(/\s+/g, ' ').toLowerCase();
  return (rule) =>
    rule.raw.options.some(
      (o) =>
        o.name === 'metadata' &&
        (o.value ?? '').split(',').some((part) => part.trim().replace(/\s+/g, ' ').toLowerCase() === wanted),
    );
}

/** Reads one matcher. @throws {Error} with a sentence for people. */
export function parseMatcher(line: string): RuleMatcher {
  const text = line.trim();
  const colon = text.indexOf(':');
  const kind = colon < 0 ? '' : text.slice(0, colon).trim();
  const rest = colon < 0 ? '' : text.slice(colon + 1).trim();
  if (text === '*') return () => true;
  if (kind === 're') {
    const pattern = pythonRegex(rest.replace(/^"(.*)"$/s, '$1'), 'i');
    return (rule) => pattern.test(rule.text);
  }
  if (kind === 'group') return byGroup(rest);
  if (kind === 'filename') {
    const pattern = globToRegex(rest);
    return (rule) => pattern.test(rule.file) || pattern.test(basename(rule.file));
  }
  if (kind === 'metadata') return byMetadata(rest);
  if (kind === 'proto') return (rule) => rule.raw.proto === rest.toLowerCase();
  const ids = byIds(text);
  if (ids) return ids;
  if (/^[\w*?.-]+\.rules$/.test(text)) return byGroup(text);
  throw new Error(`"${text}" is neither a sid, gid:sid, re:, group:, filename:, metadata: nor proto:`);
}
