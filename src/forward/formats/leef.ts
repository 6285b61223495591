import type { SiemAlertEvent, SiemDecisionEvent, SiemEvent } from '../../domain/siem-event.js';
import { cutText, oneLine } from '../text.js';
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

const LONG = 2000;

/** LEEF has no escaping: the header's separator becomes a slash, line breaks and tabs become spaces. */
function headerField(text: string, max: number): string {
  return cutText(oneLine(text).replaceAll('|', '/'), max);
}

/** The line under construction; a key is written once and never empty. */
class Attributes {
  private readonly parts: string[] = [];
  private readonly seen = new Set<string>();

  add(key: string, value: string | number | undefined, max: number = LONG): this {
    if (value === undefined || this.seen.has(key)) return this;
    const text =
      typeof value === 'number' ? (Number.isFinite(value) ? String(value) : '') : cutText(oneLine(value), max);
    if (text === '') return this;
    this.seen.add(key);
    this.parts.push(`${key}=${text}`);
    return this;
  }

  toString(): string {
    return this.parts.join('\t');
  }
}

/** EventID: with `cat` it selects the QID, so both are fixed words. */
function eventId(event: SiemEvent): string {
  return event.kind === 'alert' ? eventClass(event) : eventClass(event).replace(':', '-');
}

function addAlert(out: Attributes, event: SiemAlertEvent): void {
  out
    .add('cat', event.category === '' ? event.label : event.category, 255)
    .add('src', event.src.ip)
    .add('dst', event.dst.ip)
    .add('srcPort', event.src.port)
    .add('dstPort', event.dst.port)
    .add('srcMAC', event.src.mac)
    .add('dstMAC', event.dst.mac)
    .add('proto', protocolName(event.proto))
    .add('srcBytes', event.bytesFwd)
    .add('dstBytes', event.bytesBwd)
    .add('srcPackets', event.packetsFwd)
    .add('dstPackets', event.packetsBwd)
    .add('signature', event.title)
    .add('action', event.action)
    .add('eventCount', event.count)
    .add('firstSeen', event.firstMs)
    .add('lastSeen', event.lastMs)
    .add('score', event.score)
    .add('confidence', event.confidence)
    .add('label', event.label)
    .add('tiers', event.tiers.join(','))
    .add('direction', event.direction)
    .add('appProto', event.appProto)
    .add('mitreTechnique', event.attack?.techniqueId)
    .add('mitreTactic', event.attack?.tacticId)
    .add('communityId', event.communityId)
    .add('decisionUid', event.decisionId)
    .add('incidentUid', event.incidentId)
    .add('evidence', evidenceText(event));
}

function addDecision(out: Attributes, event: SiemDecisionEvent): void {
  out
    .add('cat', 'Response')
    .add('src', targetAddress(event))
    .add('dst', event.dst?.ip)
    .add('dstPort', event.port)
    .add('proto', event.proto === undefined ? undefined : protocolName(event.proto))
    .add('usrName', event.user, 255)
    .add('policy', event.policy)
    .add('action', event.op)
    .add('measure', event.action)
    .add('outcome', event.outcome)
    .add('target', event.target)
    .add('scope', event.scope)
    .add('origin', event.origin)
    .add('durationSeconds', event.durationSecs)
    .add('expires', event.expiresMs > 0 ? event.expiresMs : undefined)
    .add('latencyMicroseconds', event.latencyUs)
    .add('decisionUid', event.decisionId)
    .add('alertUids', event.alertIds.join(','))
    .add('signature', event.signature)
    .add('reason', event.reason)
    .add('error', event.error);
}

function addRest(out: Attributes, event: Exclude<SiemEvent, SiemAlertEvent | SiemDecisionEvent>): void {
  switch (event.kind) {
    case 'health':
      out.add('cat', 'Health').add('component', event.component).add('status', event.status);
      break;
    case 'gap':
      out.add('cat', 'Gap').add('destination', event.destination).add('eventsLost', event.dropped);
      out.add('firstSeen', event.fromMs).add('lastSeen', event.toMs).add('reason', event.cause);
      return;
    case 'audit':
      out.add('cat', 'Audit').add('src', event.address).add('usrName', event.user, 255).add('action', event.action);
      out.add('resource', event.object).add('outcome', event.outcome);
      break;
  }
  for (const [key, value] of Object.entries(event.details)) out.add(`detail${key.replace(/[^A-Za-z0-9]/g, '')}`, value);
}

/** IBM Log Event Extended Format 2.0, tab separated. `devTime` is a 13-digit epoch and needs no devTimeFormat. */
export function formatLeef(event: SiemEvent, context: FormatContext): string {
  const out = new Attributes();
  out.add('devTime', event.tsMs).add('sev', SEVERITY_FIELDS[event.severity].cef);
  if (event.kind === 'alert') addAlert(out, event);
  else if (event.kind === 'decision') addDecision(out, event);
  else addRest(out, event);
  out.add('eventUid', event.id).add('sensor', event.sensor).add('eventName', eventName(event));
  if (event.truncated === true) out.add('truncated', 'true');
  for (const [key, value] of context.add) out.add(key, value);
  out.add('msg', event.message);
  const header = [VENDOR, PRODUCT, headerField(context.productVersion, 31), headerField(eventId(event), 255)].join('|');
  return `LEEF:2.0|${header}|x09|${out.toString()}`;
}
