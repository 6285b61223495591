import { z } from 'zod';
import { ACTIONS, SCOPES } from '../../domain/decision.js';
import { idParamsSchema, msSchema, pageOf } from './common.js';
import { defineOperations } from './operation.js';

export const BACKTEST_MAX_SECS = 365 * 86_400;
const MAX_CANDIDATES = 20;
const YAML_MAX = 64 * 1024;

/** Candidates replace policies of the same name, or come in addition; without any, the policies in force are judged. */
export const backtestRequestSchema = z.strictObject({
  sinceSecs: z.number().int().min(60).max(BACKTEST_MAX_SECS),
  candidates: z.array(z.string().min(1).max(YAML_MAX)).max(MAX_CANDIDATES).default([]),
});

/** Why a source counts as innocent. */
export const innocentSchema = z.object({
  reason: z.enum(['label', 'allowlist', 'clean_history']),
  text: z.string(),
});

export const backtestBlockSchema = z.object({
  /** Who would have made it: both sets of policies, or only one. */
  by: z.enum(['both', 'active', 'candidate']),
  atMs: msSchema,
  offender: z.string(),
  action: z.enum(ACTIONS),
  scope: z.enum(SCOPES),
  value: z.string(),
  port: z.number().optional(),
  durationSecs: z.number(),
  policy: z.string(),
  alertId: z.string(),
  alertTitle: z.string(),
  innocent: innocentSchema.optional(),
});
export type BacktestBlockRow = z.infer<typeof backtestBlockSchema>;

export const backtestSideSchema = z.object({
  decisions: z.number(),
  offenders: z.number(),
  /** Seconds of response in all. */
  secs: z.number(),
  innocentOffenders: z.number(),
  innocentSecs: z.number(),
  byPolicy: z.array(z.object({ policy: z.string(), decisions: z.number(), innocent: z.number() })),
});
export type BacktestSide = z.infer<typeof backtestSideSchema>;

export const backtestResultSchema = z.object({
  sinceMs: msSchema,
  untilMs: msSchema,
  alerts: z.number(),
  /** Recorded flows read for blast radius and history. */
  flows: z.number(),
  active: backtestSideSchema,
  /** Absent without candidates. */
  candidate: backtestSideSchema.optional(),
  /** Those that hit innocent sources first, then those that differ, then the rest, each in order of time. */
  blocks: z.array(backtestBlockSchema),
  /** Blocks left out of the list. */
  more: z.number(),
});
export type BacktestReport = z.infer<typeof backtestResultSchema>;

export const backtestJobSchema = z.object({
  id: z.uuid(),
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  /** 0..1 */
  progress: z.number(),
  actor: z.string(),
  sinceSecs: z.number(),
  candidates: z.array(z.string()),
  startedMs: msSchema,
  endedMs: msSchema.nullable(),
  error: z.string().nullable(),
  result: backtestResultSchema.nullable(),
});
export type BacktestJob = z.infer<typeof backtestJobSchema>;

export const backtestOperations = defineOperations({
  startBacktest: {
    method: 'post',
    path: '/backtests',
    summary: 'Judge recorded alerts again, with the policies in force and with candidates; poll the job',
    access: 'analyst',
    rate: 'heavy',
    body: backtestRequestSchema,
    status: 201,
    response: backtestJobSchema,
  },
  listBacktests: {
    method: 'get',
    path: '/backtests',
    summary: 'The last backtests, newest first, without their results',
    access: 'analyst',
    rate: 'read',
    status: 200,
    response: pageOf(backtestJobSchema),
  },
  getBacktest: {
    method: 'get',
    path: '/backtests/:id',
    summary: 'One backtest with its progress and, at the end, its result',
    access: 'analyst',
    rate: 'read',
    params: idParamsSchema,
    status: 200,
    response: backtestJobSchema,
  },
  cancelBacktest: {
    method: 'delete',
    path: '/backtests/:id',
    summary: 'Stop a backtest',
    access: 'analyst',
    rate: 'write',
    params: idParamsSchema,
    status: 200,
    response: backtestJobSchema,
  },
});
