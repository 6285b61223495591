import type { Severity } from '../../domain/severity.js';
import { SIEM_EVENT_VERSION, type SiemAuditEvent, type SiemHealthEvent } from '../../domain/siem-event.js';
import type { AuditRecord } from '../../store/index.js';
import { uuid7 } from '../../util/uuid7.js';

/** Something about Portcullis itself that the SIEM should know. */
export function healthEvent(
  sensor: string,
  component: string,
  status: SiemHealthEvent['status'],
  message: string,
  severity: Severity = status === 'failed' ? 'high' : status === 'warning' ? 'medium' : 'info',
): SiemHealthEvent {
  return {
    version: SIEM_EVENT_VERSION,
    kind: 'health',
    id: uuid7(),
    tsMs: Date.now(),
    sensor,
    severity,
    message,
    component,
    status,
    details: {},
  };
}

/** An entry of the audit trail as the SIEM gets it; before and after stay on the box. */
export function auditToSiemEvent(sensor: string, record: AuditRecord): SiemAuditEvent {
  const failed = record.outcome !== 'success';
  return {
    version: SIEM_EVENT_VERSION,
    kind: 'audit',
    id: uuid7(record.atMs),
    tsMs: record.atMs,
    sensor,
    severity: failed ? 'medium' : 'info',
    message: `${record.actor} ${record.action} ${record.object}`.trim(),
    user: record.actor,
    address: record.address,
    action: record.action,
    object: record.object,
    outcome: failed ? 'failure' : 'success',
    details: {},
  };
}
