import type {
  SiemAlertEvent,
  SiemAuditEvent,
  SiemDecisionEvent,
  SiemEvent,
  SiemGapEvent,
  SiemHealthEvent,
} from '../../domain/siem-event.js';
import { cleanText, cutText } from '../text.js';
import {
  eventClass,
  eventName,
  evidenceText,
  PRODUCT,
  protocolName,
  SEVERITY_FIELDS,
  targetAddress,
  VENDOR,
  type FormatContext,
} from './fields.js';

/** Longest value of each key that we send and that can grow (ArcSight CEF Implementation Standard, dictionary). */
const LIMIT = { act: 63, short: 31, id: 40, host: 100, device: 128, custom: 4000, text: 1023 } as const;

const SPACE = 0x20;
const LAST_PRINTABLE = 0x7e;
const BACKSLASH = 0x5c;
const EQUALS = 0x3d;
const PIPE = 0x7c;

/**
 * Whether a value is printable ASCII without outer spaces, as most are, and whether it must be escaped: quicker than a
 * pattern, and community ids all end with an equals sign.
 */
function looksOf(text: string, unsafe: number): 'plain' | 'escape' | 'clean' {
  const last = text.length - 1;
  if (last < 0 || text.charCodeAt(0) === SPACE || text.charCodeAt(last) === SPACE) return 'clean';
  let looks: 'plain' | 'escape' = 'plain';
  for (let i = 0; i <= last; i++) {
    const c = text.charCodeAt(i);
    if (c < SPACE || c > LAST_PRINTABLE) return 'clean';
    if (c === BACKSLASH || c === unsafe) looks = 'escape';
  }
  return looks;
}

/** Header field: one line, backslash and pipe escaped, nothing else. */
export function cefHeader(text: string, max: number): string {
  if (text.length <= max) {
    const looks = looksOf(text, PIPE);
    if (looks === 'plain') return text;
    if (looks === 'escape') return escapeHeader(text);
  }
  const clean = cleanText(text)
    .replace(/[\t\r\n]+/g, ' ')
    .trim();
  return escapeHeader(cutText(clean, max).trim());
}

/**
 * Extension value: backslash and equals sign escaped, line breaks as `\n` and `\r`; the pipe stays as it is.
 * Outer spaces are cut because parsers lose them. Empty when nothing is left.
 */
export function cefValue(text: string, max: number): string {
  if (text.length <= max) {
    const looks = looksOf(text, EQUALS);
    if (looks === 'plain') return text;
    if (looks === 'escape') return escapeValue(text);
  }
  const clean = cleanText(text).replace(/\t/g, ' ').trim();
  return escapeValue(cutText(clean, max).trim()).replace(/\n/g, '\\n').replace(/\r/g, '\\r');
}

function escapeValue(text: string): string {
  return text.replace(/[\\=]/g, '\\$&');
}

function escapeHeader(text: string): string {
  return text.replace(/[\\|]/g, '\\$&');
}

/**
 * ` key=value`, or nothing when the value is empty: an empty last value breaks parsers.
 * @param key with the space before and the equals sign after it: one piece of text less to join
 */
function text(key: string, value: string | undefined, max: number): string {
  if (value === undefined || value === '') return '';
  const safe = cefValue(value, max);
  return safe === '' ? '' : key + safe;
}

function number(key: string, value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? '' : key + String(Math.round(value));
}

/** A custom field with the label that gives it meaning; the label is one of ours and needs no escaping. */
function labelled(key: string, label: string, value: string | undefined, max: number = LIMIT.custom): string {
  const field = text(key, value, max);
  return field === '' ? '' : field + label;
}

function labelledNumber(key: string, label: string, value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? '' : key + String(value) + label;
}

