import { z } from 'zod';
import { LIST_LIMIT_MAX } from './common.js';

/** One packet of a stored capture, as a line of a list. */
export const packetSummarySchema = z.object({
  /** Position in the capture, from 1. */
  number: z.number(),
  /** Microseconds since the epoch. */
  tsUs: z.number(),
  wireLen: z.number(),
  /** Bytes that were kept. */
  capLen: z.number(),
  /** Address, or the hardware address of what is no IP packet. */
  src: z.string(),
  dst: z.string(),
  srcPort: z.number().optional(),
  dstPort: z.number().optional(),
  /** tcp, udp, icmp, arp, ... */
  proto: z.string(),
  /** What it says, in a few words: TCP flags and numbers, ICMP type. */
  info: z.string(),
});
export type PacketSummary = z.infer<typeof packetSummarySchema>;

/** A part of a packet: where it lies in the bytes, and its fields. */
export const packetLayerSchema = z.object({
  name: z.string(),
  offset: z.number(),
  length: z.number(),
  fields: z.array(z.object({ name: z.string(), value: z.string() })),
});
export type PacketLayer = z.infer<typeof packetLayerSchema>;

export const packetDetailSchema = packetSummarySchema.extend({
  layers: z.array(packetLayerSchema),
  /** The bytes, two lower-case hex digits each. */
  hex: z.string(),
});
export type PacketDetail = z.infer<typeof packetDetailSchema>;

export const packetPageSchema = z.object({
  items: z.array(packetSummarySchema),
  /** Null at the end of the capture; a page may be short, even empty, while a filter still looks. */
  nextCursor: z.string().nullable(),
  /** Packets in the capture. */
  total: z.number(),
});
export type PacketPage = z.infer<typeof packetPageSchema>;

/** `q`: ip: port: proto:, -x, all of which must hold. */
export const packetQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(LIST_LIMIT_MAX).default(100),
  cursor: z
    .string()
    .regex(/^\d{1,10}$/)
    .optional(),
  q: z.string().max(200).optional(),
});
export type PacketQuery = z.infer<typeof packetQuerySchema>;
export const packetNumberSchema = z.coerce
  .number()
  .int()
  .min(1)
  .max(2 ** 32 - 1);
