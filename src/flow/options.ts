import { z } from 'zod';

const secs = (value: number, what: string) =>
  z.number().min(0.1).max(86400).default(value).describe(`${what}, seconds.`);

export const flowOptions = z.strictObject({
  maxFlows: z
    .int()
    .min(64)
    .max(16_777_216)
    .default(262_144)
    .describe(
      'Flows kept at once; 174 bytes each, taken from the system as they are used. When full, idle flows are evicted.',
    ),
  vlanInKey: z
    .boolean()
    .default(false)
    .describe('Keep flows of different VLANs apart even if their addresses are the same.'),
  tcpNewTimeoutSecs: secs(30, 'A TCP flow without a completed handshake ends after this idle time'),
  tcpEstablishedTimeoutSecs: secs(600, 'An established TCP flow ends after this idle time'),
  tcpClosedTimeoutSecs: secs(5, 'A closed or reset TCP flow is kept this long for stragglers'),
  udpNewTimeoutSecs: secs(30, 'A one-way UDP flow ends after this idle time'),
  udpEstablishedTimeoutSecs: secs(180, 'A two-way UDP flow ends after this idle time'),
  icmpTimeoutSecs: secs(30, 'An ICMP flow ends after this idle time'),
  otherTimeoutSecs: secs(60, 'A flow of another protocol ends after this idle time'),
  activeTimeoutSecs: z
    .number()
    .min(0)
    .max(604_800)
    .default(3600)
    .describe('A flow that lasts longer is reported in slices of this length, seconds; 0 for never.'),
  sweepSecs: z
    .number()
    .min(0.1)
    .max(60)
    .default(2)
    .describe('Time in which every flow is looked at once for its timeout, seconds.'),
});
export type FlowOptions = z.infer<typeof flowOptions>;
export type FlowInput = z.input<typeof flowOptions>;

/**
 * Which copy wins where fragments overlap, as in Suricata's `host-os-policy`; an attacker who knows which one the
 * target follows can otherwise show the sensor another packet than the target sees.
 */
export const OVERLAP_POLICIES = ['first', 'last', 'bsd', 'linux'] as const;

export const defragOptions = z.strictObject({
  maxDatagrams: z.int().min(1).max(65536).default(4096).describe('Datagrams being put together at once.'),
  maxKiB: z.int().min(128).max(1_048_576).default(32768).describe('Memory for fragments, KiB.'),
  timeoutSecs: z
    .number()
    .min(1)
    .max(300)
    .default(30)
    .describe('A datagram that is not complete by then is given up, seconds.'),
  overlapPolicy: z.enum(OVERLAP_POLICIES).default('bsd').describe('Which copy wins where fragments overlap.'),
});
export type DefragOptions = z.infer<typeof defragOptions>;
export type DefragInput = z.input<typeof defragOptions>;
