import type { Alert } from '../../domain/alert.js';
import type { Incident } from '../../domain/incident.js';
import { maxSeverity } from '../../domain/severity.js';

const MAX_OPEN = 10_000;
const MAX_LABELS = 32;

/** Incidents as they grow from alerts; bounded, the one that was quiet longest is let go (it stays in the store). */
export interface IncidentBook {
  /** Adds the alert to its incident. @returns the incident as it is now, and whether it is new. */
  add(alert: Alert, isNew: boolean): { incident: Incident; isNew: boolean };
}

export function createIncidentBook(): IncidentBook {
  const open = new Map<string, Incident>();
  return {
    add(alert, isNew) {
      const known = open.get(alert.incidentId);
      const incident: Incident = known ?? {
        id: alert.incidentId,
        offender: alert.offender,
        title: alert.title,
        severity: alert.severity,
        state: 'new',
        alertCount: 0,
        labels: [],
        firstMs: alert.firstMs,
        lastMs: alert.lastMs,
      };
      open.delete(incident.id);
      if (open.size >= MAX_OPEN) {
        const oldest = open.keys().next().value;
        if (oldest !== undefined) open.delete(oldest);
      }
      open.set(incident.id, incident);
      if (isNew || !known) incident.alertCount++;
      const worst = maxSeverity(incident.severity, alert.severity);
      if (worst !== incident.severity) incident.title = alert.title;
      incident.severity = worst;
      incident.lastMs = Math.max(incident.lastMs, alert.lastMs);
      if (!incident.labels.includes(alert.label) && incident.labels.length < MAX_LABELS)
        incident.labels.push(alert.label);
      return { incident: { ...incident, labels: [...incident.labels] }, isNew: known === undefined };
    },
  };
}
