import { z } from 'zod';
import { SEVERITIES } from '../domain/severity.js';
import { parseDuration } from '../util/duration.js';

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** `1GiB`, `64MiB`, `8192` -> bytes. */
const bytes = z.union([z.number(), z.string()]).transform((value, context) => {
  const match = /^(\d+(?:\.\d+)?)\s*(B|KB|MB|GB|KiB|MiB|GiB|)$/.exec(String(value).trim());
  const unit = BYTE_UNITS[match?.[2] ?? ''];
  if (!match || unit === undefined) {
    context.addIssue({ code: 'custom', message: 'must be a size such as 8192, 64MiB or 1GiB' });
    return z.NEVER;
  }
  return Math.round(Number(match[1]) * unit);
});

/** `60s`, `7d`, `5` -> seconds. */
const seconds = z.union([z.number(), z.string()]).transform((value, context) => {
  const secs = parseDuration(String(value));
  if (secs === undefined) {
    context.addIssue({ code: 'custom', message: 'must be a duration such as 5s, 15m or 7d' });
    return z.NEVER;
  }
  return secs;
});

export const PRESET_NAMES = [
  'rsyslog',
  'syslog-ng',
  'syslog-ng-network',
  'splunk-hec',
  'elastic',
  'opensearch',
  'logstash',
  'elastic-agent',
  'qradar',
  'arcsight',
  'sentinel-ama',
  'wazuh',
  'graylog',
  'otlp',
  'webhook',
  'nats',
  'file',
  'stdout',
] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

export const FORMAT_NAMES = ['cef', 'leef', 'ecs', 'ocsf', 'eve', 'splunk-hec', 'otlp', 'json'] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

export const PROTOCOLS = [
  'udp',
  'tcp',
  'tls',
  'relp',
  'relp-tls',
  'hec',
  'bulk',
  'otlp',
  'webhook',
  'nats',
  'file',
  'stdout',
] as const;
export type Protocol = (typeof PROTOCOLS)[number];

const FACILITIES = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
  'ntp',
  'audit',
  'alert',
  'clock',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const;

/** Facility number of a name (RFC 5424 6.2.1). */
export function facilityNumber(name: (typeof FACILITIES)[number]): number {
  return FACILITIES.indexOf(name);
}

export const KINDS = ['alert', 'decision', 'health', 'gap', 'audit'] as const;

const transportSchema = z.strictObject({
  protocol: z.enum(PROTOCOLS).optional().describe('How bytes travel; the preset has a default.'),
  host: z.string().min(1).optional().describe('Receiver for udp, tcp, tls and relp.'),
  port: z.number().int().min(1).max(65535).optional(),
  framing: z
    .enum(['octet', 'newline'])
    .optional()
    .describe('RFC 6587 octet counting or line feeds; a sender cannot detect what the receiver wants.'),
  header: z.enum(['rfc5424', 'rfc3164']).optional().describe('Syslog header.'),
  facility: z.enum(FACILITIES).optional().describe('Syslog facility; local0 by default.'),
  app_name: z.string().min(1).max(48).optional().describe('Syslog application name; portcullis by default.'),
  tag: z.boolean().optional().describe('RFC 3164 only: write the application name in front of the message.'),
  sequence_id: z.boolean().optional().describe('RFC 5424 only: number the messages in structured data.'),
  confirm: z
    .enum(['close', 'none'])
    .optional()
    .describe('tcp and tls: confirm by half-close, or trust the connection (best effort).'),
  rotate_secs: seconds.optional().describe('tcp and tls: longest time between confirmations.'),
  rotate_events: z.number().int().min(1).optional().describe('tcp and tls: most events between confirmations.'),
  connect_timeout_secs: seconds.optional(),
  close_timeout_secs: seconds.optional().describe('How long to wait for the receiver to confirm.'),
});

const tlsSchema = z.strictObject({
  ca: z.string().optional().describe('PEM file of the authorities to trust; the system list by default.'),
  cert: z.string().optional().describe('PEM file of our certificate (mTLS).'),
  key: z.string().optional().describe('PEM file of its key.'),
  servername: z.string().optional().describe('Name the certificate must have; the host by default.'),
  min_version: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
  insecure_skip_verify: z.boolean().default(false).describe('Accept any certificate. Shown as a fault in health.'),
});

