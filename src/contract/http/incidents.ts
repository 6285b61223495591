import { z } from 'zod';
import { INCIDENT_STATES } from '../../domain/incident.js';
import { decisionSchema } from '../ipc.js';
import { alertRowSchema, bulkResultSchema } from './alerts.js';
import { userNameSchema } from './auth.js';
import { idParamsSchema, LIST_LIMIT_MAX, listQuerySchema, msSchema, pageOf, sentenceSchema } from './common.js';
import { incidentSchema } from './incident-schema.js';
import { defineOperations } from './operation.js';

export const commentSchema = z.object({
  id: z.string(),
  incidentId: z.string(),
  user: z.string(),
  text: z.string(),
  createdMs: msSchema,
});
export type Comment = z.infer<typeof commentSchema>;

export const incidentDetailSchema = z.object({
  incident: incidentSchema,
  /** Newest first, at most 200. */
  alerts: z.array(alertRowSchema),
  decisions: z.array(decisionSchema),
  comments: z.array(commentSchema),
});
export type IncidentDetail = z.infer<typeof incidentDetailSchema>;

export const incidentPageSchema = pageOf(incidentSchema);
export const incidentPatchSchema = z
  .strictObject({
    state: z.enum(INCIDENT_STATES).optional(),
    /** Null takes the owner away. */
    owner: userNameSchema.nullable().optional(),
    /** What was seen: when it is no longer so, nothing changes, and the answer is incident.conflict. */
    expect: z
      .strictObject({ state: z.enum(INCIDENT_STATES).optional(), owner: userNameSchema.nullable().optional() })
      .optional(),
  })
  .refine((patch) => patch.state !== undefined || patch.owner !== undefined, 'give state or owner');
export const incidentBulkSchema = z
  .strictObject({
    ids: z.array(z.uuid()).min(1).max(500),
    state: z.enum(INCIDENT_STATES).optional(),
    owner: userNameSchema.nullable().optional(),
  })
  .refine((patch) => patch.state !== undefined || patch.owner !== undefined, 'give state or owner');
/** Steps of an hour that the activity of incidents is counted in. */
export const ACTIVITY_HOURS = 24;
export const incidentActivitySchema = z.object({
  /** Where the first step begins. */
  fromMs: msSchema,
  stepSecs: z.number(),
  /** Alerts by their last sign, in each step, for each incident that was asked for. */
  items: z.array(z.object({ id: z.string(), counts: z.array(z.number()) })),
});
export type IncidentActivity = z.infer<typeof incidentActivitySchema>;
export const commentRequestSchema = z.strictObject({ text: sentenceSchema(4000) });

export const incidentOperations = defineOperations({
  listIncidents: {
    method: 'get',
    path: '/incidents',
    summary:
      'Incidents, newest activity first; q: ip: severity: is:new|open|resolved|false_positive owner: label: text',
    access: 'viewer',
    rate: 'read',
    query: listQuerySchema,
    status: 200,
    response: incidentPageSchema,
  },
  listIncidentActivity: {
    method: 'post',
    path: '/incidents/activity',
    summary: 'Alerts of these incidents by hour, for the last day',
    access: 'viewer',
    rate: 'read',
    body: z.strictObject({ ids: z.array(z.uuid()).min(1).max(LIST_LIMIT_MAX) }),
    status: 200,
    response: incidentActivitySchema,
  },
  getIncident: {
    method: 'get',
    path: '/incidents/:id',
    summary: 'One incident with alerts, decisions and comments',
    access: 'viewer',
    rate: 'read',
    params: idParamsSchema,
    status: 200,
    response: incidentDetailSchema,
  },
  patchIncident: {
    method: 'patch',
    path: '/incidents/:id',
    summary: 'Change state or owner',
    access: 'analyst',
    rate: 'write',
    params: idParamsSchema,
    body: incidentPatchSchema,
    status: 200,
    response: incidentSchema,
  },
  bulkIncidents: {
    method: 'post',
    path: '/incidents/bulk',
    summary: 'Change state or owner of many incidents',
    access: 'analyst',
    rate: 'write',
    body: incidentBulkSchema,
    status: 200,
    response: bulkResultSchema,
  },
  commentIncident: {
    method: 'post',
    path: '/incidents/:id/comments',
    summary: 'Add a comment',
    access: 'analyst',
    rate: 'write',
    params: idParamsSchema,
    body: commentRequestSchema,
    status: 201,
    response: commentSchema,
  },
});
