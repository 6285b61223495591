import { z } from 'zod';
import { defineOperations } from './operation.js';

/** A base chain of the box: where packets meet rules, ours or another program's. */
export const hookedChainSchema = z.object({
  family: z.string(),
  table: z.string(),
  chain: z.string(),
  hook: z.string(),
  type: z.string(),
  priority: z.number(),
  /** What happens to packets that no rule decides. */
  policy: z.string(),
  rules: z.number(),
  ours: z.boolean(),
});
export type HookedChain = z.infer<typeof hookedChainSchema>;

export const kernelSetSchema = z.object({
  name: z.string(),
  role: z.string(),
  version: z.union([z.literal(4), z.literal(6)]),
  /** Addresses are masked to this length before they are looked up. */
  prefix: z.number(),
  /** Elements that should be in it. */
  elements: z.number(),
  /** Elements that fit. */
  size: z.number(),
});
export type KernelSet = z.infer<typeof kernelSetSchema>;

/** Our table as it is loaded, and what else looks at packets on this box. */
export const rulesetSchema = z.object({
  table: z.string(),
  backend: z.string(),
  families: z.array(z.string()),
  /** In the order in which a packet meets them. */
  chains: z.array(hookedChainSchema),
  /** Why `chains` could not be read; empty otherwise. */
  problem: z.string(),
  sets: z.array(kernelSetSchema),
  counters: z.array(z.object({ name: z.string(), packets: z.number(), bytes: z.number() })),
  /** The table without elements, as an nft script. */
  text: z.string(),
});
export type Ruleset = z.infer<typeof rulesetSchema>;

export const rulesetOperations = defineOperations({
  getRuleset: {
    method: 'get',
    path: '/system/ruleset',
    summary: 'The nftables table of this box: sets and how full they are, counters, text, and every chain beside it',
    access: 'analyst',
    rate: 'heavy',
    status: 200,
    response: rulesetSchema,
  },
});
