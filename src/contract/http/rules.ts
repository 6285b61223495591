import { z } from 'zod';
import { SEVERITIES } from '../../domain/severity.js';
import { listQuerySchema, msSchema, pageOf, sentenceSchema } from './common.js';
import { defineOperations } from './operation.js';

/** What became of a rule: in force, switched off, or not understood. */
export const RULE_STATES = ['enabled', 'disabled', 'failed'] as const;
/** Where a rule's files come from: shipped, named in the configuration, or fetched from a source. */
export const RULE_ORIGINS = ['shipped', 'configured', 'source'] as const;
/** Order of the list, the most first for `hits`, the newest first for `last`. */
export const RULE_SORTS = ['sid', 'msg', 'hits', 'last'] as const;

/** A rule in the list. */
export const ruleRowSchema = z.object({
  gid: z.number(),
  sid: z.number(),
  rev: z.number(),
  msg: z.string(),
  /** alert, drop, reject, pass, ... as in force: after the modify and drop files. */
  action: z.string(),
  proto: z.string(),
  classtype: z.string(),
  severity: z.enum(SEVERITIES),
  state: z.enum(RULE_STATES),
  /** The line that decided when it is not the rule file itself, such as `disable.conf:3`. */
  changedBy: z.string().nullable(),
  noalert: z.boolean(),
  origin: z.enum(RULE_ORIGINS),
  /** Name of the source, when it comes from one. */
  source: z.string().nullable(),
  /** Base name of the rule file. */
  file: z.string(),
  line: z.number(),
  /** MITRE ATT&CK technique, such as T1190. */
  technique: z.string().nullable(),
  /** Alerts since `hitsSinceMs` of the list. */
  hits: z.number(),
  /** Time of the newest alert, 0 = none. */
  lastHitMs: msSchema,
});
export type RuleRow = z.infer<typeof ruleRowSchema>;

/** One rule in full. */
export const ruleDetailSchema = ruleRowSchema.extend({
  /** As in force, or as it would be. */
  text: z.string(),
  /** As in the file, when the modify or drop file changed it. */
  originalText: z.string().nullable(),
  /** Why it is not understood. */
  problem: z.object({ column: z.number(), reason: z.string(), keyword: z.string().nullable() }).nullable(),
  references: z.array(z.string()),
  metadata: z.record(z.string(), z.array(z.string())),
});
export type RuleDetail = z.infer<typeof ruleDetailSchema>;

export const ruleListQuerySchema = listQuerySchema.extend({
  state: z.enum(RULE_STATES).optional(),
  classtype: z.string().max(100).optional(),
  /** Base name of a rule file. */
  file: z.string().max(200).optional(),
  source: z.string().max(64).optional(),
  sort: z.enum(RULE_SORTS).default('sid'),
});
export type RuleListQuery = z.infer<typeof ruleListQuerySchema>;

const ruleCount = z.object({ value: z.string(), count: z.number() });
export const ruleListSchema = pageOf(ruleRowSchema).extend({
  /** Rules that the search finds, on all pages. */
  total: z.number(),
  /** Rules by state, of all rules. */
  counts: z.object({ enabled: z.number(), disabled: z.number(), failed: z.number() }),
  /** For the filters: what there is among all rules, the most first. */
  classtypes: z.array(ruleCount),
  files: z.array(ruleCount),
  /** Since when hits are counted. */
  hitsSinceMs: msSchema,
});
export type RuleList = z.infer<typeof ruleListSchema>;

export const ruleParamsSchema = z.strictObject({
  gid: z.coerce.number().int().min(0).max(0xffffffff),
  sid: z.coerce.number().int().min(0).max(0xffffffff),
});
export const ruleStateRequestSchema = z.strictObject({ enabled: z.boolean(), comment: sentenceSchema(200).optional() });

/** A problem in a rule file or text. */
export const ruleProblemSchema = z.object({
  line: z.number(),
  column: z.number(),
  reason: z.string(),
  keyword: z.string().optional(),
  signatureId: z.number().optional(),
});
export const ruleFileSchema = z.object({
  file: z.string(),
  origin: z.enum(RULE_ORIGINS),
  source: z.string().nullable(),
  loaded: z.number(),
  /** Switched off in the file or by disable.conf. */
  skipped: z.number(),
  failed: z.number(),
  problems: z.array(ruleProblemSchema),
});
export type RuleFile = z.infer<typeof ruleFileSchema>;

export const RULE_TEXT_MAX = 256 * 1024;
export const ruleCheckRequestSchema = z.strictObject({ text: z.string().min(1).max(RULE_TEXT_MAX) });
export const ruleCheckResponseSchema = z.object({
  ok: z.boolean(),
  loaded: z.number(),
  problems: z.array(ruleProblemSchema),
});
export type RuleCheck = z.infer<typeof ruleCheckResponseSchema>;