/** IPv6 goes into the common key, which parsers read, and into the key that the standard has for it. */
function address(key: 'src' | 'dst', value: string | undefined): string {
  if (value === undefined || value === '') return '';
  const safe = cefValue(value, 64);
  if (!value.includes(':')) return ` ${key}=${safe}`;
  return key === 'src'
    ? ` src=${safe} c6a2=${safe} c6a2Label=Source IPv6 Address`
    : ` dst=${safe} c6a3=${safe} c6a3Label=Destination IPv6 Address`;
}

function alertFields(event: SiemAlertEvent, context: FormatContext): string {
  const attack = event.attack;
  const tactic = attack?.tacticId === undefined ? undefined : `${attack.tacticId} ${attack.tacticName ?? ''}`;
  return (
    (event.count > 1 ? ' type=1' : ' type=0') +
    text(' act=', event.action, LIMIT.act) +
    text(' cat=', event.category, LIMIT.text) +
    address('src', event.src.ip) +
    (event.src.port === undefined ? '' : ` spt=${event.src.port}`) +
    text(' smac=', event.src.mac, 17) +
    address('dst', event.dst.ip) +
    (event.dst.port === undefined ? '' : ` dpt=${event.dst.port}`) +
    text(' dmac=', event.dst.mac, 17) +
    text(' proto=', protocolName(event.proto), LIMIT.short) +
    text(' app=', event.appProto, LIMIT.short) +
    (event.direction === 'inbound'
      ? ' deviceDirection=0'
      : event.direction === 'outbound'
        ? ' deviceDirection=1'
        : '') +
    number(' in=', event.bytesFwd) +
    number(' out=', event.bytesBwd) +
    ` cnt=${event.count} start=${event.firstMs} end=${event.lastMs}` +
    text(' deviceInboundInterface=', event.interfaceName, LIMIT.device) +
    labelledNumber(' cfp1=', ' cfp1Label=Score', event.score) +
    labelledNumber(' cfp2=', ' cfp2Label=Confidence', event.confidence) +
    (context.cefVersion === 1 && attack !== undefined
      ? ` frameworkName=MITRE ATT&CK${text(' threatAttackID=', attack.techniqueId, 32)}`
      : '') +
    labelled(
      ' cs1=',
      ' cs1Label=MITRE technique',
      attack === undefined ? undefined : `${attack.techniqueId} ${attack.techniqueName}`,
    ) +
    labelled(' cs2=', ' cs2Label=MITRE tactic', tactic) +
    labelled(' cs3=', ' cs3Label=Community ID', event.communityId) +
    labelled(' cs4=', ' cs4Label=Decision ID', event.decisionId) +
    labelled(' cs5=', ' cs5Label=Label', event.label) +
    labelled(' flexString1=', ' flexString1Label=Tiers', event.tiers.join(','), LIMIT.text) +
    labelled(' flexString2=', ' flexString2Label=Incident ID', event.incidentId, LIMIT.text) +
    (event.evidence.length === 0 ? '' : labelled(' cs6=', ' cs6Label=Evidence', evidenceText(event)))
  );
}

function decisionFields(event: SiemDecisionEvent): string {
  return (
    ' type=3' +
    text(' act=', event.op, LIMIT.act) +
    text(' outcome=', event.outcome, LIMIT.act) +
    text(' cat=', `/Response/${event.action}`, LIMIT.text) +
    address('src', targetAddress(event)) +
    address('dst', event.dst?.ip) +
    (event.port === undefined ? '' : ` dpt=${event.port}`) +
    (event.proto === undefined ? '' : text(' proto=', protocolName(event.proto), LIMIT.short)) +
    text(' suser=', event.user, LIMIT.text) +
    labelledNumber(' cn1=', ' cn1Label=Duration seconds', event.durationSecs) +
    (event.expiresMs > 0 ? ` deviceCustomDate1=${event.expiresMs} deviceCustomDate1Label=Expires` : '') +
    labelledNumber(
      ' cn2=',
      ' cn2Label=Latency microseconds',
      event.latencyUs === undefined ? undefined : Math.round(event.latencyUs),
    ) +
    labelledNumber(' cn3=', ' cn3Label=Packets blocked', event.hitPackets) +
    labelled(' cs1=', ' cs1Label=Scope', event.scope) +
    labelled(' cs2=', ' cs2Label=Target', event.target) +
    labelled(' cs3=', ' cs3Label=Decision ID', event.decisionId) +
    labelled(' cs4=', ' cs4Label=Alert IDs', event.alertIds.join(',')) +
    labelled(' cs5=', ' cs5Label=Policy', event.policy) +
    labelled(' cs6=', ' cs6Label=Set', event.set) +
    labelled(' flexString1=', ' flexString1Label=Origin', event.origin, LIMIT.text) +
    labelled(' flexString2=', ' flexString2Label=Signature', event.signature, LIMIT.text) +
    text(' reason=', event.error === undefined ? event.reason : `${event.reason}: ${event.error}`, LIMIT.text)
  );
}

