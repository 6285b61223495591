import { z } from 'zod';

/** How the server keeps its data: one SQLite file by default, MySQL or MariaDB for a fleet. */
export const storeOptionsSchema = z.strictObject({
  kind: z.enum(['sqlite', 'mysql']).default('sqlite').describe('sqlite: one file on this box; mysql: MySQL or MariaDB'),
  path: z
    .string()
    .min(1)
    .default('/var/lib/portcullis/portcullis.db')
    .describe('SQLite database file; its directory must exist'),
  busyTimeoutMs: z
    .number()
    .int()
    .min(0)
    .max(60_000)
    .default(5000)
    .describe('how long to wait for another process that writes to the SQLite file'),
  host: z.string().default('localhost').describe('MySQL host'),
  port: z.number().int().min(1).max(65535).default(3306).describe('MySQL port'),
  failoverHosts: z
    .array(z.string().min(1))
    .default([])
    .describe('further MySQL hosts, host or host:port, tried in this order when the one before does not answer'),
  silenceSecs: z
    .number()
    .int()
    .min(2)
    .max(3600)
    .default(30)
    .describe('a MySQL connection on which nothing came for so long is given up, and its transaction tried again'),
  socketPath: z.string().optional().describe('MySQL Unix socket, instead of host and port'),
  database: z.string().default('portcullis').describe('MySQL database'),
  user: z.string().default('portcullis').describe('MySQL user'),
  password: z.string().default('').describe('MySQL password; better given by PORTCULLIS_STORE_PASSWORD'),
  poolSize: z.number().int().min(1).max(64).default(8).describe('MySQL connections'),
  thread: z
    .boolean()
    .default(true)
    .describe('run the database in a thread of its own, so that no query ever holds up a decision'),
  homeNetworks: z.array(z.string()).optional().describe('networks whose hosts are added up by hour'),
  waitingFile: z.string().optional().describe('where decisions wait that the database does not take'),
  batchMs: z.number().int().min(1).max(5000).default(50).describe('longest wait before queued rows are written'),
  batchRows: z.number().int().min(1).max(500).default(50).describe('rows written in one transaction'),
  maxQueuedAlerts: z.number().int().min(100).default(20_000).describe('alerts and decisions held back in memory'),
  maxQueuedFlows: z.number().int().min(100).default(50_000).describe('flows held back in memory; more are dropped'),
  retention: z
    .strictObject({
      alertDays: z.number().min(0).default(90).describe('archived and open alerts are kept this long; 0 = for ever'),
      flowDays: z.number().min(0).default(7).describe('flows are kept this long; 0 = for ever'),
      decisionDays: z.number().min(0).default(365).describe('ended decisions are kept this long; 0 = for ever'),
      sampleDays: z.number().min(0).default(14).describe('sampled flows for training are kept this long; 0 = for ever'),
      timelineDays: z.number().min(0).default(90).describe('statistics are kept this long; 0 = for ever'),
      chunkRows: z.number().int().min(10).max(10_000).default(500).describe('rows deleted in one transaction'),
    })
    .prefault({}),
});
export type StoreOptions = z.infer<typeof storeOptionsSchema>;
