import { hasNegation } from './parse/address.js';
import type { RawRule, RuleOption } from './parse/rule.js';
import type { Rule } from './rule.js';
import type { Scene } from './scene.js';

/** Options that leave a rule one about addresses: what an alert says, how often it is given, bits of flows and hosts. */
const ALLOWED: ReadonlySet<string> = new Set(
  (
    'msg sid rev gid classtype priority metadata reference requires target noalert alert tag threshold detection_filter ' +
    'flowbits xbits hostbits ip_proto l3_proto iprep'
  ).split(' '),
);

/** Of bits of flows only those that are set: what tests them, unsets or toggles looks at each packet. */
const isAllowed = ({ name, value }: RuleOption): boolean =>
  ALLOWED.has(name) && (name !== 'flowbits' || /^\s*(set\b|noalert)/.test(value ?? ''));

/**
 * A rule that asks for protocol, addresses and ports only ("IP-only" in Suricata): it looks at the first packet of each
 * direction of a flow. Addresses with a negation make it one about packets.
 */
export function isAboutAddresses(rule: Rule, raw: RawRule, variables: ReadonlyMap<string, string>): boolean {
  if (rule.kind !== 'packet' || rule.flowTests.length > 0 || rule.towards !== 3) return false;
  if (!raw.options.every(isAllowed)) return false;
  return !hasNegation(raw.src, variables) && !hasNegation(raw.dst, variables);
}

/** The packet at hand is the first of its direction, or belongs to no flow. */
export function isFirstOfDirection({ flows, slot, direction }: Scene): boolean {
  if (!flows || slot < 0) return true;
  return (direction === 0 ? flows.packetsFwd : flows.packetsBwd)[slot]! <= 1;
}
