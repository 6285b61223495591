import { z } from 'zod';

const hook = z.strictObject({
  hook: z.enum(['prerouting', 'input', 'forward']).describe('netfilter hook that looks at the source of a packet'),
  priority: z
    .number()
    .int()
    .min(-450)
    .max(400)
    .default(-300)
    .describe('Priority in that hook; -300 (raw) is before conntrack, so established sessions stop too'),
});

const lengths = (max: number, fallback: number[]) =>
  z
    .array(z.number().int().min(8).max(max))
    .min(1)
    .max(8)
    .default(fallback)
    .refine((list) => list.includes(max), `must contain ${max} (single addresses)`)
    .transform((list) => [...new Set(list)].sort((a, b) => b - a));

const guardSchema = z.strictObject({
  widest_prefix4: z.number().int().min(8).max(32).default(16).describe('Widest IPv4 prefix that may be blocked'),
  widest_prefix6: z.number().int().min(16).max(128).default(48).describe('Widest IPv6 prefix that may be blocked'),
  longest_duration_secs: z
    .number()
    .int()
    .min(60)
    .default(30 * 86_400)
    .describe('Longest block, seconds; longer decisions are refused'),
  allow_permanent: z
    .boolean()
    .default(true)
    .describe('Operators and API clients may block until revoked (duration 0); policies, feeds and SIEMs never'),
  max_elements: z
    .number()
    .int()
    .min(100)
    .max(4_000_000)
    .default(600_000)
    .describe('Most set elements in all, feeds included'),
  max_quarantined: z
    .number()
    .int()
    .min(0)
    .default(64)
    .describe('Most addresses whose incoming traffic (traffic to/both) is blocked at one time'),
  max_changes_per_minute: z
    .number()
    .int()
    .min(10)
    .default(3000)
    .describe('Most new decisions of policies, SIEMs and API clients a minute; above it they are only simulated'),
  trip_secs: z
    .number()
    .int()
    .min(10)
    .default(300)
    .describe('How long decisions stay simulated after the rate of change limit has tripped, seconds'),
  protected: z
    .array(z.string())
    .default([])
    .describe('Addresses and prefixes that are never blocked, besides those found on the box'),
});

/** `enforce:` section of the configuration: the responder's own, root-owned limits. */
export const enforceOptionsSchema = z.strictObject({
  backend: z
    .enum(['auto', 'nftables', 'dry-run'])
    .default('auto')
    .describe('nftables needs CAP_NET_ADMIN; dry-run counts in memory; auto takes nftables when it can'),
  element_path: z
    .enum(['netlink', 'nft'])
    .default('netlink')
    .describe('How set elements reach the kernel: raw netlink (0.03 ms) or the nft program (10 ms)'),
  allow_enforce: z
    .boolean()
    .default(true)
    .describe('false: every decision is only simulated, whatever the server says'),
  state_dir: z.string().default('var/responder').describe('Folder of the journal from which blocks are restored'),
  table: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,30}$/)
    .default('portcullis')
    .describe('Name of the nftables table; nothing outside it is ever changed'),
  hooks: z
    .array(hook)
    .min(1)
    .default([{ hook: 'prerouting', priority: -300 }])
    .describe('Where packets from blocked sources are stopped'),
  egress_priority: z
    .number()
    .int()
    .min(-450)
    .max(400)
    .default(-300)
    .describe('Priority in the forward and output hooks, where packets to blocked destinations are stopped'),
  ingress_interfaces: z
    .array(z.string().regex(/^[A-Za-z0-9_.@-]{1,15}$/))
    .default([])
    .describe(
      'Also screen at the ingress hook of these interfaces: earliest and cheapest, before fragments are joined',
    ),
  ingress_priority: z
    .number()
    .int()
    .min(-500)
    .max(500)
    .default(-500)
    .describe('Priority in the ingress hook; flowtables sit at 0 unless told otherwise'),
  bridge: z.boolean().default(false).describe('Also screen bridged traffic (a second table of family bridge)'),
  prefix_lengths4: lengths(32, [32, 24, 16]).describe(
    'IPv4 prefix lengths with a set of their own; others are covered by several',
  ),
  prefix_lengths6: lengths(128, [128, 64, 56, 48]).describe('IPv6 prefix lengths with a set of their own'),
  set_size: z.number().int().min(1024).max(4_000_000).default(1_000_000).describe('Size limit of each kernel set'),
  rate_limit_pps: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(50)
    .describe('Packets per second that a rate-limited source may still send'),
  log_blocked: z.boolean().default(true).describe('Log blocked packets to the kernel log, a few a second'),
  log_per_second: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe('Most logged packets a second; never limits the drop'),
  batch_window_ms: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(20)
    .describe(
      'Decisions that come faster than the kernel path takes them wait at most this long for a common transaction',
    ),
  on_stop: z
    .enum(['keep', 'flush'])
    .default('keep')
    .describe('keep: blocks outlive the responder, bounded by their kernel timeouts; flush: remove the table'),
  truth_interval_ms: z
    .number()
    .int()
    .min(10)
    .max(10_000)
    .default(50)
    .describe('How often changes made by others are looked for, milliseconds'),
  truth_samples: z
    .number()
    .int()
    .min(0)
    .max(1024)
    .default(64)
    .describe('Random elements checked in the kernel each second'),
  hits_per_cycle: z.number().int().min(0).max(10_000).default(1000).describe('Block counters read each cycle'),
  hits_interval_secs: z
    .number()
    .int()
    .min(1)
    .max(3600)
    .default(5)
    .describe('Seconds between two reads of block counters'),
  protect_refresh_secs: z
    .number()
    .int()
    .min(5)
    .max(3600)
    .default(30)
    .describe('The protected set is recomputed at least this often, and at every address or route change'),
  canary_interval_secs: z
    .number()
    .int()
    .min(0)
    .max(30 * 86_400)
    .default(86_400)
    .describe(
      'How often a block of a documentation address proves in the live table that blocks hold, and a scan in private namespaces that it is detected, decided on and blocked, seconds; no packet leaves the box; 0 switches it off',
    ),
  canary_result: z
    .string()
    .default('/run/portcullis-canary/result.json')
    .describe(
      'Where portcullis-canary.service leaves the outcome of its runs; one that failed, hangs or does not come any more is a critical incident',
    ),
  conntrack: z
    .enum(['off', 'delete'])
    .default('off')
    .describe(
      'delete: also forget the connections of a blocked address; needed only when a hook comes after conntrack, a flowtable carries them, or a proxy holds them',
    ),
  guard: guardSchema.prefault({}),
});

export type EnforceOptions = z.output<typeof enforceOptionsSchema>;
export type GuardOptions = z.output<typeof guardSchema>;
