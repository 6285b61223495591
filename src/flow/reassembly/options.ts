import { z } from 'zod';

/**
 * Which copy wins where TCP segments overlap before they are inspected, by the systems that behave so; named as in
 * Suricata's `host-os-policy`.
 */
export const STREAM_POLICIES = ['first', 'last', 'bsd', 'linux', 'old_linux', 'solaris', 'windows'] as const;
export type StreamPolicy = (typeof STREAM_POLICIES)[number];

/** Suricata's exception policies for connections seen from their middle that a sensor can follow. */
export const MIDSTREAM_POLICIES = ['ignore', 'pass_flow', 'bypass'] as const;

export const reassemblyOptions = z.strictObject({
  inspect: z
    .enum(['acked', 'arrival'])
    .default('acked')
    .describe(
      'acked: look at data when the receiver has acknowledged it, so that it is what the receiver took; arrival: as soon as it is in order.',
    ),
  overlapPolicy: z.enum(STREAM_POLICIES).default('bsd').describe('Which copy wins where segments overlap.'),
  midstream: z.boolean().default(false).describe('Follow connections whose handshake was not seen.'),
  midstreamPolicy: z
    .enum(MIDSTREAM_POLICIES)
    .default('ignore')
    .describe(
      'Of connections whose handshake was not seen: ignore: as midstream says; pass_flow: rules do not look at them; bypass: they are not put together either.',
    ),
  asyncOneside: z.boolean().default(false).describe('Follow connections of which only one direction is seen.'),
  depthKiB: z
    .int()
    .min(0)
    .max(1_048_576)
    .default(1024)
    .describe('Bytes of each direction that are looked at, KiB; 0 for all.'),
  maxWindowKiB: z
    .int()
    .min(64)
    .max(65_536)
    .default(1024)
    .describe('Data of one direction kept until it is in order and acknowledged, KiB.'),
  maxMiB: z.int().min(1).max(65_536).default(128).describe('Memory for kept data of all connections, MiB.'),
  maxConnections: z
    .int()
    .min(64)
    .max(16_777_216)
    .default(262_144)
    .describe('Connections followed at once; later ones are not looked into, and counted.'),
});
export type ReassemblyOptions = z.infer<typeof reassemblyOptions>;
export type ReassemblyInput = z.input<typeof reassemblyOptions>;
