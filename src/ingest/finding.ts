import type { AttackReference } from '../domain/detection.js';
import { SEVERITIES, type Severity } from '../domain/severity.js';
import { formatIp, parseIp } from '../util/ip.js';

/** What another program reported, in our words; every text is cut and free of control characters. */
export interface Finding {
  product: string;
  /** 1 and up: the generator of a rule; see {@link FORMAT_GID} for the rest. */
  gid: number;
  signatureId: number;
  rev: number;
  title: string;
  category: string;
  /** Machine label. */
  label: string;
  severity: Severity;
  srcIp: string;
  srcPort: number;
  dstIp: string;
  dstPort: number;
  /** IP protocol number, 0 = not known. */
  proto: number;
  /** Held responsible; the source unless stated. */
  offender?: string;
  /** Epoch milliseconds; undefined: when it arrived. */
  atMs?: number;
  /** The reporter saw both directions of the conversation. */
  isEstablished: boolean;
  /** What the reporter did: `blocked`, `deny`. */
  action?: string;
  flowId?: number;
  communityId?: string;
  appProto?: string;
  attack?: AttackReference;
  /** The reporter's own name, when the message says it. */
  device?: string;
}

/** What a line turned out to be. */
export type Parsed =
  | { kind: 'finding'; finding: Finding }
  /** Understood, and nothing to act on: an allowed connection, another type of event. */
  | { kind: 'ignored' }
  | { kind: 'malformed' };

export const IGNORED: Parsed = { kind: 'ignored' };
export const MALFORMED: Parsed = { kind: 'malformed' };

/** Generators of formats whose findings have none; EVE keeps those of its rules. */
export const FORMAT_GID = { cef: 101, leef: 102, netfilter: 103, filterlog: 104, fortigate: 105 } as const;

/** Control characters become spaces, and the rest is cut. */
export function clean(value: unknown, max = 200): string {
  const text = typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
  return text
    .slice(0, 4 * max)
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
    .trim()
    .slice(0, max)
    .replaceAll(/\p{Surrogate}/gu, '\ufffd');
}

/** `Attempted Information Leak` -> `attempted-information-leak`. */
export function slug(text: string, otherwise: string): string {
  const made = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 64);
  return made === '' ? otherwise : made;
}

/** Canonical text of an address, or undefined. */
export function address(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 64) return undefined;
  const ip = parseIp(value);
  return ip ? formatIp(ip) : undefined;
}

/** The unspecified address of the same family: the message names no other end. */
export function unspecified(likeIp: string): string {
  return likeIp.includes(':') ? '::' : '0.0.0.0';
}

export function port(value: unknown): number {
  const n =
    typeof value === 'number' ? value : typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : 0;
  return Number.isInteger(n) && n > 0 && n <= 65_535 ? n : 0;
}

const PROTOCOLS: Readonly<Record<string, number>> = {
  icmp: 1, igmp: 2, tcp: 6, udp: 17, gre: 47, esp: 50, ah: 51, icmpv6: 58, 'ipv6-icmp': 58, sctp: 132,
}; // prettier-ignore

/** Protocol number of a name or number; 0 = not known. */
export function protocol(value: unknown): number {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 && value <= 255 ? value : 0;
  if (typeof value !== 'string') return 0;
  if (/^\d{1,3}$/.test(value)) return protocol(Number(value));
  const name = value.toLowerCase();
  return Object.hasOwn(PROTOCOLS, name) ? PROTOCOLS[name]! : 0;
}

/** 0..10 of CEF and LEEF. */
export function severityOfTen(value: number): Severity {
  if (value >= 9) return 'critical';
  if (value >= 7) return 'high';
  if (value >= 4) return 'medium';
  return value >= 2 ? 'low' : 'info';
}

/** Names that products use: ours, `notice`, `warning`, `error`, `Very-High`. */
export function severityOfName(name: string, otherwise: Severity): Severity {
  const lower = name.toLowerCase();
  const known = SEVERITIES.find((s) => s === lower);
  if (known) return known;
  if (/^(emerg|alert|very-?high|fatal)/.test(lower)) return 'critical';
  if (/^(err|crit)/.test(lower)) return 'high';
  if (/^(warn)/.test(lower)) return 'medium';
  if (/^(notice)/.test(lower)) return 'low';
  return /^(info|unknown|debug)/.test(lower) ? 'info' : otherwise;
}

/** Words of a firewall that mean that it let nothing through. */
export function isDenial(action: string): boolean {
  return /\b(deny|denied|drop|dropped|block|blocked|reject|rejected|reset|prevent|prevented|discard|quarantine)/i.test(
    action,
  );
}

/** Words that mean that traffic passed. */
export function isPass(action: string): boolean {
  return /^(allow|allowed|accept|accepted|pass|passed|permit|permitted|close|ip-conn|start|client-rst|server-rst|timeout)$/i.test(
    action,
  );
}

/** A number for a rule that only has a name: the same for the same name. */
export function idOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 1 || 1;
}
