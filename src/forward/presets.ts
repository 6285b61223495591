import type { FormatName, PresetName, Protocol } from './options.js';

/** What a receiver product wants; each line is a fact about the product, explained in docs/siem/<product>. */
export interface Preset {
  formats: readonly FormatName[];
  protocols: readonly Protocol[];
  header?: 'rfc5424' | 'rfc3164';
  /** Framing that the receiver requires; absent when it takes both. */
  framing?: 'octet' | 'newline';
  tag?: boolean;
  port?: Partial<Record<Protocol, number>>;
  /** Longest message in bytes when not configured. */
  maxMessageBytes?: number;
}

const SYSLOG_TEXT = ['cef', 'leef', 'ecs', 'ocsf', 'eve', 'json'] as const;
const SYSLOG_PORTS = { udp: 514, tcp: 514, tls: 6514, relp: 2514, 'relp-tls': 2515 } as const;

/** The first format and the first protocol of each line are its defaults. */
export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  rsyslog: {
    formats: SYSLOG_TEXT,
    protocols: ['tcp', 'tls', 'relp', 'relp-tls', 'udp'],
    header: 'rfc5424',
    tag: true,
    port: SYSLOG_PORTS,
  },
  'syslog-ng': {
    formats: SYSLOG_TEXT,
    protocols: ['tcp', 'tls', 'udp'],
    header: 'rfc5424',
    framing: 'octet',
    tag: true,
    port: { ...SYSLOG_PORTS, tcp: 601 },
  },
  'syslog-ng-network': {
    formats: SYSLOG_TEXT,
    protocols: ['tcp', 'tls', 'udp'],
    header: 'rfc3164',
    framing: 'newline',
    tag: true,
    port: SYSLOG_PORTS,
  },
  logstash: {
    formats: ['cef', 'ecs', 'json'],
    protocols: ['tcp', 'tls', 'udp'],
    header: 'rfc5424',
    framing: 'newline',
  },
  'elastic-agent': { formats: ['cef', 'eve'], protocols: ['tcp', 'tls', 'udp'], header: 'rfc5424', framing: 'newline' },
  qradar: {
    formats: ['leef', 'cef'],
    protocols: ['tcp', 'tls', 'udp'],
    header: 'rfc3164',
    framing: 'newline',
    tag: false,
    port: SYSLOG_PORTS,
    maxMessageBytes: 4096,
  },
  arcsight: {
    formats: ['cef'],
    protocols: ['tcp', 'tls', 'udp'],
    header: 'rfc3164',
    framing: 'newline',
    tag: false,
    port: SYSLOG_PORTS,
  },
  'sentinel-ama': {
    formats: ['cef'],
    protocols: ['tcp', 'tls', 'udp'],
    header: 'rfc3164',
    framing: 'newline',
    tag: false,
    port: SYSLOG_PORTS,
  },
  wazuh: {
    formats: ['eve', 'cef', 'json'],
    protocols: ['tcp', 'udp'],
    header: 'rfc3164',
    framing: 'newline',
    tag: true,
    port: SYSLOG_PORTS,
  },
  graylog: {
    formats: ['cef', 'json'],
    protocols: ['tcp', 'tls', 'udp'],
    header: 'rfc5424',
    framing: 'newline',
    port: SYSLOG_PORTS,
  },
  'splunk-hec': { formats: ['splunk-hec'], protocols: ['hec'], maxMessageBytes: 1024 * 1024 },
  elastic: { formats: ['ecs'], protocols: ['bulk'], maxMessageBytes: 1024 * 1024 },
  opensearch: { formats: ['ecs'], protocols: ['bulk'], maxMessageBytes: 1024 * 1024 },
  otlp: { formats: ['otlp'], protocols: ['otlp'], maxMessageBytes: 1024 * 1024 },
  webhook: { formats: ['json', 'ecs', 'ocsf', 'eve'], protocols: ['webhook'], maxMessageBytes: 256 * 1024 },
  nats: { formats: ['json', 'ecs', 'ocsf', 'eve', 'cef', 'leef'], protocols: ['nats'], maxMessageBytes: 256 * 1024 },
  file: { formats: ['json', 'cef', 'leef', 'ecs', 'ocsf', 'eve'], protocols: ['file'], maxMessageBytes: 1024 * 1024 },
  stdout: { formats: ['json', 'cef', 'leef', 'ecs', 'ocsf', 'eve'], protocols: ['stdout'], maxMessageBytes: 64 * 1024 },
};

/** Protocols that carry syslog messages. */
export const SYSLOG_PROTOCOLS: readonly Protocol[] = ['udp', 'tcp', 'tls', 'relp', 'relp-tls'];
/** Protocols that are HTTP requests. */
export const HTTP_PROTOCOLS: readonly Protocol[] = ['hec', 'bulk', 'otlp', 'webhook'];
