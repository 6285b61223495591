import { z } from 'zod';
import { SEVERITIES } from '../domain/severity.js';
import { parseCidr } from '../util/ip.js';

const network = z.string().refine((text) => parseCidr(text) !== undefined, 'must be an address or prefix');

/** Ways in; `eve-*` are local and guarded by file rights, `syslog-*` come over the network. */
export const SOURCE_KINDS = ['eve-file', 'eve-socket', 'syslog-udp', 'syslog-tcp', 'syslog-tls'] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

export const sourceSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,31}$/, 'must be lower-case letters, digits, dot, dash or underscore, at most 32')
      .describe('Becomes the sensor of its detections'),
    enabled: z.boolean().default(true),
    kind: z.enum(SOURCE_KINDS),
    path: z.string().min(1).optional().describe('eve-file: the file; eve-socket: the Unix socket that is made'),
    listen: z.string().default('127.0.0.1').describe('syslog: address to listen on'),
    port: z.number().int().min(1).max(65535).default(5514).describe('syslog: port to listen on'),
    allow_from: z.array(network).default([]).describe('syslog: senders that are listened to; required off loopback'),
    cert_file: z.string().optional().describe('syslog-tls: our certificate, PEM'),
    key_file: z.string().optional().describe('syslog-tls: its key, PEM'),
    ca_file: z
      .string()
      .optional()
      .describe('syslog-tls: authority of the senders; with it they must show a certificate'),
    may_block: z
      .boolean()
      .optional()
      .describe(
        'Findings may lead to a block by policy; by default true for eve, false for syslog, never for syslog-udp',
      ),
    min_severity: z.enum(SEVERITIES).default('low').describe('Findings below it are counted and left out'),
    per_second: z.number().int().min(1).max(100_000).default(500).describe('Findings a second that are taken'),
    burst: z.number().int().min(1).max(1_000_000).default(5000),
    max_line_bytes: z.number().int().min(1024).max(1_048_576).default(65_536),
    max_age_secs: z.number().int().min(1).default(600).describe('Older events are counted and left out'),
    max_connections: z.number().int().min(1).max(10_000).default(64),
  })
  .superRefine((source, context) => {
    const problem = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    const isEve = source.kind.startsWith('eve-');
    if (isEve && source.path === undefined) problem('path', `${source.kind} needs a path`);
    if (!isEve && source.path !== undefined) problem('path', `has no meaning for ${source.kind}`);
    if (source.kind === 'syslog-udp' && source.may_block === true)
      problem(
        'may_block',
        'anybody can forge the sender of a datagram: use syslog-tls, or syslog-tcp in a network you trust',
      );
    if (source.kind === 'syslog-tls' && (source.cert_file === undefined || source.key_file === undefined))
      problem('cert_file', 'syslog-tls needs cert_file and key_file');
    if (source.kind !== 'syslog-tls' && (source.cert_file ?? source.key_file ?? source.ca_file) !== undefined)
      problem('cert_file', `has no meaning for ${source.kind}`);
    const isLocal = source.listen === '127.0.0.1' || source.listen === '::1';
    if (!isEve && !isLocal && source.allow_from.length === 0)
      problem('allow_from', 'a listener that others can reach needs the list of senders');
  });
export type SourceOptions = z.output<typeof sourceSchema>;

/** `ingest:` section of the configuration: what other sensors and firewalls report. */
export const ingestOptionsSchema = z
  .strictObject({
    sources: z.array(sourceSchema).max(32).default([]),
  })
  .superRefine(({ sources }, context) => {
    const names = sources.map((s) => s.name);
    const twice = names.findIndex((name, i) => names.indexOf(name) !== i);
    if (twice >= 0)
      context.addIssue({
        code: 'custom',
        path: ['sources', twice, 'name'],
        message: `"${names[twice]}" is used twice`,
      });
  });
export type IngestOptions = z.output<typeof ingestOptionsSchema>;

/** Whether findings of a source may lead to a block by policy. */
export function mayBlock(source: SourceOptions): boolean {
  return source.kind !== 'syslog-udp' && (source.may_block ?? source.kind.startsWith('eve-'));
}
