import { z } from 'zod';
import { ACTIONS, MODES, TRAFFIC } from '../domain/decision.js';
import { TIERS } from '../domain/detection.js';
import { SEVERITIES } from '../domain/severity.js';
import { parseDuration } from '../util/duration.js';
import { parseCidr } from '../util/ip.js';
import { alwaysChecked, findContradictions } from './contradictions.js';

/** Version of the policy file format; a file states it, so that later versions can be migrated. */
export const POLICY_FORMAT = 1;

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const duration = z
  .union([z.number().min(0), z.string()])
  .transform((value, ctx) => {
    const secs = typeof value === 'number' ? value : parseDuration(value);
    if (secs === undefined) {
      ctx.addIssue({ code: 'custom', message: `"${value}" is not a duration (examples: 90s, 15m, 12h, 7d)` });
      return z.NEVER;
    }
    return secs;
  })
  .describe('Duration: seconds, or text such as 90s, 15m, 12h, 7d. 0 means until released.');

const network = z
  .string()
  .refine((text) => parseCidr(text) !== undefined, { error: 'is not an address or prefix' })
  .describe('IPv4 or IPv6 address or prefix');

const portRange = z
  .union([z.number().int(), z.string()])
  .transform((value, ctx) => {
    const m = typeof value === 'number' ? [value, value] : (/^(\d+)(?:-(\d+))?$/.exec(value)?.slice(1) ?? []);
    const from = Number(m[0]);
    const to = m[1] === undefined ? from : Number(m[1]);
    if (!(from >= 0 && to <= 65535 && from <= to)) {
      ctx.addIssue({ code: 'custom', message: `"${value}" is not a port or a range such as 8000-8100` });
      return z.NEVER;
    }
    return { from, to };
  })
  .describe('A port or an inclusive range such as 8000-8100');

const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'is not a time of day such as 22:30' })
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)));

const when = z
  .strictObject({
    tiers: z.array(z.enum(TIERS)).min(1).optional().describe('At least one of these tiers took part'),
    min_tiers: z.number().int().min(1).max(TIERS.length).optional().describe('How many tiers must agree'),
    labels: z.array(z.string()).min(1).optional().describe('The alert has one of these labels; * matches any text'),
    min_severity: z.enum(SEVERITIES).optional(),
    min_confidence: z.number().min(0).max(1).optional(),
    min_score: z.number().min(0).max(1).optional(),
    signature: z
      .strictObject({
        ids: z.array(z.number().int()).optional(),
        categories: z.array(z.string()).optional(),
        actions: z
          .array(z.enum(['alert', 'drop', 'reject', 'rejectsrc', 'rejectdst', 'rejectboth', 'log']))
          .min(1)
          .optional()
          .describe('The action written in the rule is one of these: what its author asks for, not an order'),
        metadata: z
          .record(z.string(), z.array(z.string()))
          .optional()
          .describe('One value of each key must be present'),
      })
      .optional(),
    direction: z.array(z.enum(['inbound', 'outbound', 'internal', 'external'])).optional(),
    sources: z.array(network).optional().describe('The offender is in one of these networks'),
    not_sources: z.array(network).optional().describe('The offender is in none of these networks'),
    targets: z.array(network).optional().describe('The victim is in one of these networks'),
    not_targets: z.array(network).optional(),
    ports: z.array(portRange).optional().describe('A destination port of the alert is in one of these'),
    protocols: z.array(z.enum(['tcp', 'udp', 'icmp', 'icmpv6', 'sctp'])).optional(),
    time: z
      .strictObject({
        days: z.array(z.enum(DAYS)).optional().describe('The day on which the range begins'),
        from: timeOfDay.optional().describe('Local time of the box, HH:MM; a range may cross midnight'),
        to: timeOfDay.optional(),
      })
      .optional(),
    min_count: z.number().int().min(1).optional().describe('Detections merged into the alert so far'),
    min_offences: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe('Earlier decisions against this offender that are not yet forgotten'),
    intel: z.boolean().optional().describe('true: threat intelligence knows the offender'),
    spoofable: z.boolean().optional().describe('true: the source has not proved that it owns its address'),
  })
  .describe('Every condition given must hold; a policy without conditions matches every alert');

const step = z.strictObject({
  action: z.enum(ACTIONS),
  scope: z.enum(['ip', 'cidr', 'service', 'flow']).default('ip'),
  prefix4: z.number().int().min(8).max(32).default(24).describe('Prefix length for scope cidr, IPv4'),
  prefix6: z.number().int().min(32).max(128).default(64).describe('Prefix length for scope cidr, IPv6'),
  duration,
});

const respond = z.strictObject({
  ladder: z
    .array(step)
    .min(1)
    .describe('First offence takes the first step, each further one the next; the last repeats'),
  traffic: z.enum(TRAFFIC).default('from'),
  forget_after: duration
    .default(604800)
    .describe('An offender that stays quiet this long starts at the first step again'),
  probation: duration
    .default(86400)
    .describe('After a block ends the address is watched this long; the next offence takes the next step'),
  when_spoofable: z
    .enum(['monitor', 'service', 'rate_limit'])
    .default('rate_limit')
    .describe('What replaces an address-wide block while the source could be forged'),
});

const caps = z.strictObject({
  blocks_per_minute: z.number().int().min(1).default(60),
  active: z.number().int().min(1).default(10000).describe('Decisions of this policy in force at one time'),
});

const inline = z
  .strictObject({
    verdict: z
      .enum(['rule', 'drop', 'reject', 'drop_flow', 'mark'])
      .describe(
        'rule: what the signature itself asks for (drop, reject), nothing for one that only alerts; drop: the packet, and of TCP its connection; reject: drop and say so (TCP reset, ICMP); drop_flow: the connection; mark: set the mark of its packets',
      ),
    mark: z.number().int().min(1).max(0xffffffff).optional().describe('Mark that packets get, for verdict mark'),
  })
  .describe('What the inline daemon does with the very packet of a signature, before it passes');

/** One policy file, as written by the operator. */
export const policySchema = z
  .strictObject({
    format: z.literal(POLICY_FORMAT).describe('Version of this file format'),
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: 'must be lower-case letters, digits and dashes' }),
    description: z.string().min(1),
    priority: z
      .number()
      .int()
      .min(0)
      .max(10000)
      .default(1000)
      .describe('Lower is asked first; the first policy that matches decides'),
    enabled: z.boolean().default(true),
    mode: z.enum(MODES).default('enforce').describe('Highest mode of this policy; the mode of the box caps it'),
    when: when.default({}),
    outcome: z
      .enum(['act', 'monitor', 'allow'])
      .default('act')
      .describe('allow: nothing happens; monitor: alert only; act: the ladder'),
    respond: respond.optional(),
    inline: inline.optional(),
    caps: caps.prefault({}),
  })
  .superRefine((policy, ctx) => {
    for (const found of findContradictions(policy)) ctx.addIssue({ code: 'custom', ...found });
  }, alwaysChecked);

export type Policy = z.output<typeof policySchema> & { version: number; source: string };
export type PolicyStep = z.output<typeof step>;
export type PolicyConditions = z.output<typeof when>;

/** JSON Schema of a policy file, for editors. */
export function policyJsonSchema(): unknown {
  return z.toJSONSchema(policySchema, { io: 'input', unrepresentable: 'any' });
}
