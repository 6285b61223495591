import { z } from 'zod';
import { parseCidr } from '../util/ip.js';

const network = z.string().refine((text) => parseCidr(text) !== undefined, { error: 'is not an address or prefix' });

/** `tcp/80`, `udp/53`, `tcp/8000-8100`, `tcp`, `icmp`. */
const SERVICE = /^(?:(?:tcp|udp|sctp)(?:\/(\d{1,5})(?:-(\d{1,5}))?)?|icmp|icmpv6)$/;
const service = z.string().refine(
  (text) => {
    const m = SERVICE.exec(text);
    if (!m) return false;
    const from = Number(m[1] ?? 0);
    const to = Number(m[2] ?? from);
    return from <= to && to <= 65_535;
  },
  { error: 'is not a service such as tcp/80, udp/53, tcp/8000-8100, tcp or icmp' },
);

export const HOOKS = ['forward', 'input', 'output'] as const;
export type Hook = (typeof HOOKS)[number];

/** What to do with a packet that cannot be judged. */
export const EXCEPTIONS = ['pass', 'drop'] as const;
export type Exception = (typeof EXCEPTIONS)[number];
const exception = (fallback: Exception, when: string) => z.enum(EXCEPTIONS).default(fallback).describe(when);

const queueSchema = z.strictObject({
  first: z.number().int().min(0).max(65_535).default(40).describe('Number of the first queue'),
  fanout: z
    .number()
    .int()
    .min(1)
    .max(32)
    .default(1)
    .describe('Processes that judge, each with a queue of its own; the kernel spreads pairs of addresses over them'),
  max_packets: z
    .number()
    .int()
    .min(64)
    .max(1_000_000)
    .default(4096)
    .describe('Packets that may wait in the kernel, each queue'),
  copy_bytes: z
    .number()
    .int()
    .min(256)
    .max(65_535)
    .default(65_535)
    .describe('First bytes of each packet that are looked at; what is longer counts as cut, see exceptions.truncated'),
  gso: z.boolean().default(true).describe('Segments that the kernel has merged are judged as one packet'),
  socket_buffer_mib: z
    .number()
    .int()
    .min(1)
    .max(1024)
    .default(16)
    .describe('Memory of the kernel for handed-over packets'),
});

const overloadSchema = z.strictObject({
  max_latency_ms: z
    .number()
    .int()
    .min(5)
    .max(60_000)
    .default(100)
    .describe(
      'A packet that waited longer is the sign of overload; with fail: open everything passes until it is over',
    ),
  recover_ms: z
    .number()
    .int()
    .min(100)
    .max(600_000)
    .default(1000)
    .describe('Quiet time after which packets are judged again'),
});

const streamSchema = z.strictObject({
  hold_ms: z
    .number()
    .int()
    .min(0)
    .max(5000)
    .default(20)
    .describe(
      'Longest time that a segment is held because an earlier one is missing; then it goes on, kept in mind: the receiver cannot use it before the missing one, which is judged together with it',
    ),
  flow_kib: z
    .number()
    .int()
    .min(64)
    .max(16_384)
    .default(1024)
    .describe('Data kept of one direction of a connection, KiB'),
  total_mib: z.number().int().min(1).max(4096).default(64).describe('Data kept of all connections, MiB'),
});

const exceptionsSchema = z.strictObject({
  memory: exception('pass', 'The memory for kept segments, or the flow table, is full'),
  midstream: exception('pass', 'A connection that began before we watched'),
  parser_error: exception('pass', 'A packet that cannot be decoded'),
  urgent: exception(
    'drop',
    'A segment with urgent data: the receiver may read it as another text than we do (RFC 6093)',
  ),
  truncated: exception('pass', 'A packet longer than queue.copy_bytes'),
});

const bypassSchema = z.strictObject({
  after_kib: z
    .number()
    .int()
    .min(0)
    .default(1024)
    .describe(
      'A direction of a connection that was harmless for so many KiB is forwarded without the queue from then on; 0: never. The other direction is still judged',
    ),
  encrypted: z.boolean().default(true).describe('A connection whose content is encrypted needs no further look'),
  apps: z
    .array(z.string())
    .default([])
    .describe('Application protocols whose connections need no further look once they are recognised, such as ssh'),
});

/** `inline:` section of the configuration. */
export const inlineOptionsSchema = z.strictObject({
  state_dir: z
    .string()
    .min(1)
    .default('inline')
    .describe(
      'Folder that keeps mode, policies and exempt addresses for a start without the server; data_dir/inline unless given',
    ),
  enabled: z
    .boolean()
    .default(false)
    .describe('Start the inline daemon with the others (needs CAP_NET_ADMIN, CAP_NET_RAW)'),
  mode: z
    .enum(['observe', 'enforce'])
    .default('observe')
    .describe('observe: count what would be dropped; enforce: drop it. The mode of the box caps it'),
  hooks: z.array(z.enum(HOOKS)).min(1).default(['forward']).describe('Netfilter hooks whose packets are judged'),
  interfaces: z
    .array(z.string().regex(/^[A-Za-z0-9_.:@-]{1,15}$/))
    .default([])
    .describe('Only packets that come or go by one of these interfaces; empty: all'),
  services: z
    .array(service)
    .default(['tcp/80', 'tcp/8080', 'udp/53', 'tcp/53'])
    .describe('Only packets of these services, both directions: tcp/80, udp/53, tcp/8000-8100, tcp, icmp; empty: all'),
  networks: z.array(network).default([]).describe('Only packets with an end in one of these networks; empty: all'),
  exclude: z.array(network).default([]).describe('Never packets with an end in one of these networks'),
  fail: z
    .enum(['open', 'closed'])
    .default('open')
    .describe('What happens to chosen traffic while nobody judges it: open: it passes; closed: it is dropped'),
  alive_ms: z
    .number()
    .int()
    .min(200)
    .max(60_000)
    .default(1000)
    .describe('With fail: open, the kernel stops queueing when the daemon has not shown life for so long'),
  backend: z
    .enum(['auto', 'nft', 'iptables'])
    .default('auto')
    .describe(
      'How packets get to the queue: nft queue statement, or the NFQUEUE target of iptables-nft; auto: what the kernel has',
    ),
  mark_bit: z
    .number()
    .int()
    .min(0)
    .max(28)
    .default(27)
    .describe('Lowest of four bits of the packet and connection mark that belong to us'),
  resets: z
    .boolean()
    .default(true)
    .describe('A connection that is cut is reset at the end of the victim, so that it does not wait'),
  queue: queueSchema.prefault({}),
  overload: overloadSchema.prefault({}),
  stream: streamSchema.prefault({}),
  exceptions: exceptionsSchema.prefault({}),
  bypass: bypassSchema.prefault({}),
});
export type InlineOptions = z.output<typeof inlineOptionsSchema>;
