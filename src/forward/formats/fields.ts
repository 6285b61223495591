import type { SiemDecisionEvent, SiemEvent } from '../../domain/siem-event.js';
import type { Severity } from '../../domain/severity.js';
import { cleanText } from '../text.js';

/** Who we are in headers and observer fields. */
export const VENDOR = 'Portcullis';
export const PRODUCT = 'Portcullis';

/** What a format may know besides the event. */
export interface FormatContext {
  /** Version of Portcullis. */
  productVersion: string;
  /** Host name of this box. */
  hostName: string;
  /** Address of this box as the receiver should know it. */
  hostIp?: string;
  /** Fixed fields of the destination, e.g. `site: hq`. */
  add: readonly (readonly [string, string])[];
  cefVersion: 0 | 1;
  /** Elastic data stream: `logs-<dataset>-<namespace>`. */
  dataset: string;
  namespace: string;
  /** Splunk index and source type; no index means the token's default. */
  splunkIndex?: string;
  splunkSourcetype: string;
}

/** A format: one event in, one line of text out; pure, and safe for hostile strings by itself. */
export type Formatter = (event: SiemEvent, context: FormatContext) => string;

interface SeverityRow {
  /** CEF and LEEF, 0..10. */
  cef: number;
  /** RFC 5424 6.2.1. */
  syslog: number;
  /** Suricata: 1 is worst. */
  eve: number;
  /** Elastic's risk steps. */
  ecs: number;
  ocsf: number;
  ocsfName: string;
  cim: string;
  otlp: number;
  otlpText: string;
}

/** One severity in the words of every format. */
export const SEVERITY_FIELDS: Readonly<Record<Severity, SeverityRow>> = {
  info: {
    cef: 1,
    syslog: 6,
    eve: 3,
    ecs: 21,
    ocsf: 1,
    ocsfName: 'Informational',
    cim: 'informational',
    otlp: 9,
    otlpText: 'INFO',
  },
  low: { cef: 3, syslog: 5, eve: 3, ecs: 21, ocsf: 2, ocsfName: 'Low', cim: 'low', otlp: 10, otlpText: 'INFO2' },
  medium: {
    cef: 5,
    syslog: 4,
    eve: 2,
    ecs: 47,
    ocsf: 3,
    ocsfName: 'Medium',
    cim: 'medium',
    otlp: 13,
    otlpText: 'WARN',
  },
  high: { cef: 8, syslog: 3, eve: 1, ecs: 73, ocsf: 4, ocsfName: 'High', cim: 'high', otlp: 17, otlpText: 'ERROR' },
  critical: {
    cef: 10,
    syslog: 2,
    eve: 1,
    ecs: 99,
    ocsf: 5,
    ocsfName: 'Critical',
    cim: 'critical',
    otlp: 21,
    otlpText: 'FATAL',
  },
};

interface DecisionRow {
  /** What a person reads as the event's name. */
  name: string;
  ecsAction: string;
  /** ECS `event.type` besides `info`; the rule of ECS allows only these for intrusion_detection. */
  ecsType: 'allowed' | 'denied' | 'info';
  /** CIM and EVE know only these two. */
  verdict: 'allowed' | 'blocked';
  /** OCSF 7004 activity: 1 Isolate, 3 Restore, 99 Other. */
  ocsfActivity: 1 | 3 | 99;
}

/** One decision operation in the words of every format. */
export const DECISION_FIELDS: Readonly<Record<SiemDecisionEvent['op'], DecisionRow>> = {
  block: { name: 'Address blocked', ecsAction: 'block_ip', ecsType: 'denied', verdict: 'blocked', ocsfActivity: 1 },
  unblock: {
    name: 'Address released',
    ecsAction: 'unblock_ip',
    ecsType: 'allowed',
    verdict: 'allowed',
    ocsfActivity: 3,
  },
  extend: { name: 'Block extended', ecsAction: 'extend_block', ecsType: 'denied', verdict: 'blocked', ocsfActivity: 1 },
  simulated: {
    name: 'Block simulated',
    ecsAction: 'simulate_block',
    ecsType: 'info',
    verdict: 'allowed',
    ocsfActivity: 99,
  },
  refused: { name: 'Block refused', ecsAction: 'refuse_block', ecsType: 'info', verdict: 'allowed', ocsfActivity: 99 },
};

const PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'ICMP',
  2: 'IGMP',
  4: 'IPIP',
  6: 'TCP',
  17: 'UDP',
  41: 'IPv6',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'IPv6-ICMP',
  132: 'SCTP',
};

/** IANA keyword of an IP protocol number; the number itself when it has none here, empty for 0. */
export function protocolName(proto: number): string {
  return proto === 0 ? '' : (PROTOCOLS[proto] ?? String(proto));
}

/** The sub-technique's parent: `T1110.001` -> `T1110`. */
export function parentTechnique(id: string): string {
  const dot = id.indexOf('.');
  return dot < 0 ? id : id.slice(0, dot);
}

/** The target of a decision when it is one address, not a prefix. */
export function targetAddress(event: SiemDecisionEvent): string | undefined {
  return event.target.includes('/') ? undefined : event.target;
}

/** The text, or something else when nothing readable is in it. */
export function orElse(text: string | undefined, fallback: string): string {
  return text === undefined || cleanText(text).trim() === '' ? fallback : text;
}

/** Evidence as one line for people: `distinct_ports=212; matched_bytes=...`. */
export function evidenceText(event: Extract<SiemEvent, { kind: 'alert' }>): string {
  let out = '';
  for (const item of event.evidence) {
    const text =
      item.text ?? `${item.name}=${item.value}${item.unit === undefined || item.unit === '' ? '' : ` ${item.unit}`}`;
    out += out === '' ? text : `; ${text}`;
  }
  return out;
}

/** Stable class of an event, e.g. `1:2001219`, `decision:block`, `health:spool`. */
export function eventClass(event: SiemEvent): string {
  switch (event.kind) {
    case 'alert':
      return `${event.gid}:${event.signatureId}`;
    case 'decision':
      return `decision:${event.op}`;
    case 'health':
      return `health:${event.component}`;
    case 'gap':
      return `gap:${event.cause}`;
    case 'audit':
      return `audit:${event.action}`;
  }
}

const ENDINGS: Readonly<Record<SiemDecisionEvent['op'], string>> = {
  block: 'applied',
  unblock: 'lifted',
  extend: 'extended',
  simulated: 'simulated',
  refused: 'refused',
};

/** `Address blocked`; for the milder actions `Rate limit applied`, `Watch lifted` and the like. */
function decisionName(event: SiemDecisionEvent): string {
  if (event.action === 'rate_limit') return `Rate limit ${ENDINGS[event.op]}`;
  if (event.action === 'watch') return `Watch ${ENDINGS[event.op]}`;
  return DECISION_FIELDS[event.op].name;
}

/** Name of an event: repeats nothing that has a field of its own. */
export function eventName(event: SiemEvent): string {
  switch (event.kind) {
    case 'alert':
      return event.title;
    case 'decision':
      return decisionName(event);
    case 'health':
      return 'Health changed';
    case 'gap':
      return 'Events lost';
    case 'audit':
      return 'Operator action';
  }
}
