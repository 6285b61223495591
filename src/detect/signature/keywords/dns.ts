import type { Direction } from '../../../domain/flow.js';
import { splitAmong } from '../parse/among.js';
import type { RuleBuilder } from './builder.js';
import { addNumber, codeRange, useProtos } from './numbers.js';
import type { Keyword } from './payload.js';

const MAX_CODE = 0xffff;

const byOrder = (names: string): Readonly<Record<string, number>> =>
  Object.fromEntries(names.split(' ').flatMap((name, i) => (name === '-' ? [] : [[name, i]])));

/** Operations (IANA, DNS OpCodes). */
export const DNS_OPCODES = byOrder('query iquery status - notify update dso');

/** Outcomes (IANA, DNS RCODEs). */
export const DNS_RCODES: Readonly<Record<string, number>> = {
  ...byOrder('noerror formerr servfail nxdomain notimp refused yxdomain yxrrset nxrrset notauth notzone dsotypeni - - - - badvers badkey badtime badmode badname badalg badtrunc badcookie'), // prettier-ignore
  badsig: 16,
};

/** Types of records (IANA, Resource Record TYPEs). */
const DNS_TYPES: Readonly<Record<string, number>> = {
  ...byOrder('- a ns md mf cname soa mb mg mr null wks ptr hinfo minfo mx txt rp afsdb x25 isdn rt nsap nsapptr sig key px gpos aaaa loc nxt eid nimloc srv atma naptr kx cert a6 dname sink opt apl ds sshfp ipseckey rrsig nsec dnskey dhcid nsec3 nsec3param tlsa smimea - hip ninfo rkey talink cds cdnskey openpgpkey csync zonemd svcb https'), // prettier-ignore
  ...{ spf: 99, tkey: 249, tsig: 250, ixfr: 251, axfr: 252, mailb: 253, maila: 254, any: 255, uri: 256, caa: 257 },
};

/** A keyword about a number in the header of a message. */
export function dnsNumber(name: string, names: Readonly<Record<string, number>>, direction?: Direction): Keyword {
  return (b, value) => {
    addNumber(b, name, codeRange(value, names, MAX_CODE), ['dns'], direction);
  };
}

/** `dns.rrtype`: types asked for in a request, types of the answers in a response. */
export function dnsType(b: RuleBuilder, value: string): void {
  const { range: text, among } = splitAmong(value);
  const range = codeRange(text, DNS_TYPES, MAX_CODE);
  b.rule.transactionTests.push({ kind: 'number', name: 'dns.rrtype', range, among, direction: undefined });
  useProtos(b, ['dns']);
}