/** What an update did with one source. */
export const RULE_UPDATE_RESULTS = ['updated', 'unchanged', 'failed'] as const;
export const ruleChangeSchema = z.object({ gid: z.number(), sid: z.number(), rev: z.number(), msg: z.string() });
export const ruleUpdateSourceSchema = z.object({
  source: z.string(),
  url: z.string(),
  result: z.enum(RULE_UPDATE_RESULTS),
  /** Why it failed, in a sentence; the rules of before stay in force. */
  error: z.string().nullable(),
  /** How the download was verified: sha256, md5, or none when the source publishes no checksum. */
  checksum: z.enum(['sha256', 'md5', 'none']),
  files: z.number(),
  rules: z.number(),
  failed: z.number(),
  /** Numbers in full, and the first 200 of each by name. */
  counts: z.object({ new: z.number(), changed: z.number(), gone: z.number() }),
  new: z.array(ruleChangeSchema),
  changed: z.array(ruleChangeSchema),
  gone: z.array(ruleChangeSchema),
  durationMs: z.number(),
});
export const ruleUpdateReportSchema = z.object({
  atMs: msSchema,
  /** A user, `schedule` or `command line`. */
  actor: z.string(),
  ok: z.boolean(),
  sources: z.array(ruleUpdateSourceSchema),
});
export type RuleUpdateReport = z.infer<typeof ruleUpdateReportSchema>;
export type RuleUpdateSource = z.infer<typeof ruleUpdateSourceSchema>;

export const ruleSourceSchema = z.object({
  name: z.string(),
  /** Without user name and password. */
  url: z.string(),
  enabled: z.boolean(),
  /** Rules of it that are in files now, 0 before the first update. */
  rules: z.number(),
  updatedMs: msSchema,
  /** Result of the last attempt; null before the first. */
  last: z.object({ atMs: msSchema, result: z.enum(RULE_UPDATE_RESULTS), error: z.string().nullable() }).nullable(),
});
export type RuleSource = z.infer<typeof ruleSourceSchema>;
export const ruleSourcesSchema = z.object({
  items: z.array(ruleSourceSchema),
  /** 0: updates only when asked. */
  intervalHours: z.number(),
  nextMs: msSchema,
  running: z.boolean(),
});
export type RuleSources = z.infer<typeof ruleSourcesSchema>;
export const ruleUpdateRequestSchema = z.strictObject({
  /** Names of sources; all that are enabled when absent. */
  sources: z.array(z.string().min(1).max(64)).max(100).optional(),
  /** Take it also when most rules are gone or not understood. */
  force: z.boolean().optional(),
});

export const ruleOperations = defineOperations({
  listRules: {
    method: 'get',
    path: '/rules',
    summary: 'Signature rules; q: words of sid, message, classtype, technique or file name; -x excludes',
    access: 'viewer',
    rate: 'read',
    query: ruleListQuerySchema,
    status: 200,
    response: ruleListSchema,
  },
  listRuleFiles: {
    method: 'get',
    path: '/rules/files',
    summary: 'Rule files: loaded, skipped and failed rules, and why',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: pageOf(ruleFileSchema),
  },
  listRuleSources: {
    method: 'get',
    path: '/rules/sources',
    summary: 'Sources that rules are fetched from, and when',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: ruleSourcesSchema,
  },
  getRuleUpdate: {
    method: 'get',
    path: '/rules/update',
    summary: 'Report of the last update; null before the first',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: z.object({ report: ruleUpdateReportSchema.nullable() }),
  },
  updateRules: {
    method: 'post',
    path: '/rules/update',
    summary: 'Fetch rules from their sources now and put them in force',
    access: 'operator',
    rate: 'heavy',
    body: ruleUpdateRequestSchema,
    status: 200,
    response: ruleUpdateReportSchema,
  },
  reloadRules: {
    method: 'post',
    path: '/rules/reload',
    summary: 'Read the rule files again and put them in force',
    access: 'operator',
    rate: 'heavy',
    status: 200,
    response: z.object({ sensors: z.number() }),
  },
  checkRules: {
    method: 'post',
    path: '/rules/check',
    summary: 'Check the text of rules without saving it',
    access: 'analyst',
    rate: 'heavy',
    body: ruleCheckRequestSchema,
    status: 200,
    response: ruleCheckResponseSchema,
  },
  getRule: {
    method: 'get',
    path: '/rules/:gid/:sid',
    summary: 'One rule with its text',
    access: 'viewer',
    rate: 'read',
    params: ruleParamsSchema,
    status: 200,
    response: ruleDetailSchema,
  },
  setRuleState: {
    method: 'patch',
    path: '/rules/:gid/:sid',
    summary: 'Switch a rule on or off; kept in enable.conf and disable.conf',
    access: 'operator',
    rate: 'write',
    params: ruleParamsSchema,
    body: ruleStateRequestSchema,
    status: 200,
    response: ruleDetailSchema,
  },
});
