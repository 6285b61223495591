import { unquote } from '../parse/rule.js';
import { parseNumber } from '../parse/number.js';
import type { RuleBuilder } from './builder.js';
import type { Keyword } from './payload.js';

function metadata(b: RuleBuilder, value: string): void {
  for (const part of value.split(',')) {
    const text = part.trim();
    const space = text.search(/\s/);
    if (text === '') continue;
    const key = space < 0 ? text : text.slice(0, space);
    (b.rule.metadata[key] ??= []).push(space < 0 ? '' : text.slice(space + 1).trim());
  }
}

const PRIORITIES = { from: 1, to: 255 };

/** Keywords that describe a rule and do not look at traffic. */
export const META_KEYWORDS: Readonly<Record<string, Keyword>> = {
  msg: (b, value) => {
    b.rule.message = unquote(value);
  },
  sid: (b, value) => {
    b.rule.signatureId = parseNumber(value, 0, 0xffffffff);
  },
  gid: (b, value) => {
    b.rule.gid = parseNumber(value, 0, 0xffffffff);
  },
  rev: (b, value) => {
    b.rule.rev = parseNumber(value, 0, 0xffffffff);
  },
  classtype: (b, value) => {
    b.rule.classtype = unquote(value);
  },
  priority: (b, value) => {
    b.rule.priority = parseNumber(value, PRIORITIES.from, PRIORITIES.to);
  },
  reference: (b, value) => {
    b.rule.references.push(unquote(value));
  },
  metadata,
  target: (b, value) => {
    if (value !== 'src_ip' && value !== 'dest_ip') throw new Error(`"${value}" is neither src_ip nor dest_ip`);
    b.rule.target = value === 'src_ip' ? 'src' : 'dst';
  },
  // What follows asks for logging or performance and never decides whether the rule fires.
  prefilter: () => undefined,
  filestore: () => undefined,
  logto: () => undefined,
  requires: () => undefined,
};
