import type { AttackReference } from '../../domain/detection.js';
import type { SiemAlertEvent, SiemDecisionEvent, SiemEndpoint, SiemEvent } from '../../domain/siem-event.js';
import { cleanDeep, cleanText } from '../text.js';
import {
  DECISION_FIELDS,
  eventClass,
  eventName,
  evidenceText,
  orElse,
  parentTechnique,
  PRODUCT,
  protocolName,
  SEVERITY_FIELDS,
  targetAddress,
  VENDOR,
  type FormatContext,
} from './fields.js';

export const ECS_VERSION = '9.4.0';

/** A JSON object being built; undefined and empty members vanish when it is written. */
export type Fields = Record<string, unknown>;

/** Texts cleaned; undefined values, empty texts, empty lists and empty objects left out, at any depth. */
export function compact(value: Fields): Fields {
  const out: Fields = {};
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined || (typeof item === 'number' && !Number.isFinite(item))) continue;
    if (typeof item === 'string') {
      const text = cleanText(item);
      if (text !== '') out[key] = text;
    } else if (Array.isArray(item)) {
      const list = item.map((entry: unknown) => cleanDeep(entry)).filter((entry) => entry !== '');
      if (list.length > 0) out[key] = list;
    } else if (typeof item === 'object' && item !== null) {
      const inner = compact(item as Fields);
      if (Object.keys(inner).length > 0) out[key] = inner;
    } else {
      out[key] = item;
    }
  }
  return out;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0);
}

/** ECS wants upper case with dashes (RFC 7042). */
function mac(text: string | undefined): string | undefined {
  return text?.toUpperCase().replaceAll(':', '-');
}

function endpoint(end: SiemEndpoint, bytes?: number, packets?: number): Fields {
  return { ip: end.ip, address: end.ip, port: end.port, mac: mac(end.mac), bytes, packets };
}

function threat(attack: AttackReference | undefined): Fields | undefined {
  if (!attack) return undefined;
  const parent = parentTechnique(attack.techniqueId);
  const isSub = parent !== attack.techniqueId;
  const list = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : [text]);
  return {
    framework: 'MITRE ATT&CK',
    tactic: { id: list(attack.tacticId), name: list(attack.tacticName) },
    technique: {
      id: [parent],
      name: isSub ? [] : list(attack.techniqueName),
      subtechnique: isSub ? { id: [attack.techniqueId], name: list(attack.techniqueName) } : undefined,
    },
  };
}

function alertFields(event: SiemAlertEvent): Fields {
  const denied = event.action === 'blocked';
  return {
    event: {
      kind: 'alert',
      category: ['intrusion_detection', 'network'],
      type: ['info', denied ? 'denied' : 'allowed'],
      action: `alert_${event.action}`,
      outcome: 'success',
      start: iso(event.firstMs),
      end: iso(event.lastMs),
      risk_score: event.score,
    },
    rule: {
      id: eventClass(event),
      name: event.title,
      version: String(event.rev),
      ruleset: event.tiers[0],
      category: event.category,
    },
    threat: threat(event.attack),
    source: endpoint(event.src, event.bytesFwd, event.packetsFwd),
    destination: endpoint(event.dst, event.bytesBwd, event.packetsBwd),
    network: {
      transport: protocolName(event.proto).toLowerCase(),
      iana_number: event.proto > 0 ? String(event.proto) : undefined,
      protocol: event.appProto?.toLowerCase(),
      type: event.src.ip.includes(':') ? 'ipv6' : 'ipv4',
      direction: event.direction,
      community_id: event.communityId,
      bytes: sum(event.bytesFwd, event.bytesBwd),
      packets: sum(event.packetsFwd, event.packetsBwd),
    },
    related: { ip: unique([event.src.ip, event.dst.ip]) },
    labels: {
      label: event.label,
      tiers: event.tiers.join(','),
      confidence: String(event.confidence),
      event_count: String(event.count),
      decision_id: event.decisionId,
      incident_id: event.incidentId,
      alert_id: event.alertId,
      evidence: evidenceText(event).slice(0, 1000),
    },
  };
}

