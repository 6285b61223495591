import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { AppError, errorMessage } from '../util/errors.js';
import {
  facilityNumber,
  type DestinationOptions,
  type FormatName,
  type Protocol,
  type SiemOptions,
} from './options.js';
import { HTTP_PROTOCOLS, PRESETS, SYSLOG_PROTOCOLS } from './presets.js';

/** One thing that is wrong in the `siem:` section, and what to do. */
export interface Problem {
  path: string;
  message: string;
  fix: string;
}

export interface TlsSettings {
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
  minVersion: 'TLSv1.2' | 'TLSv1.3';
  skipVerify: boolean;
}

/** A destination with every default filled in. */
export interface DestinationSettings {
  name: string;
  options: DestinationOptions;
  format: FormatName;
  protocol: Protocol;
  host: string;
  port: number;
  framing: 'octet' | 'newline';
  header: 'rfc5424' | 'rfc3164';
  facility: number;
  appName: string;
  tag: boolean;
  sequenceId: boolean;
  confirm: 'close' | 'none';
  rotateMs: number;
  rotateEvents: number;
  connectTimeoutMs: number;
  closeTimeoutMs: number;
  tls: TlsSettings | undefined;
  url: string;
  token: string;
  path: string;
  maxMessageBytes: number;
}

const UDP_MAX_BYTES = 1400;

/** Fills in what preset and protocol imply. Pure except for reading the token file. */
export function resolveDestination(options: DestinationOptions, baseDir: string): DestinationSettings {
  const preset = PRESETS[options.preset];
  const t = options.transport;
  const protocol = t.protocol ?? preset.protocols[0]!;
  const file = (path: string): string => (isAbsolute(path) ? path : resolve(baseDir, path));
  const usesTls = protocol === 'tls' || protocol === 'relp-tls' || /^(https|tls):/.test(options.url ?? '');
  const tls = options.tls;
  return {
    name: options.name,
    options,
    format: options.format ?? preset.formats[0]!,
    protocol,
    host: t.host ?? '',
    port: t.port ?? preset.port?.[protocol] ?? 0,
    framing: t.framing ?? preset.framing ?? (protocol === 'tls' ? 'octet' : 'newline'),
    header: t.header ?? preset.header ?? 'rfc5424',
    facility: facilityNumber(t.facility ?? 'local0'),
    appName: t.app_name ?? 'portcullis',
    tag: t.tag ?? preset.tag ?? false,
    sequenceId: t.sequence_id ?? true,
    confirm: protocol === 'udp' || protocol === 'stdout' ? 'none' : (t.confirm ?? 'close'),
    rotateMs: (t.rotate_secs ?? 5) * 1000,
    rotateEvents: t.rotate_events ?? 5000,
    connectTimeoutMs: (t.connect_timeout_secs ?? 5) * 1000,
    closeTimeoutMs: (t.close_timeout_secs ?? 5) * 1000,
    tls: usesTls
      ? {
          ...(tls?.ca === undefined ? {} : { ca: file(tls.ca) }),
          ...(tls?.cert === undefined ? {} : { cert: file(tls.cert) }),
          ...(tls?.key === undefined ? {} : { key: file(tls.key) }),
          ...(tls?.servername === undefined ? {} : { servername: tls.servername }),
          minVersion: tls?.min_version ?? 'TLSv1.2',
          skipVerify: tls?.insecure_skip_verify ?? false,
        }
      : undefined,
    url: options.url ?? '',
    token: readToken(options, file),
    path: options.path === undefined ? '' : file(options.path),
    maxMessageBytes:
      options.max_message_bytes ?? (protocol === 'udp' ? UDP_MAX_BYTES : (preset.maxMessageBytes ?? 8192)),
  };
}

function readToken(options: DestinationOptions, file: (path: string) => string): string {
  if (options.token !== undefined) return options.token;
  if (options.token_env !== undefined) return process.env[options.token_env] ?? '';
  if (options.token_file === undefined) return '';
  try {
    return readFileSync(file(options.token_file), 'utf8').trim();
  } catch {
    return '';
  }
}

/** Every problem of the section at once, with fixes; empty when it can run. */
export function checkSiemOptions(options: SiemOptions, dataDir: string, baseDir: string = dataDir): Problem[] {
  const problems: Problem[] = [];
  checkSpoolDirectory(resolve(dataDir, options.spool.dir), problems);
  const seen = new Set<string>();
  options.destinations.forEach((destination, index) => {
    const path = `siem.destinations[${index}]`;
    if (seen.has(destination.name)) {
      problems.push({
        path: `${path}.name`,
        message: `The name "${destination.name}" is used twice.`,
        fix: 'Give each destination its own name; cursors are kept by name.',
      });
    }
    seen.add(destination.name);
    problems.push(...checkDestination(destination, path, baseDir));
  });
  return problems;
}