export const destinationSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be lower-case letters, digits, dot, dash or underscore, at most 63')
    .describe('Names the destination in status, cursor files and `portcullis siem test NAME`.'),
  enabled: z.boolean().default(true),
  preset: z.enum(PRESET_NAMES).describe('Receiver product; sets format, transport, framing and header that fit it.'),
  format: z.enum(FORMAT_NAMES).optional(),
  cef_version: z
    .union([z.literal(0), z.literal(1)])
    .default(0)
    .describe('CEF:1 adds MITRE keys; liblognorm rejects it.'),
  transport: transportSchema.prefault({}),
  tls: tlsSchema.optional(),
  url: z
    .url({ protocol: /^(https?|nats|tls)$/ })
    .optional()
    .describe('Receiver for hec, bulk, otlp and webhook (http, https), and nats (nats, tls).'),
  token: z.string().min(1).optional().describe('HEC token, bearer token or webhook secret; better in a file.'),
  token_file: z.string().optional(),
  token_env: z.string().optional(),
  username: z.string().optional().describe('Login for bulk and nats, with the token as its password.'),
  subject: z
    .string()
    .regex(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/, 'must be words with dots between them')
    .default('portcullis.events')
    .describe('NATS subject; the kind of event is appended. A JetStream stream must store it.'),
  index: z.string().optional().describe('Splunk index.'),
  sourcetype: z.string().default('portcullis:event').describe('Splunk source type.'),
  ack: z.enum(['auto', 'on', 'off']).default('auto').describe('Splunk indexer acknowledgement.'),
  ack_timeout_secs: seconds.default(60),
  dataset: z
    .string()
    .regex(/^[a-z0-9._]+$/)
    .default('portcullis.event')
    .describe('Elastic data stream data set.'),
  namespace: z
    .string()
    .regex(/^[a-z0-9._]+$/)
    .default('default'),
  gzip: z.boolean().default(true).describe('Compress HTTP bodies.'),
  path: z.string().optional().describe('For preset file.'),
  rotate_bytes: bytes.prefault('256MiB').describe('For preset file: size at which a new file starts.'),
  keep_files: z.number().int().min(1).max(1000).default(8).describe('For preset file: rotated files to keep.'),
  reopen_signal: z.enum(['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'none']).default('SIGHUP').describe('For preset file.'),
  filter: z
    .strictObject({
      min_level: z.enum(SEVERITIES).default('info').describe('Least severity of alerts; decisions always pass.'),
      kinds: z
        .array(z.enum(KINDS))
        .min(1)
        .default([...KINDS]),
      exclude_rules: z.array(z.string().regex(/^(\d+:)?\d+$/, 'must be gid:id or id')).default([]),
    })
    .prefault({}),
  rate_limit: z
    .strictObject({
      per_second: z.number().positive().describe('Alerts a second; decisions are never limited.'),
      burst: z.number().int().positive().optional(),
      over: z
        .enum(['aggregate', 'wait', 'drop'])
        .default('aggregate')
        .describe('Above the limit: merge alerts of the same rule and source, hold back, or drop and report a gap.'),
    })
    .optional(),
  max_message_bytes: bytes.optional().describe('Longer messages are shrunk: payload, evidence, text.'),
  fields: z
    .strictObject({
      add: z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,40}$/), z.string().max(1000)).default({}),
      redact: z.array(z.string().min(1)).default([]).describe('Event fields or evidence names to blank out.'),
    })
    .prefault({}),
  batch: z
    .strictObject({
      events: z.number().int().min(1).max(5000).default(500),
      bytes: bytes.prefault('1MiB'),
      linger_secs: seconds.prefault('1s').describe('HTTP: how long to wait for more before a request is sent.'),
    })
    .prefault({}),
});
export type DestinationOptions = z.infer<typeof destinationSchema>;

/** The `siem:` section of the configuration. */
export const siemOptionsSchema = z.strictObject({
  spool: z
    .strictObject({
      dir: z.string().min(1).default('spool').describe('Directory; relative to the data directory.'),
      max_bytes: bytes.prefault('1GiB').describe('Low alerts are dropped first, decisions never.'),
      max_age: seconds.prefault('7d').describe('Older events are dropped and reported as a gap.'),
      segment_bytes: bytes.prefault('16MiB'),
      fsync_ms: z.number().int().min(1).max(10000).default(200).describe('Group fsync; decisions are synced at once.'),
      keep_confirmed: seconds
        .prefault('24h')
        .describe('How long events that every destination has stay in the spool, for a replay.'),
      keep_confirmed_bytes: bytes.prefault('256MiB').describe('At most so much is kept for replays.'),
      memory_bytes: bytes.prefault('64MiB').describe('Events held in memory while the disk is full.'),
    })
    .prefault({}),
  aggregate: z
    .strictObject({
      window: seconds.prefault('60s').describe('First alert at once, then one summary a window; 0s turns it off.'),
      key: z
        .array(z.enum(['rule.id', 'src.ip', 'dst.ip', 'dst.port']))
        .min(1)
        .default(['rule.id', 'src.ip', 'dst.ip', 'dst.port']),
      max_keys: z.number().int().min(1).max(1_000_000).default(50_000),
    })
    .prefault({}),
  redact: z.array(z.string().min(1)).default([]).describe('Blanked out before anything reaches the disk.'),
  requests: z
    .strictObject({
      default_duration: seconds.prefault('1h').describe('Duration of a block that a SIEM asks for without one.'),
      max_duration: seconds.prefault('24h').describe('Longer requests are shortened to this.'),
      max_blocks_per_hour: z.number().int().min(0).default(500).describe('For all SIEMs together; 0 refuses all.'),
      min_prefix4: z.number().int().min(1).max(32).default(24).describe('Widest IPv4 prefix a SIEM may block.'),
      min_prefix6: z.number().int().min(1).max(128).default(48).describe('Widest IPv6 prefix a SIEM may block.'),
    })
    .prefault({})
    .describe('What POST /response-requests accepts from a SIEM or SOAR.'),
  destinations: z.array(destinationSchema).default([]),
});
export type SiemOptions = z.infer<typeof siemOptionsSchema>;
/** What a SIEM may ask for. */
export type ResponseRequestOptions = SiemOptions['requests'];
export type SiemOptionsInput = z.input<typeof siemOptionsSchema>;
