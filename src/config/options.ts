import { hostname } from 'node:os';
import { z } from 'zod';
import { afpacketOptions, capOptions } from '../capture/options.js';
import { appLayerOptions } from '../applayer/options.js';
import { correlateOptionsSchema } from '../correlate/options.js';
import { decodeOptions } from '../decode/options.js';
import { behaviourOptionsSchema } from '../detect/behaviour/options.js';
import { intelOptionsSchema } from '../detect/intel/options.js';
import { scoringOptionsSchema } from '../detect/scoring/options.js';
import { signatureOptionsSchema } from '../detect/signature/options.js';
import { MODES } from '../domain/decision.js';
import { enforceOptionsSchema } from '../enforce/options.js';
import { flowFeatureOptionsSchema } from '../features/options.js';
import { defragOptions, flowOptions } from '../flow/options.js';
import { reassemblyOptions } from '../flow/reassembly/options.js';
import { fleetOptionsSchema } from '../fleet/options.js';
import { siemOptionsSchema } from '../forward/options.js';
import { inlineOptionsSchema } from '../inline/options.js';
import { ingestOptionsSchema } from '../ingest/options.js';
import { policyOptionsSchema } from '../policy/options.js';
import { labOptionsSchema } from '../daemons/lab/options.js';
import { apiOptionsSchema } from '../api/options.js';
import { storeOptionsSchema } from '../store/options.js';
import { trainingOptionsSchema } from '../train/lifecycle/options.js';
import { snakeSection } from './snake.js';

/** Version of the configuration file; a later version migrates earlier ones. */
export const CONFIG_FORMAT = 1;

const captureSchema = afpacketOptions.omit({ interface: true, interfaceId: true }).extend({
  source: z.enum(['afpacket', 'cap']).default('afpacket').describe('afpacket: kernel ring; cap: libpcap'),
  interfaces: z
    .array(z.string().min(1).max(15))
    .default([])
    .describe('Interfaces to watch; empty: every interface that is up and not loopback, also those that appear later'),
  filter: capOptions.shape.filter,
  evidence: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe('Keep the packets around alerts, for the console and evidence bundles'),
      ringMiB: z.number().int().min(1).max(1024).default(32).describe('Memory of the sensor for the newest packets'),
      snapBytes: z.number().int().min(64).max(65_535).default(512).describe('First bytes of each packet that are kept'),
      packets: z.number().int().min(2).max(500).default(64).describe('Packets kept of one alert'),
      storeMiB: z
        .number()
        .int()
        .min(1)
        .default(512)
        .describe('Disk of the server for them; the oldest alerts go first'),
    })
    .prefault({}),
});

const detectSchema = z.strictObject({
  signature: snakeSection(
    signatureOptionsSchema.extend({
      enabled: z.boolean().default(true).describe('Match rules of signature files'),
      bypass: z
        .enum(['auto', 'always', 'never'])
        .default('auto')
        .describe(
          'Whether the sensor skips what inline.bypass lets pass without a look, once its own signatures have judged as much; auto: on a box with inline.enabled',
        ),
      stream: reassemblyOptions.extend({ inspect: reassemblyOptions.shape.inspect.default('arrival') }).prefault({}),
      appLayer: appLayerOptions.prefault({}),
    }),
  ).prefault({}),
  behaviour: snakeSection(
    behaviourOptionsSchema.extend({
      enabled: z.boolean().default(true).describe('Look for behaviours: scans, floods, guessing'),
    }),
  ).prefault({}),
  intel: snakeSection(
    intelOptionsSchema.extend({
      enabled: z.boolean().default(true).describe('Match traffic with threat intelligence'),
      folder: z.string().min(1).optional().describe('What was fetched from the feeds; data_dir/intel unless given'),
    }),
  ).prefault({}),
  models: snakeSection(
    scoringOptionsSchema.extend({ enabled: z.boolean().default(true).describe('Score flows with models') }),
  ).prefault({}),
});

const sectionsSchema = z.strictObject({
  format: z.literal(CONFIG_FORMAT).default(CONFIG_FORMAT).describe('Version of this file'),
  name: z.string().min(1).max(64).default(hostname()).describe('Name of this box in events and in the console'),
  mode: z
    .enum(MODES)
    .default('observe')
    .describe('observe: count what would be blocked; suggest: ask the operator; enforce: block'),
  data_dir: z.string().min(1).default('data').describe('Folder of the database, spool, keys and journal'),
  runtime_dir: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of the sockets between the daemons; data_dir/run unless given'),
  log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  realtime: z
    .boolean()
    .default(true)
    .describe(
      'Daemons run with real-time priority while they are mostly idle, where they may (CAP_SYS_NICE, LimitRTPRIO)',
    ),
  capture: snakeSection(captureSchema).prefault({}),
  decode: snakeSection(decodeOptions).prefault({}),
  flow: snakeSection(flowOptions).prefault({}),
  defrag: snakeSection(defragOptions).prefault({}),
  features: snakeSection(flowFeatureOptionsSchema).prefault({}),
  detect: detectSchema.prefault({}),
  training: snakeSection(trainingOptionsSchema).prefault({}),
  correlate: snakeSection(correlateOptionsSchema).prefault({}),
  lab: labOptionsSchema.prefault({}),
  policy: policyOptionsSchema.prefault({}),
  enforce: enforceOptionsSchema.prefault({}),
  inline: inlineOptionsSchema.prefault({}),
  siem: siemOptionsSchema.prefault({}),
  ingest: ingestOptionsSchema.prefault({}),
  fleet: fleetOptionsSchema.prefault({}),
  store: snakeSection(storeOptionsSchema.omit({ homeNetworks: true, waitingFile: true })).prefault({}),
  api: snakeSection(apiOptionsSchema.omit({ dataDir: true })).prefault({}),
});

/** The whole configuration file. Unknown keys are errors; every problem is reported at once. */
export const configSchema = sectionsSchema.superRefine(({ correlate, detect }, context) => {
  const { realertSecs } = detect.behaviour;
  if (correlate.explainSecs > realertSecs) return;
  // Between two reports of a behaviour each flow that a model calls hostile would be an alert of its own.
  context.addIssue({
    code: 'custom',
    path: ['correlate', 'explainSecs'],
    message: `${correlate.explainSecs} is not more than detect.behaviour.realert_secs (${realertSecs}): write at least ${Math.ceil(realertSecs * 1.5)} here, or less there`,
  });
});

export type Config = z.output<typeof configSchema>;