function checkSpoolDirectory(dir: string, problems: Problem[]): void {
  let existing = dir;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  try {
    if (!statSync(existing).isDirectory()) throw new Error(`${existing} is no directory`);
    accessSync(existing, constants.W_OK | constants.X_OK);
  } catch (error) {
    problems.push({
      path: 'siem.spool.dir',
      message: `The spool directory ${dir} is not writable: ${errorMessage(error)}.`,
      fix: `Give the server's user write access to ${existing}, or choose another siem.spool.dir.`,
    });
  }
}

/** Problems of one destination: what contradicts its preset or protocol, and files that cannot be read. */
export function checkDestination(options: DestinationOptions, path: string, baseDir: string): Problem[] {
  const problems: Problem[] = [];
  const add = (key: string, message: string, fix: string): void => {
    problems.push({ path: `${path}.${key}`, message, fix });
  };
  const preset = PRESETS[options.preset];
  const settings = resolveDestination(options, baseDir);
  const { protocol, format } = settings;
  if (!preset.protocols.includes(protocol)) {
    add(
      'transport.protocol',
      `Preset ${options.preset} does not speak ${protocol}.`,
      `Use one of: ${preset.protocols.join(', ')}.`,
    );
  }
  if (!preset.formats.includes(format)) {
    add('format', `Preset ${options.preset} does not read ${format}.`, `Use one of: ${preset.formats.join(', ')}.`);
  }
  checkSyslog(options, settings, add);
  checkHttpAndFile(options, settings, add);
  if (settings.tls === undefined && options.tls !== undefined) {
    add(
      'tls',
      `TLS is configured, but ${protocol} is not encrypted.`,
      'Use protocol tls or relp-tls, or an https URL.',
    );
  }
  if (settings.tls) checkTlsFiles(settings.tls, add);
  if (settings.maxMessageBytes < 480) {
    add('max_message_bytes', `${settings.maxMessageBytes} bytes hold no event.`, 'Use at least 480 (RFC 5424 6.1).');
  }
  if (protocol === 'udp' && settings.maxMessageBytes > 65000) {
    add('max_message_bytes', 'A UDP datagram holds at most 65,507 bytes.', 'Use 1400, or TCP for longer messages.');
  }
  return problems;
}

type Add = (key: string, message: string, fix: string) => void;

function checkSyslog(options: DestinationOptions, settings: DestinationSettings, add: Add): void {
  const t = options.transport;
  const { protocol } = settings;
  const required = PRESETS[options.preset].framing;
  const isStream = protocol === 'tcp' || protocol === 'tls';
  if (!SYSLOG_PROTOCOLS.includes(protocol)) {
    for (const key of ['host', 'port', 'framing', 'header', 'facility', 'tag', 'sequence_id', 'confirm'] as const) {
      if (t[key] !== undefined) {
        add(
          `transport.${key}`,
          `${key} has no meaning for ${protocol}.`,
          `Remove it${key === 'host' ? ' and set url' : ''}.`,
        );
      }
    }
    return;
  }
  if (settings.host === '')
    add('transport.host', 'No receiver is given.', 'Set transport.host to its name or address.');
  if (settings.port === 0) add('transport.port', 'No port is given and the preset has none.', 'Set transport.port.');
  if (t.framing !== undefined && !isStream) {
    add('transport.framing', `${protocol} frames messages by itself.`, 'Remove transport.framing.');
  } else if (isStream && t.framing !== undefined && required !== undefined && t.framing !== required) {
    const lost = options.preset === 'syslog-ng' ? 'silently loses' : 'misreads';
    add(
      'transport.framing',
      `Preset ${options.preset} ${lost} ${t.framing} framing.`,
      options.preset === 'syslog-ng'
        ? 'Use framing octet, or preset syslog-ng-network for a network() source.'
        : `Use framing ${required}, or the preset of the receiver that you really have.`,
    );
  }
  if (t.confirm !== undefined && !isStream) {
    add('transport.confirm', `${protocol} has one way to confirm only.`, 'Remove transport.confirm.');
  }
  if (settings.header === 'rfc5424' && t.tag !== undefined) {
    add('transport.tag', 'RFC 5424 carries the application name in its header.', 'Remove transport.tag.');
  }
  if (settings.header === 'rfc3164' && t.sequence_id === true) {
    add('transport.sequence_id', 'RFC 3164 has no structured data.', 'Use header rfc5424 or remove sequence_id.');
  }
  const cuts = ['rsyslog', 'syslog-ng', 'syslog-ng-network'].includes(options.preset);
  if (cuts && settings.header === 'rfc3164' && settings.format === 'cef' && !settings.tag) {
    add(
      'transport.tag',
      'rsyslog and syslog-ng take "CEF:" after an RFC 3164 header for the program name and cut it off.',
      'Set tag: true, or header: rfc5424.',
    );
  }
  if (options.url !== undefined)
    add('url', `url has no meaning for ${protocol}.`, 'Use transport.host and transport.port.');
}

