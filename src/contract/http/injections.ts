import { z } from 'zod';
import { INJECT_SAMPLES } from '../inject-samples.js';
import { sensorParamsSchema } from './common.js';
import { defineOperations } from './operation.js';

export { INJECT_SAMPLES };
export const INJECT_MAX_PACKETS = 500;
export const INJECT_MAX_BYTES = 1514;

/**
 * Test packets for the detectors of a sensor. They never touch a wire: the sensor reads them as if it had captured them
 * on the interface `test`. Both addresses must lie in the networks for tests and documentation (RFC 5737, 2544, 3849),
 * so what comes of them never blocks anybody.
 */
export const injectRequestSchema = z
  .strictObject({
    /** Ethernet frames, hex. */
    packets: z
      .array(
        z
          .string()
          .regex(/^([0-9a-fA-F]{2})+$/)
          .min(28)
          .max(INJECT_MAX_BYTES * 2),
      )
      .min(1)
      .max(INJECT_MAX_PACKETS)
      .optional(),
    /** A made-up conversation instead. */
    sample: z.enum(INJECT_SAMPLES).optional(),
    /** Time between two packets as the detectors see it. */
    gapMs: z.number().min(0).max(1000).default(1),
  })
  .refine((r) => (r.packets === undefined) !== (r.sample === undefined), 'give packets or sample');
export type InjectRequest = z.output<typeof injectRequestSchema>;
export const injectResponseSchema = z.object({ packets: z.number(), offender: z.string() });

export const injectionOperations = defineOperations({
  injectPackets: {
    method: 'post',
    path: '/sensors/:name/inject',
    summary: 'Give a sensor test packets between test addresses; they never touch a wire',
    access: 'operator',
    rate: 'heavy',
    params: sensorParamsSchema,
    body: injectRequestSchema,
    status: 200,
    response: injectResponseSchema,
  },
});
