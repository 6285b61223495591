import { z } from 'zod';
import { idParamsSchema, msSchema, pageOf, sentenceSchema } from './common.js';
import { defineOperations } from './operation.js';

export const VIEW_PAGES = ['alerts', 'incidents', 'decisions', 'flows', 'hosts'] as const;

/** A search that someone saved under a name. */
export const viewSchema = z.object({
  id: z.string(),
  page: z.enum(VIEW_PAGES),
  name: z.string(),
  q: z.string(),
  /** Everyone sees it; only its owner and admins change it. */
  shared: z.boolean(),
  owner: z.string(),
  createdMs: msSchema,
});
export type SavedView = z.infer<typeof viewSchema>;

export const VIEWS_MAX = 100;
export const viewRequestSchema = z.strictObject({
  page: z.enum(VIEW_PAGES),
  name: sentenceSchema(64),
  q: z.string().max(500),
  shared: z.boolean().default(false),
});
export const viewQuerySchema = z.strictObject({ page: z.enum(VIEW_PAGES).optional() });

export const viewOperations = defineOperations({
  listViews: {
    method: 'get',
    path: '/views',
    summary: 'Own and shared saved views',
    access: 'viewer',
    rate: 'read',
    query: viewQuerySchema,
    status: 200,
    response: pageOf(viewSchema),
  },
  addView: {
    method: 'post',
    path: '/views',
    summary: 'Save a search; sharing it needs the role analyst',
    access: 'viewer',
    rate: 'write',
    body: viewRequestSchema,
    status: 201,
    response: viewSchema,
    personOnly: true,
  },
  putView: {
    method: 'put',
    path: '/views/:id',
    summary: 'Change an own saved view',
    access: 'viewer',
    rate: 'write',
    params: idParamsSchema,
    body: viewRequestSchema,
    status: 200,
    response: viewSchema,
    personOnly: true,
  },
  removeView: {
    method: 'delete',
    path: '/views/:id',
    summary: 'Remove an own saved view',
    access: 'viewer',
    rate: 'write',
    params: idParamsSchema,
    status: 204,
    personOnly: true,
  },
});
