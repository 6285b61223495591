import type { Alert } from '../domain/alert.js';
import type { Decision } from '../domain/decision.js';
import type { Severity } from '../domain/severity.js';
import { SIEM_EVENT_VERSION, type SiemAlertEvent, type SiemDecisionEvent } from '../domain/siem-event.js';
import { isPrivateIp, parseIp } from '../util/ip.js';
import { uuid7 } from '../util/uuid7.js';

/** What an alert does not carry itself. */
export interface AlertExtras {
  /** What was done about it; `allowed` when nothing was. */
  action?: SiemAlertEvent['action'];
  decisionId?: string;
  interfaceName?: string;
  direction?: SiemAlertEvent['direction'];
  srcMac?: string;
  dstMac?: string;
  bytesFwd?: number;
  bytesBwd?: number;
  packetsFwd?: number;
  packetsBwd?: number;
  /** False when the alert was reported before: the event then gets an id of its own. */
  isNew?: boolean;
}

/** Inbound, outbound or internal by private addresses; undefined when neither end is private. */
function directionOf(srcIp: string, dstIp: string): SiemAlertEvent['direction'] {
  const src = parseIp(srcIp);
  const dst = parseIp(dstIp);
  if (!src || !dst) return undefined;
  const inside = isPrivateIp(src);
  const toInside = isPrivateIp(dst);
  if (inside && toInside) return 'internal';
  if (toInside) return 'inbound';
  return inside ? 'outbound' : undefined;
}

/** Optional fields only where there is a value: `exactOptionalPropertyTypes` and the formats rely on absence. */
function present<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** An alert as the SIEM gets it. Port 0 means that the finding spans several ports and is left out. */
export function alertToSiemEvent(alert: Alert, extras: AlertExtras = {}): SiemAlertEvent {
  const end = (ip: string, port: number, mac: string | undefined): SiemAlertEvent['src'] => ({
    ip,
    ...(port > 0 ? { port } : {}),
    ...(mac === undefined ? {} : { mac }),
  });
  return {
    version: SIEM_EVENT_VERSION,
    kind: 'alert',
    id: extras.isNew === false ? uuid7() : alert.id,
    alertId: alert.id,
    tsMs: alert.lastMs,
    sensor: alert.sensor,
    severity: alert.severity,
    message: alertMessage(alert),
    gid: alert.gid,
    signatureId: alert.signatureId,
    rev: alert.rev,
    title: alert.title,
    label: alert.label,
    category: alert.category,
    tiers: [...alert.tiers],
    score: Math.round(alert.score * 1000) / 10,
    confidence: Math.round(alert.confidence * 1000) / 1000,
    src: end(alert.srcIp, alert.srcPort, extras.srcMac),
    dst: end(alert.dstIp, alert.dstPort, extras.dstMac),
    proto: alert.proto,
    count: alert.count,
    firstMs: alert.firstMs,
    lastMs: alert.lastMs,
    action: extras.action ?? 'allowed',
    incidentId: alert.incidentId,
    evidence: alert.evidence.map((item) => ({ ...item })),
    ...present<Partial<SiemAlertEvent>>({
      attack: alert.attack,
      appProto: alert.appProto,
      direction: extras.direction ?? directionOf(alert.srcIp, alert.dstIp),
      communityId: alert.communityId,
      flowId: alert.flowId,
      bytesFwd: extras.bytesFwd,
      bytesBwd: extras.bytesBwd,
      packetsFwd: extras.packetsFwd,
      packetsBwd: extras.packetsBwd,
      decisionId: extras.decisionId,
      interfaceName: extras.interfaceName,
    }),
  };
}

function alertMessage(alert: Alert): string {
  const facts = alert.evidence
    .map((item) => item.text)
    .filter((text) => text !== undefined)
    .slice(0, 3);
  return facts.length > 0 ? facts.join('; ') : `${alert.title} from ${alert.offender}`;
}

/** What a decision does not carry itself. */
export interface DecisionExtras {
  /** The box it happened on. */
  sensor: string;
  /** When the operation happened; now unless given. */
  atMs?: number;
  severity?: Severity;
  /** Why it ended or was refused, when that is not the decision's own reason. */
  reason?: string;
  /** The alert behind it: gives CIM's recommended fields. */
  alert?: Alert;
}

const OP_SEVERITY: Readonly<Record<SiemDecisionEvent['op'], Severity>> = {
  block: 'high',
  unblock: 'info',
  extend: 'medium',
  simulated: 'low',
  refused: 'medium',
};

const OP_TEXT: Readonly<Record<SiemDecisionEvent['op'], string>> = {
  block: 'Started',
  unblock: 'Ended',
  extend: 'Extended',
  simulated: 'Simulated',
  refused: 'Refused',
};
const NOUN: Readonly<Record<Decision['action'], string>> = { block: 'block', rate_limit: 'rate limit', watch: 'watch' };

/** What happened to a decision, as the SIEM gets it; every operation is an event of its own. */
export function decisionToSiemEvent(
  decision: Decision,
  op: SiemDecisionEvent['op'],
  extras: DecisionExtras,
): SiemDecisionEvent {
  const failed = op === 'refused' || decision.enforcement === 'failed' || decision.enforcement === 'rejected';
  const { packetUs, kernelUs } = decision.trace;
  const reason = extras.reason ?? decision.reason;
  const human = decision.origin === 'operator';
  const { alert } = extras;
  return {
    version: SIEM_EVENT_VERSION,
    kind: 'decision',
    id: uuid7(),
    tsMs: extras.atMs ?? Date.now(),
    sensor: extras.sensor,
    severity: extras.severity ?? OP_SEVERITY[op],
    message: `${OP_TEXT[op]} ${NOUN[decision.action]} of ${decision.value}${reason === '' ? '' : `: ${reason}`}`,
    op,
    decisionId: decision.id,
    action: decision.action,
    scope: decision.scope,
    target: decision.value,
    durationSecs: decision.durationSecs,
    expiresMs: decision.expiresMs,
    origin: decision.origin,
    actor: decision.actor,
    reason,
    alertIds: [...decision.alertIds],
    outcome: failed ? 'failure' : 'success',
    ...present<Partial<SiemDecisionEvent>>({
      proto: decision.proto,
      port: decision.port,
      policy: decision.policy,
      user: human ? decision.actor : undefined,
      set: decision.set,
      error: decision.error,
      latencyUs: op === 'block' && packetUs > 0 && kernelUs > packetUs ? Math.round(kernelUs - packetUs) : undefined,
      hitPackets: decision.hitPackets,
      hitBytes: decision.hitBytes,
      signature: alert?.title,
      category: alert?.category,
      dst: alert && { ip: alert.dstIp, ...(alert.dstPort > 0 ? { port: alert.dstPort } : {}) },
    }),
  };
}
