import { z } from 'zod';

/** Kernel limit of interface names (IFNAMSIZ 16 with the closing zero). */
const interfaceName = z.string().min(1).max(15).describe('Network interface, as `portcullis interfaces` lists it.');

const promiscuous = z.boolean().default(true).describe('Receive frames that are addressed to other hosts too.');

const interfaceId = z
  .int()
  .min(0)
  .max(255)
  .default(0)
  .describe('Number of the interface in what is reported; set by the sensor from its list.');

/** How the kernel shares packets among the sockets of a fanout group (packet(7), PACKET_FANOUT). */
export const FANOUT_MODES = ['hash', 'load_balance', 'cpu', 'rollover', 'random', 'queue'] as const;

export const fanoutOptions = z.strictObject({
  group: z.int().min(0).max(65535).describe('Group number; sensors that share an interface use the same.'),
  mode: z
    .enum(FANOUT_MODES)
    .default('hash')
    .describe('`hash` keeps both directions of a flow in one process; the flow table needs it.'),
});

export const afpacketOptions = z.strictObject({
  interface: interfaceName,
  interfaceId,
  promiscuous,
  blockTimeoutMs: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe('Longest time a packet waits in the kernel for its block to fill, milliseconds.'),
  wakeEachBelowPps: z
    .int()
    .min(0)
    .max(100_000)
    .default(2000)
    .describe(
      'While fewer packets a second arrive, each of them wakes the sensor at once; above, blocks do. 0 turns it off, and so does `fanout`.',
    ),
  blockKiB: z
    .int()
    .min(16)
    .max(4096)
    .default(256)
    .refine((kib) => (kib & (kib - 1)) === 0, 'must be a power of two')
    .describe(
      'Size of one ring block, KiB, a power of two; the largest frame must fit. Larger blocks wake the sensor less often.',
    ),
  ringMiB: z
    .int()
    .min(1)
    .max(2047)
    .default(64)
    .describe(
      'Size of the ring, MiB: how long the sensor may stall before the kernel drops packets. A block is used up each block timeout even if it is not full: at least blocks times block timeout, 256 ms.',
    ),
  snapLen: z
    .int()
    .min(64)
    .max(262144)
    .default(262144)
    .describe('Bytes kept of each packet; signatures need whole packets.'),
  fanout: fanoutOptions.optional().describe('Share the interface with other sensor processes.'),
});
export type AfpacketOptions = z.infer<typeof afpacketOptions>;
export type AfpacketInput = z.input<typeof afpacketOptions>;

export const capOptions = z.strictObject({
  interface: interfaceName,
  interfaceId,
  filter: z.string().max(4096).default('').describe('libpcap filter expression; empty for everything.'),
  bufferMiB: z.int().min(1).max(1024).default(16).describe('Kernel buffer, MiB.'),
});
export type CapOptions = z.infer<typeof capOptions>;
export type CapInput = z.input<typeof capOptions>;

/** One configured source of packets. */
export const sourceOptions = z.discriminatedUnion('kind', [
  afpacketOptions.extend({ kind: z.literal('afpacket') }),
  capOptions.extend({ kind: z.literal('cap') }),
  z.strictObject({ kind: z.literal('file'), path: z.string().min(1).describe('pcap or pcapng file.') }),
  z.strictObject({ kind: z.literal('pipe').describe('pcap or pcapng stream on standard input.') }),
]);
export type SourceOptions = z.infer<typeof sourceOptions>;
export type SourceInput = z.input<typeof sourceOptions>;
