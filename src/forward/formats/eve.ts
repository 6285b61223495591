import type { SiemAlertEvent, SiemDecisionEvent, SiemEvent } from '../../domain/siem-event.js';
import { compact, type Fields } from './ecs.js';
import {
  DECISION_FIELDS,
  eventClass,
  eventName,
  evidenceText,
  parentTechnique,
  protocolName,
  SEVERITY_FIELDS,
  targetAddress,
  type FormatContext,
} from './fields.js';

/** Generator ids of what is not a detection; 1..5 are the tiers. */
export const DECISION_GID = 6;
export const HOUSEKEEPING_GID = 7;

const DECISION_SID: Readonly<Record<SiemDecisionEvent['op'], number>> = {
  block: 1,
  unblock: 2,
  extend: 3,
  simulated: 4,
  refused: 5,
};
const HOUSEKEEPING_SID = { health: 1, gap: 2, audit: 3 } as const;

/** Suricata's form: microseconds and `+0000`; `Z` and `+00:00` are not accepted. */
export function eveTimestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000+0000`;
}

/** Metadata holds lists of strings; the only place in EVE that takes names of our own. */
function metadata(map: Record<string, string | number | undefined>, context: FormatContext): Fields {
  const out: Fields = {};
  for (const [key, value] of [...Object.entries(map), ...context.add]) {
    if (value !== undefined && value !== '') out[key] = [String(value)];
  }
  return out;
}

function spaced(text: string | undefined): string | undefined {
  return text?.replaceAll(' ', '_');
}

function alertFields(event: SiemAlertEvent, context: FormatContext): Fields {
  const { attack } = event;
  const blocked = event.action === 'blocked';
  const hasCounters = event.packetsFwd !== undefined || event.bytesFwd !== undefined;
  return {
    flow_id: event.flowId,
    in_iface: event.interfaceName,
    src_ip: event.src.ip,
    src_port: event.src.port,
    dest_ip: event.dst.ip,
    dest_port: event.dst.port,
    proto: protocolName(event.proto),
    app_proto: event.appProto,
    community_id: event.communityId,
    alert: {
      action: blocked ? 'blocked' : 'allowed',
      gid: event.gid,
      signature_id: event.signatureId,
      rev: event.rev,
      signature: event.title,
      category: event.category,
      severity: SEVERITY_FIELDS[event.severity].eve,
      metadata: metadata(
        {
          tier: event.tiers.join(','),
          label: event.label,
          score: event.score,
          confidence: event.confidence,
          signature_severity: event.severity,
          mitre_tactic_id: attack?.tacticId,
          mitre_tactic_name: spaced(attack?.tacticName),
          mitre_technique_id: attack && parentTechnique(attack.techniqueId),
          mitre_technique_name: spaced(attack?.techniqueName),
          mitre_subtechnique_id: attack?.techniqueId.includes('.') === true ? attack.techniqueId : undefined,
          event_uid: event.id,
          alert_uid: event.alertId,
          event_count: event.count,
          decision_uid: event.decisionId,
          incident_uid: event.incidentId,
          evidence: evidenceText(event),
          message: event.message,
          truncated: event.truncated === true ? 'true' : undefined,
        },
        context,
      ),
    },
    verdict: blocked ? { action: 'drop' } : undefined,
    flow: hasCounters
      ? {
          pkts_toserver: event.packetsFwd,
          pkts_toclient: event.packetsBwd,
          bytes_toserver: event.bytesFwd,
          bytes_toclient: event.bytesBwd,
          start: eveTimestamp(event.firstMs),
        }
      : undefined,
  };
}

function decisionFields(event: SiemDecisionEvent, context: FormatContext): Fields {
  return {
    src_ip: targetAddress(event),
    dest_ip: event.dst?.ip,
    dest_port: event.port ?? event.dst?.port,
    proto: event.proto === undefined ? undefined : protocolName(event.proto),
    alert: {
      action: DECISION_FIELDS[event.op].verdict,
      gid: DECISION_GID,
      signature_id: DECISION_SID[event.op],
      rev: 1,
      signature: `PORTCULLIS ${event.action === 'block' ? '' : `${event.action} `}${event.op} ${event.policy ?? event.origin}`,
      category: 'Response',
      severity: SEVERITY_FIELDS[event.severity].eve,
      metadata: metadata(
        {
          event_uid: event.id,
          decision_uid: event.decisionId,
          operation: event.op,
          measure: event.action,
          scope: event.scope,
          target: event.target,
          policy: event.policy,
          origin: event.origin,
          actor: event.actor,
          reason: event.reason,
          outcome: event.outcome,
          error: event.error,
          duration_seconds: event.durationSecs,
          expires: event.expiresMs > 0 ? new Date(event.expiresMs).toISOString() : undefined,
          alert_uids: event.alertIds.join(','),
          set: event.set,
          latency_us: event.latencyUs,
          signature_severity: event.severity,
          truncated: event.truncated === true ? 'true' : undefined,
        },
        context,
      ),
    },
  };
}

function restFields(event: Exclude<SiemEvent, SiemAlertEvent | SiemDecisionEvent>, context: FormatContext): Fields {
  const details: Record<string, string | number | undefined> =
    event.kind === 'gap'
      ? { destination: event.destination, dropped: event.dropped, cause: event.cause }
      : event.kind === 'health'
        ? { component: event.component, status: event.status, ...event.details }
        : { user: event.user, object: event.object, outcome: event.outcome, action: event.action, ...event.details };
  return {
    src_ip: event.kind === 'audit' ? event.address : undefined,
    alert: {
      action: 'allowed',
      gid: HOUSEKEEPING_GID,
      signature_id: HOUSEKEEPING_SID[event.kind],
      rev: 1,
      signature: `PORTCULLIS ${eventName(event)}`,
      category: event.kind === 'audit' ? 'Audit' : 'Health',
      severity: SEVERITY_FIELDS[event.severity].eve,
      metadata: metadata(
        {
          event_uid: event.id,
          class: eventClass(event),
          message: event.message,
          signature_severity: event.severity,
          ...details,
        },
        context,
      ),
    },
  };
}

/**
 * The event as Suricata's EVE JSON. Decisions are alerts with a generator id of their own, so that Wazuh and EveBox
 * show them; Wazuh only reads `event_type` alert.
 */
export function toEve(event: SiemEvent, context: FormatContext): Fields {
  const specific =
    event.kind === 'alert'
      ? alertFields(event, context)
      : event.kind === 'decision'
        ? decisionFields(event, context)
        : restFields(event, context);
  return compact({
    timestamp: eveTimestamp(event.tsMs),
    event_type: 'alert',
    host: event.sensor,
    ...specific,
  });
}

export function formatEve(event: SiemEvent, context: FormatContext): string {
  return JSON.stringify(toEve(event, context));
}
