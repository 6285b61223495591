import type { AttackReference } from '../../domain/detection.js';
import type { SiemAlertEvent, SiemDecisionEvent, SiemEndpoint, SiemEvent } from '../../domain/siem-event.js';
import { compact, type Fields } from './ecs.js';
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

export const OCSF_VERSION = '1.8.0';

const OBSERVABLE_IP = 2;
/** analytic.type_id: 1 Rule, 2 Behavioral, 4 Learning (ML/DL), 99 Other. */
const ANALYTIC_TYPE: Readonly<Record<string, { id: number; name: string }>> = {
  signature: { id: 1, name: 'Rule' },
  behaviour: { id: 2, name: 'Behavioral' },
  classification: { id: 4, name: 'Learning (ML/DL)' },
  anomaly: { id: 4, name: 'Learning (ML/DL)' },
  intel: { id: 99, name: 'Other' },
};

function metadata(event: SiemEvent, context: FormatContext, extra: Fields = {}): Fields {
  return {
    version: OCSF_VERSION,
    product: { name: PRODUCT, vendor_name: VENDOR, version: context.productVersion },
    uid: event.id,
    event_code: eventClass(event),
    log_source: event.sensor,
    is_truncated: event.truncated,
    ...extra,
  };
}

function attacks(attack: AttackReference | undefined): Fields[] {
  if (!attack) return [];
  const parent = parentTechnique(attack.techniqueId);
  const isSub = parent !== attack.techniqueId;
  return [
    compact({
      tactic: { uid: attack.tacticId, name: attack.tacticName },
      technique: isSub ? { uid: parent } : { uid: attack.techniqueId, name: attack.techniqueName },
      sub_technique: isSub ? { uid: attack.techniqueId, name: attack.techniqueName } : undefined,
    }),
  ];
}

function endpoint(end: SiemEndpoint, extra: Fields = {}): Fields {
  return { ip: end.ip, port: end.port, mac: end.mac, ...extra };
}

function addressObservable(name: string, value: string): Fields {
  return { name, type: 'IP Address', type_id: OBSERVABLE_IP, value };
}

/** direction_id: 1 Inbound, 2 Outbound, 3 Lateral, 0 Unknown. */
function connection(event: SiemAlertEvent): Fields {
  const row = { inbound: [1, 'Inbound'], outbound: [2, 'Outbound'], internal: [3, 'Lateral'] } as const;
  const [id, name] = event.direction === undefined ? [0, 'Unknown'] : row[event.direction];
  return {
    direction_id: id,
    direction: name,
    protocol_num: event.proto > 0 ? event.proto : undefined,
    protocol_name: protocolName(event.proto).toLowerCase(),
    protocol_ver_id: event.src.ip.includes(':') ? 6 : 4,
    community_uid: event.communityId,
  };
}

/** action_id: 1 Allowed, 2 Denied, 3 Observed; disposition_id: 1 Allowed, 2 Blocked, 15 Detected. */
function alertDisposition(event: SiemAlertEvent): Fields {
  if (event.action === 'blocked') {
    return { action_id: 2, action: 'Denied', disposition_id: 2, disposition: 'Blocked' };
  }
  return { action_id: 3, action: 'Observed', disposition_id: 15, disposition: 'Detected' };
}

function detectionFinding(event: SiemAlertEvent, context: FormatContext): Fields {
  const techniques = attacks(event.attack);
  const analytic = ANALYTIC_TYPE[event.tiers[0] ?? 'intel'] ?? { id: 99, name: 'Other' };
  return {
    class_uid: 2004,
    class_name: 'Detection Finding',
    category_uid: 2,
    category_name: 'Findings',
    activity_id: 1,
    activity_name: 'Create',
    type_uid: 200401,
    type_name: 'Detection Finding: Create',
    metadata: metadata(event, context, { profiles: ['security_control'], correlation_uid: event.incidentId }),
    status_id: 1,
    status: 'New',
    ...alertDisposition(event),
    is_alert: true,
    count: event.count,
    start_time: event.firstMs,
    end_time: event.lastMs,
    confidence_score: Math.round(event.confidence * 100),
    risk_score: Math.round(event.score),
    attacks: techniques,
    finding_info: {
      uid: event.alertId ?? event.id,
      title: event.title,
      desc: event.message,
      types: [event.category],
      first_seen_time: event.firstMs,
      last_seen_time: event.lastMs,
      attacks: techniques,
      analytic: {
        uid: eventClass(event),
        name: event.title,
        type_id: analytic.id,
        type: analytic.name,
        version: String(event.rev),
      },
    },
    evidences: [
      compact({
        src_endpoint: endpoint(event.src),
        dst_endpoint: endpoint(event.dst, { svc_name: event.appProto }),
        connection_info: connection(event),
        data: event.evidence.length > 0 ? { text: evidenceText(event) } : undefined,
      }),
    ],
    observables: [
      addressObservable('evidences[].src_endpoint.ip', event.src.ip),
      addressObservable('evidences[].dst_endpoint.ip', event.dst.ip),
    ],
    unmapped: {
      ...Object.fromEntries(context.add),
      label: event.label,
      tiers: event.tiers.join(','),
      decision_uid: event.decisionId,
      bytes_in: event.bytesFwd,
      bytes_out: event.bytesBwd,
    },
  };
}

