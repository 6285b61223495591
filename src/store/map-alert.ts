import { createHash } from 'node:crypto';
import type { Alert, AlertState, LabelVerdict } from '../domain/alert.js';
import { SEVERITIES, severityRank } from '../domain/severity.js';
import type { Verdict } from '../domain/verdict.js';
import { addressKey } from './address-key.js';
import { clip } from './columns.js';
import type { AlertBodyRow, AlertRow, AlertTextRow } from './entities/alert.js';

/** What was done about an alert. */
export type AlertResponse = 'none' | 'simulated' | 'blocked';

/** An alert with what the store knows beyond the correlator. */
export type StoredAlert = Alert & { response: AlertResponse; labelVerdict?: LabelVerdict };

/** Sizes that keep one row small whatever an attacker sends. */
const MAX_BODY = 256 * 1024;

function alertBody(alert: Alert): string {
  const body = JSON.stringify(alert);
  if (body.length <= MAX_BODY) return body;
  return JSON.stringify({
    ...alert,
    evidence: alert.evidence.slice(0, 20).map((item) => ({
      ...item,
      ...(typeof item.value === 'string' ? { value: clip(item.value, 2000) } : {}),
      ...(item.text === undefined ? {} : { text: clip(item.text, 2000) }),
    })),
    metadata: {},
  });
}

export interface AlertWrite {
  alert: Alert;
  verdict?: Verdict | undefined;
  response?: AlertResponse | undefined;
}

/** What was done about alerts that are known already. */
export interface AlertAnswer {
  ids: readonly string[];
  response: AlertResponse;
}

/** Key of a text in `alert_texts`: 48 bits of its hash, so that nobody has to look it up. */
export function textKey(text: string): number {
  return Number.parseInt(createHash('sha256').update(text).digest('hex').slice(0, 12), 16);
}

/** The words of an alert that free text finds; none of them comes from the network. */
export function toAlertText(alert: Alert): AlertTextRow {
  const words = [alert.title, alert.label, alert.category, alert.sensor, alert.attack?.techniqueId ?? ''].join(' ');
  const text = clip(words.toLowerCase(), 512);
  return { id: textKey(text), text };
}

export function toAlertBody({ alert, verdict }: AlertWrite): AlertBodyRow {
  return { id: alert.id, body: alertBody(alert), verdict: verdict === undefined ? '' : JSON.stringify(verdict) };
}

export function toAlertRow({ alert, response }: AlertWrite): AlertRow {
  const peer = alert.offender === alert.srcIp ? alert.dstIp : alert.srcIp;
  return {
    id: alert.id,
    alertKey: clip(alert.key, 255),
    incidentId: alert.incidentId,
    sensor: clip(alert.sensor, 64),
    title: clip(alert.title, 255),
    label: clip(alert.label, 128),
    category: clip(alert.category, 128),
    tiers: `,${alert.tiers.join(',')},`,
    severity: severityRank(alert.severity),
    score: alert.score,
    confidence: alert.confidence,
    offender: clip(alert.offender, 45),
    offenderKey: addressKey(alert.offender),
    peerKey: addressKey(peer),
    srcPort: alert.srcPort,
    dstPort: alert.dstPort,
    proto: alert.proto,
    signatureId: alert.signatureId,
    firstMs: alert.firstMs,
    lastMs: alert.lastMs,
    state: alert.state,
    response: response ?? 'none',
    labelVerdict: '',
    textId: toAlertText(alert).id,
  };
}

/** Columns that people change win over the stored body. */
export function fromAlertRow(row: AlertRow, body: string): StoredAlert {
  const alert = JSON.parse(body) as Alert;
  return {
    ...alert,
    incidentId: row.incidentId,
    severity: SEVERITIES[row.severity] ?? alert.severity,
    state: row.state as AlertState,
    response: row.response as AlertResponse,
    ...(row.labelVerdict === '' ? {} : { labelVerdict: row.labelVerdict as LabelVerdict }),
  };
}

export function fromVerdictText(text: string): Verdict | undefined {
  return text === '' ? undefined : (JSON.parse(text) as Verdict);
}