function decisionFields(event: SiemDecisionEvent): Fields {
  const row = DECISION_FIELDS[event.op];
  const address = targetAddress(event);
  return {
    event: {
      kind: 'event',
      category: ['network', 'intrusion_detection'],
      type: row.ecsType === 'info' ? ['info'] : ['info', row.ecsType],
      action: event.action === 'block' ? row.ecsAction : `${event.op}_${event.action}`,
      outcome: event.outcome,
      end: event.expiresMs > 0 ? iso(event.expiresMs) : undefined,
    },
    rule: { id: event.policy, name: event.signature ?? event.policy, ruleset: 'policy', category: event.category },
    source: address === undefined ? { address: event.target } : { ip: address, address },
    destination: event.dst && endpoint(event.dst),
    network: {
      transport: event.proto === undefined ? undefined : protocolName(event.proto).toLowerCase(),
      type: event.target.includes(':') ? 'ipv6' : 'ipv4',
    },
    user: { name: event.user },
    error: { message: event.error },
    related: {
      ip: unique([address, event.dst?.ip].filter((ip) => ip !== undefined)),
      user: [event.user ?? ''],
    },
    labels: {
      operation: event.op,
      measure: event.action,
      scope: event.scope,
      target: event.target,
      origin: event.origin,
      actor: event.actor,
      decision_id: event.decisionId,
      alert_ids: event.alertIds.join(','),
      duration_s: String(event.durationSecs),
      set: event.set,
      latency_us: event.latencyUs === undefined ? undefined : String(event.latencyUs),
    },
  };
}

function restFields(event: Exclude<SiemEvent, SiemAlertEvent | SiemDecisionEvent>): Fields {
  switch (event.kind) {
    case 'health':
      return {
        event: {
          kind: 'event',
          category: ['host'],
          type: ['info'],
          action: `health_${event.status}`,
          outcome: event.status === 'failed' ? 'failure' : 'success',
        },
        labels: { component: event.component, status: event.status, ...details(event.details) },
      };
    case 'gap':
      return {
        event: {
          kind: 'event',
          category: ['host'],
          type: ['info'],
          action: 'events_lost',
          outcome: 'failure',
          start: iso(event.fromMs),
          end: iso(event.toMs),
        },
        labels: { destination: event.destination, events_lost: String(event.dropped), cause: event.cause },
      };
    case 'audit':
      return {
        event: {
          kind: 'event',
          category: ['configuration'],
          type: ['change'],
          action: event.action,
          outcome: event.outcome,
        },
        source: event.address === '' ? undefined : { ip: event.address, address: event.address },
        user: { name: event.user },
        related: { user: [event.user], ip: [event.address] },
        labels: { object: event.object, ...details(event.details) },
      };
  }
}

/** Labels are flat keywords: a name without dots, a value that is text. */
function details(map: Record<string, string | number>): Fields {
  return Object.fromEntries(
    Object.entries(map).map(([key, value]) => [`detail_${key.replace(/[^A-Za-z0-9_]/g, '_')}`, String(value)]),
  );
}

function unique(list: readonly string[]): string[] {
  return [...new Set(list.filter((item) => item !== ''))];
}

/** The event as an Elastic Common Schema 9.4 document. */
export function toEcs(event: SiemEvent, context: FormatContext): Fields {
  const specific =
    event.kind === 'alert' ? alertFields(event) : event.kind === 'decision' ? decisionFields(event) : restFields(event);
  const labels = { ...(specific['labels'] as Fields), ...Object.fromEntries(context.add) };
  const common: Fields = {
    '@timestamp': iso(event.tsMs),
    message: orElse(event.message, eventName(event)),
    ecs: { version: ECS_VERSION },
    data_stream: { type: 'logs', dataset: context.dataset, namespace: context.namespace },
    observer: {
      vendor: VENDOR,
      product: PRODUCT,
      version: context.productVersion,
      type: 'ips',
      name: event.sensor,
      hostname: context.hostName,
      ip: context.hostIp === undefined ? [] : [context.hostIp],
      ingress: event.kind === 'alert' ? { interface: { name: event.interfaceName } } : undefined,
    },
  };
  const header: Fields = {
    id: event.id,
    code: eventClass(event),
    created: iso(event.tsMs),
    module: 'portcullis',
    dataset: context.dataset,
    provider: 'portcullis',
    severity: SEVERITY_FIELDS[event.severity].ecs,
    reason: event.kind === 'decision' ? event.reason : event.kind === 'alert' ? event.message : undefined,
  };
  return compact({
    ...common,
    ...specific,
    event: { ...header, ...(specific['event'] as Fields) },
    labels: { ...labels, severity: event.severity },
    tags: event.truncated === true ? ['truncated'] : [],
  });
}

export function formatEcs(event: SiemEvent, context: FormatContext): string {
  return JSON.stringify(toEcs(event, context));
}
