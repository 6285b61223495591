import { z } from 'zod';

const port = z.int().min(1).max(65535);

export const decodeOptions = z.strictObject({
  maxTunnelDepth: z
    .int()
    .min(0)
    .max(8)
    .default(4)
    .describe('Tunnels (GRE, IP-in-IP, VXLAN, ...) peeled off one packet; deeper ones are counted as too_deep.'),
  maxVlanTags: z.int().min(0).max(8).default(3).describe('VLAN tags read from one frame; the first two are kept.'),
  vxlanPorts: z
    .array(port)
    .max(8)
    .default([4789])
    .describe('UDP destination ports that carry VXLAN (RFC 7348); empty to leave VXLAN alone.'),
  genevePorts: z
    .array(port)
    .max(8)
    .default([6081])
    .describe('UDP destination ports that carry Geneve (RFC 8926); empty to leave Geneve alone.'),
});
export type DecodeOptions = z.infer<typeof decodeOptions>;
export type DecodeInput = z.input<typeof decodeOptions>;
