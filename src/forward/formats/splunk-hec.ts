import type { SiemAlertEvent, SiemDecisionEvent, SiemEvent } from '../../domain/siem-event.js';
import { compact, type Fields } from './ecs.js';
import {
  DECISION_FIELDS,
  eventClass,
  eventName,
  evidenceText,
  orElse,
  PRODUCT,
  protocolName,
  SEVERITY_FIELDS,
  targetAddress,
  VENDOR,
  type FormatContext,
} from './fields.js';

function alertFields(event: SiemAlertEvent): Fields {
  return {
    action: event.action === 'blocked' ? 'blocked' : 'allowed',
    vendor_action: event.action,
    category: orElse(event.category, 'unknown'),
    signature: orElse(event.title, eventClass(event)),
    signature_id: eventClass(event),
    rule_version: String(event.rev),
    src: event.src.ip,
    src_ip: event.src.ip,
    src_port: event.src.port,
    src_mac: event.src.mac,
    dest: event.dst.ip,
    dest_ip: event.dst.ip,
    dest_port: event.dst.port,
    dest_mac: event.dst.mac,
    transport: protocolName(event.proto).toLowerCase(),
    app: event.appProto,
    direction: event.direction,
    community_id: event.communityId,
    flow_id: event.flowId,
    bytes_in: event.bytesFwd,
    bytes_out: event.bytesBwd,
    packets_in: event.packetsFwd,
    packets_out: event.packetsBwd,
    count: event.count,
    first_seen: event.firstMs / 1000,
    last_seen: event.lastMs / 1000,
    risk_score: event.score,
    confidence: event.confidence,
    label: event.label,
    tiers: event.tiers,
    mitre_technique_id: event.attack?.techniqueId,
    mitre_technique: event.attack?.techniqueName,
    mitre_tactic: event.attack?.tacticId,
    decision_id: event.decisionId,
    incident_id: event.incidentId,
    alert_id: event.alertId,
    evidence: evidenceText(event),
  };
}

function decisionFields(event: SiemDecisionEvent): Fields {
  return {
    action: DECISION_FIELDS[event.op].verdict,
    vendor_action: event.op,
    measure: event.action,
    category: orElse(event.category, 'Response'),
    signature: orElse(event.signature, eventName(event)),
    signature_id: eventClass(event),
    src: event.target,
    src_ip: targetAddress(event),
    dest: event.dst?.ip,
    dest_ip: event.dst?.ip,
    dest_port: event.port ?? event.dst?.port,
    transport: event.proto === undefined ? undefined : protocolName(event.proto).toLowerCase(),
    status: event.outcome,
    error: event.error,
    reason: event.reason,
    rule: event.policy,
    policy_name: event.policy,
    scope: event.scope,
    origin: event.origin,
    user: event.user,
    actor: event.actor,
    duration: event.durationSecs,
    expires: event.expiresMs > 0 ? event.expiresMs / 1000 : undefined,
    decision_id: event.decisionId,
    alert_ids: event.alertIds,
    set: event.set,
    latency_us: event.latencyUs,
  };
}

function restFields(event: Exclude<SiemEvent, SiemAlertEvent | SiemDecisionEvent>): Fields {
  switch (event.kind) {
    case 'health':
      return { component: event.component, status: event.status, details: event.details };
    case 'gap':
      return {
        destination: event.destination,
        events_lost: event.dropped,
        cause: event.cause,
        first_seen: event.fromMs / 1000,
        last_seen: event.toMs / 1000,
      };
    case 'audit':
      return {
        user: event.user,
        src: event.address,
        vendor_action: event.action,
        object: event.object,
        status: event.outcome,
        details: event.details,
      };
  }
}

/**
 * Splunk HTTP Event Collector envelope; the event's fields carry the names of the CIM data model Intrusion Detection.
 * Kinds other than alert and decision have no `ids_type`, so the add-on's event types leave them out of CIM.
 */
export function toSplunkEvent(event: SiemEvent, context: FormatContext): Fields {
  const row = SEVERITY_FIELDS[event.severity];
  const ids = event.kind === 'alert' || event.kind === 'decision';
  const specific =
    event.kind === 'alert' ? alertFields(event) : event.kind === 'decision' ? decisionFields(event) : restFields(event);
  return compact({
    time: Number((event.tsMs / 1000).toFixed(3)),
    host: event.sensor,
    source: 'portcullis',
    sourcetype: context.splunkSourcetype,
    index: context.splunkIndex,
    event: {
      kind: event.kind,
      event_id: event.id,
      vendor_product: `${VENDOR} ${PRODUCT}`,
      ids_type: ids ? 'network' : undefined,
      severity: row.cim,
      severity_id: String(row.cef),
      dvc: context.hostIp ?? context.hostName,
      truncated: event.truncated,
      ...Object.fromEntries(context.add),
      ...specific,
      description: event.message,
    },
  });
}

export function formatSplunkHec(event: SiemEvent, context: FormatContext): string {
  return JSON.stringify(toSplunkEvent(event, context));
}
