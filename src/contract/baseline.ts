import { z } from 'zod';

/** Hours of a week; hour 0 is Monday 00:00 UTC. */
export const HOURS_OF_WEEK = 168;

const hourly = z.array(z.number()).length(HOURS_OF_WEEK);

/** What one inside host usually sends outside by one service, hour by hour of the week. */
export const serviceVolumeSchema = z.object({
  /** IP protocol number; 0 together with port 0 for all services. */
  proto: z.number().int(),
  port: z.number().int(),
  /** Mean payload bytes sent in the hour, newest weeks weigh most. */
  sentBytes: hourly,
  /** Weeks in which the hour was seen. */
  weeks: hourly,
});
export type ServiceVolume = z.infer<typeof serviceVolumeSchema>;

/** A service that the host contacts day by day. */
export const usualPeerSchema = z.object({
  address: z.string(),
  port: z.number().int(),
  proto: z.number().int(),
  /** Distinct days on which the host contacted it. */
  days: z.number().int(),
  lastMs: z.number(),
});
export type UsualPeer = z.infer<typeof usualPeerSchema>;

/** What a sensor has learned of one inside host. */
export const hostBaselineSchema = z.object({
  host: z.string(),
  /** First and last time that the host was seen, epoch milliseconds. */
  firstMs: z.number(),
  lastMs: z.number(),
  volumes: z.array(serviceVolumeSchema),
  peers: z.array(usualPeerSchema),
});
export type HostBaseline = z.infer<typeof hostBaselineSchema>;