function checkHttpAndFile(options: DestinationOptions, settings: DestinationSettings, add: Add): void {
  const { protocol } = settings;
  const isHttp = HTTP_PROTOCOLS.includes(protocol);
  const isNats = protocol === 'nats';
  if (isHttp && settings.url === '')
    add('url', 'No receiver is given.', 'Set url, e.g. https://splunk.example.net:8088.');
  if (isNats && settings.url === '') add('url', 'No receiver is given.', 'Set url, e.g. tls://nats.example.net:4222.');
  if (settings.url !== '' && (isHttp || isNats) && isNats !== /^(nats|tls):/.test(settings.url))
    add(
      'url',
      `${settings.url} is no address for ${protocol}.`,
      isNats ? 'Use nats: or tls:.' : 'Use https: or http:.',
    );
  const given = [options.token, options.token_file, options.token_env].filter((value) => value !== undefined).length;
  if (given > 1) add('token', 'More than one of token, token_file and token_env is given.', 'Keep one.');
  if (given > 0 && !isHttp && !isNats) add('token', `A token has no meaning for ${protocol}.`, 'Remove it.');
  if ((given > 0 || protocol === 'hec') && (isHttp || isNats) && settings.token === '') {
    add(
      'token',
      'The token is missing, empty or cannot be read.',
      'Set token_file to a readable file, or token_env to a variable that is set.',
    );
  }
  if (protocol === 'file' && settings.path === '') add('path', 'No file is given.', 'Set path, e.g. eve.json.');
  if (protocol !== 'file' && options.path !== undefined)
    add('path', `path has no meaning for ${protocol}.`, 'Remove it.');
  if (protocol === 'file' && settings.path !== '') {
    try {
      accessSync(dirname(settings.path), constants.W_OK);
    } catch (error) {
      add(
        'path',
        `The directory of ${settings.path} is not writable: ${errorMessage(error)}.`,
        'Create it, or give access.',
      );
    }
  }
}

function checkTlsFiles(tls: TlsSettings, add: Add): void {
  const read = (key: 'ca' | 'cert' | 'key'): string | undefined => {
    const path = tls[key];
    if (path === undefined) return undefined;
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      add(`tls.${key}`, `Cannot read ${path}: ${errorMessage(error)}.`, "Check the path and the server user's rights.");
      return undefined;
    }
  };
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    add(
      tls.cert === undefined ? 'tls.cert' : 'tls.key',
      'A certificate needs its key, and a key its certificate.',
      'Give both.',
    );
  }
  const parse = (key: 'ca' | 'cert', pem: string | undefined): X509Certificate | undefined => {
    if (pem === undefined) return undefined;
    try {
      return new X509Certificate(pem);
    } catch {
      add(`tls.${key}`, `${tls[key] ?? ''} holds no PEM certificate.`, 'Give a file with BEGIN CERTIFICATE.');
      return undefined;
    }
  };
  parse('ca', read('ca'));
  const cert = parse('cert', read('cert'));
  const keyPem = read('key');
  if (keyPem === undefined) return;
  try {
    const key = createPrivateKey(keyPem);
    const matches = cert?.publicKey.equals(createPublicKey(key)) ?? true;
    if (!matches)
      add('tls.key', 'The key does not belong to the certificate.', 'Give the key the certificate was made for.');
  } catch {
    add('tls.key', `${tls.key ?? ''} holds no private key that can be read.`, 'Give an unencrypted PEM key.');
  }
}

/** One error with all problems, for the caller to print. */
export function problemsError(problems: Problem[]): AppError {
  return new AppError({
    kind: 'user',
    code: 'siem.options',
    message: problems.map((problem) => `${problem.path}: ${problem.message}`).join(' '),
    fix: problems.map((problem) => `${problem.path}: ${problem.fix}`).join(' '),
    context: { problems },
  });
}
