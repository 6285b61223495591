import { z } from 'zod';
import { INCIDENT_STATES } from '../../domain/incident.js';
import { SEVERITIES } from '../../domain/severity.js';
import { msSchema } from './common.js';

/** An incident, see `Incident` in the domain. */
export const incidentSchema = z.object({
  id: z.string(),
  offender: z.string(),
  title: z.string(),
  severity: z.enum(SEVERITIES),
  state: z.enum(INCIDENT_STATES),
  owner: z.string().optional(),
  alertCount: z.number(),
  labels: z.array(z.string()),
  firstMs: msSchema,
  lastMs: msSchema,
});