const ACTIVITY_NAME = { 1: 'Isolate', 3: 'Restore', 99: 'Other' } as const;

function remediation(event: SiemDecisionEvent, context: FormatContext): Fields {
  const row = DECISION_FIELDS[event.op];
  const activity = row.ocsfActivity;
  const blocked = row.verdict === 'blocked' && event.outcome === 'success';
  const address = targetAddress(event);
  const ok = event.outcome === 'success';
  return {
    class_uid: 7004,
    class_name: 'Network Remediation Activity',
    category_uid: 7,
    category_name: 'Remediation',
    activity_id: activity,
    activity_name: activity === 99 ? event.op : ACTIVITY_NAME[activity],
    type_uid: 700400 + activity,
    type_name: `Network Remediation Activity: ${ACTIVITY_NAME[activity]}`,
    metadata: metadata(event, context, {
      profiles: ['security_control'],
      correlation_uid: event.alertIds[0],
    }),
    command_uid: event.decisionId,
    status_id: ok ? 1 : 2,
    status: ok ? 'Success' : 'Failure',
    status_detail: event.error === undefined ? event.reason : `${event.reason}: ${event.error}`,
    action_id: blocked ? 2 : 1,
    action: blocked ? 'Denied' : 'Allowed',
    disposition_id: blocked ? 2 : 1,
    disposition: blocked ? 'Blocked' : 'Allowed',
    countermeasures: [
      { d3f_tactic: { name: 'Isolate' }, d3f_technique: { uid: 'D3-NTF', name: 'Network Traffic Filtering' } },
    ],
    connection_info: {
      direction_id: 1,
      direction: 'Inbound',
      protocol_num: event.proto,
      protocol_name: event.proto === undefined ? undefined : protocolName(event.proto).toLowerCase(),
    },
    firewall_rule: {
      uid: orElse(event.policy, event.decisionId),
      name: event.policy,
      type: event.action,
      duration: event.durationSecs * 1000,
    },
    actor: { user: { name: event.user } },
    observables: address === undefined ? [] : [addressObservable('unmapped.target', address)],
    unmapped: {
      ...Object.fromEntries(context.add),
      target: event.target,
      scope: event.scope,
      operation: event.op,
      origin: event.origin,
      actor: event.actor,
      expires: event.expiresMs > 0 ? event.expiresMs : undefined,
      alert_uids: event.alertIds.join(','),
      set: event.set,
      latency_us: event.latencyUs,
      signature: event.signature,
    },
  };
}

/** OCSF has no class of its own for these: the Base Event. */
function baseEvent(event: Exclude<SiemEvent, SiemAlertEvent | SiemDecisionEvent>, context: FormatContext): Fields {
  const failed = event.kind === 'gap' || ('outcome' in event ? event.outcome === 'failure' : event.status === 'failed');
  const { version: _version, id: _id, tsMs: _tsMs, severity: _severity, message: _message, ...rest } = event;
  return {
    class_uid: 0,
    class_name: 'Base Event',
    category_uid: 0,
    category_name: 'Uncategorized',
    activity_id: 99,
    activity_name: eventName(event),
    type_uid: 99,
    type_name: 'Base Event: Other',
    metadata: metadata(event, context),
    status_id: failed ? 2 : 1,
    status: failed ? 'Failure' : 'Success',
    unmapped: { ...Object.fromEntries(context.add), ...rest },
  };
}

/** Open Cybersecurity Schema Framework 1.8: Detection Finding, Network Remediation Activity, Base Event. */
export function toOcsf(event: SiemEvent, context: FormatContext): Fields {
  const specific =
    event.kind === 'alert'
      ? detectionFinding(event, context)
      : event.kind === 'decision'
        ? remediation(event, context)
        : baseEvent(event, context);
  const row = SEVERITY_FIELDS[event.severity];
  return compact({
    time: event.tsMs,
    severity_id: row.ocsf,
    severity: row.ocsfName,
    message: orElse(event.message, eventName(event)),
    ...specific,
  });
}

export function formatOcsf(event: SiemEvent, context: FormatContext): string {
  return JSON.stringify(toOcsf(event, context));
}
