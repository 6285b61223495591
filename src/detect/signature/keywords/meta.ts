import { unquote } from '../parse/rule.js';
import { parseNumber } from '../parse/number.js';
import { own } from '../../../util/own.js';
import type { RuleBuilder } from './builder.js';
import type { Keyword } from './payload.js';

function metadata(b: RuleBuilder, value: string): void {
  for (const part of value.split(',')) {
    const text = part.trim();
    const space = text.search(/\s/);
    if (text === '') continue;
    const key = space < 0 ? text : text.slice(0, space);
    const said = own(b.rule.metadata, key) ?? [];
    said.push(space < 0 ? '' : text.slice(space + 1).trim());
    b.rule.metadata[key] = said;
  }
}

const PRIORITIES = { from: 1, to: 255 };

/**
 * `logging disable, type tx|flow, scope tx|flow`: what Suricata shall not log. Here policies decide that, so it has no effect.
 * @throws {Error} when it is not that.
 */
function config(_: RuleBuilder, value: string): void {
  if (!/^\s*logging\s+disable\s*,\s*type\s+(tx|flow)\s*,\s*scope\s+(tx|flow)\s*$/.test(value))
    throw new Error('is logging disable, type tx or flow, scope tx or flow');
}

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
    b.rule.rev = parseNumber(value, 1, 0xffffffff);
  },
  classtype: (b, value) => {
    b.rule.classtype = value;
  },
  priority: (b, value) => {
    b.rule.priority = parseNumber(value, PRIORITIES.from, PRIORITIES.to);
  },
  reference: (b, value) => {
    if (!value.includes(',')) throw new Error('needs a system and an identifier, such as cve,2021-44228');
    b.rule.references.push(value);
  },
  metadata,
  target: (b, value) => {
    if (value !== 'src_ip' && value !== 'dest_ip') throw new Error(`"${value}" is neither src_ip nor dest_ip`);
    const target = value === 'src_ip' ? 'src' : 'dst';
    if ((b.rule.target ?? target) !== target) throw new Error('is given twice');
    b.rule.target = target;
  },
  // What follows asks for logging or performance and never decides whether the rule fires.
  prefilter: () => undefined,
  logto: () => undefined,
  // Looked at before the others: see `meetsRequirements`.
  requires: () => undefined,
  config,
};
