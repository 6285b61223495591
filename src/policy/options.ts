import { z } from 'zod';
import { parseCidr } from '../util/ip.js';

/** `policy:` section of the configuration. */
export const policyOptionsSchema = z.strictObject({
  dir: z.string().default('policies').describe('Folder with one policy a file (*.yaml)'),
  home_networks: z
    .array(z.string().refine((text) => parseCidr(text) !== undefined, 'not an address or prefix'))
    .default(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fe80::/10'])
    .describe('Own networks: decide what is inbound, outbound and internal'),
  max_offenders: z
    .number()
    .int()
    .min(100)
    .default(100_000)
    .describe('Offenders whose history is kept in memory; the quietest is forgotten first'),
  blast_radius: z
    .strictObject({
      max_benign_flows: z
        .number()
        .int()
        .min(0)
        .default(20)
        .describe('Established flows without an alert behind the address above which a block is narrowed'),
      max_benign_peers: z
        .number()
        .int()
        .min(0)
        .default(10)
        .describe('Distinct inside hosts it talks to without an alert, above which a block is narrowed'),
      shorten_to_secs: z.number().int().min(10).default(300).describe('Longest duration of a narrowed block, seconds'),
    })
    .prefault({}),
});

export type PolicyOptions = z.output<typeof policyOptionsSchema>;