function healthFields(event: SiemHealthEvent): string {
  return (
    ' type=0' +
    text(' outcome=', event.status, LIMIT.act) +
    ' cat=/Health' +
    labelled(' cs1=', ' cs1Label=Component', event.component) +
    labelled(' cs2=', ' cs2Label=Details', detailsText(event.details))
  );
}

function gapFields(event: SiemGapEvent): string {
  return (
    ` type=0 cat=/Health/Gap start=${event.fromMs} end=${event.toMs}` +
    labelledNumber(' cn1=', ' cn1Label=Events lost', event.dropped) +
    labelled(' cs1=', ' cs1Label=Destination', event.destination) +
    text(' reason=', event.cause, LIMIT.text)
  );
}

function auditFields(event: SiemAuditEvent): string {
  return (
    ' type=0' +
    text(' act=', event.action, LIMIT.act) +
    text(' outcome=', event.outcome, LIMIT.act) +
    ' cat=/Audit' +
    address('src', event.address) +
    text(' suser=', event.user, LIMIT.text) +
    labelled(' cs1=', ' cs1Label=Object', event.object) +
    labelled(' cs2=', ' cs2Label=Details', detailsText(event.details))
  );
}

function detailsText(details: Record<string, string | number>): string {
  return Object.entries(details)
    .map(([key, value]) => `${key}: ${value}`)
    .join('; ');
}

/** Key of an added field: custom keys are alphanumeric and carry the product's name. */
function customKey(name: string): string {
  return VENDOR + name.replace(/(^|[^A-Za-z0-9]+)([A-Za-z0-9]?)/g, (_all, _gap, c: string) => c.toUpperCase());
}

function kindFields(event: SiemEvent, context: FormatContext): string {
  switch (event.kind) {
    case 'alert':
      return alertFields(event, context);
    case 'decision':
      return decisionFields(event);
    case 'health':
      return healthFields(event);
    case 'gap':
      return gapFields(event);
    case 'audit':
      return auditFields(event);
  }
}

/**
 * ArcSight Common Event Format, version 0 or 1. `rt` comes first because liblognorm <= 2.0.6 mangles the first key;
 * structured keys follow, free text comes last.
 */
export function formatCef(event: SiemEvent, context: FormatContext): string {
  let added = event.truncated === true ? ' PortcullisTruncated=true' : '';
  for (const [key, value] of context.add) added += text(` ${customKey(key)}=`, value, LIMIT.text);
  return (
    `CEF:${context.cefVersion}|${VENDOR}|${PRODUCT}|${cefHeader(context.productVersion, 31)}|` +
    `${cefHeader(eventClass(event), 1023)}|${cefHeader(eventName(event), 512)}|${SEVERITY_FIELDS[event.severity].cef}|` +
    `rt=${event.tsMs}${text(' externalId=', event.id, LIMIT.id)}${text(' dvchost=', event.sensor, LIMIT.host)}` +
    (context.hostIp === undefined ? '' : text(' dvc=', context.hostIp, 64)) +
    kindFields(event, context) +
    added +
    text(' msg=', event.message, LIMIT.text)
  );
}
