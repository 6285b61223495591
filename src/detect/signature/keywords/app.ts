import type { Direction } from '../../../domain/flow.js';
import type { TagSpec } from '../rule.js';
import { frameBuffer } from '../buffers.js';
import { parseFrame } from '../frames/index.js';
import { parsePcre } from '../parse/pcre.js';
import { parseNumber } from '../parse/number.js';
import type { RuleBuilder } from './builder.js';
import { addNumber, equals, named, number, useProtos, readFlags } from './numbers.js';
import type { Keyword } from './payload.js';
import { isProtocolName } from './state.js';
import { escapePattern, splitNegation } from '../parse/content.js';
import { own } from '../../../util/own.js';

/** `yes`, `no`, `true`, `false`, `1`, `0`. */
function flag(name: string, protos: string[], direction?: Direction): Keyword {
  return (b, value) => {
    if (!/^(yes|no|true|false|1|0)$/i.test(value)) throw new Error(`"${value}" is neither yes nor no`);
    addNumber(b, name, equals(/^(yes|true|1)$/i.test(value) ? 1 : 0), protos, direction);
  };
}

const MQTT = ['mqtt'];
const MQTT_TYPES = ['connect', 'connack', 'publish', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'subscribe', 'suback', 'unsubscribe', 'unsuback', 'pingreq', 'pingresp', 'disconnect', 'auth']; // prettier-ignore

function mqttType(b: RuleBuilder, value: string): void {
  const negated = value.startsWith('!');
  const name = value.replace(/^!/, '').trim().toLowerCase();
  const type = /^\d+$/.test(name) ? Number(name) : MQTT_TYPES.indexOf(name) + 1;
  if (type < 1 || type > 15) throw new Error(`"${value}" is not an MQTT message type`);
  addNumber(b, `mqtt.type.${type}`, equals(negated ? 0 : 1), MQTT);
}

const MQTT_FLAGS: Readonly<Record<string, number>> = { dup: 8, retain: 1 };
const CONNECT_FLAGS: Readonly<Record<string, number>> = {
  username: 128,
  password: 64,
  will_retain: 32,
  will: 4,
  clean_session: 2,
};

/** `dup,!retain`: each flag becomes a test of one bit. */
function bitFlags(name: string, bits: Readonly<Record<string, number>>): Keyword {
  return (b, value) => {
    for (const part of value.split(',').map((p) => p.trim().toLowerCase())) {
      const bit = own(bits, part.replace(/^!/, ''));
      if (bit === undefined) throw new Error(`"${part}" is none of ${Object.keys(bits).join(', ')}`);
      addNumber(b, `${name}&${bit}`, equals(part.startsWith('!') ? 0 : 1), MQTT, 0);
    }
  };
}

/** `dup,!retain`: one message has all of them so. */
function messageFlags(b: RuleBuilder, value: string): void {
  const { mask, wanted } = readFlags(value, MQTT_FLAGS);
  addNumber(b, `mqtt.flags&${mask}=${wanted}`, equals(1), MQTT, 0);
}

function mqttQos(b: RuleBuilder, value: string): void {
  addNumber(b, `mqtt.qos=${parseNumber(value, 0, 2)}`, equals(1), MQTT, 0);
}

/** A keyword that takes its text with it: the same as a content in a buffer. */
function textIn(buffer: string, flags: '' | 'i' = ''): Keyword {
  return (b, value) => {
    const { negated, text } = splitNegation(value);
    const { match } = parsePcre(`"/${escapePattern(text)}/${flags}"`);
    match.negated = negated;
    b.addTo(b.bufferOf(buffer).matches, match);
  };
}

/** The same for the whole of a field. */
function wholeTextIn(buffer: string): Keyword {
  return (b, value) => {
    const { negated, text } = splitNegation(value);
    const { match } = parsePcre(`"/^${escapePattern(text)}$/E"`);
    match.negated = negated;
    b.addTo(b.bufferOf(buffer).matches, match);
  };
}

function l3Proto(b: RuleBuilder, value: string): void {
  const negated = value.startsWith('!');
  const m = /^ip(?:v)?(4|6)$/i.exec(value.replace(/^!/, '').trim());
  if (!m) throw new Error(`"${value}" is neither ipv4 nor ipv6`);
  const version = Number(m[1]);
  if (b.rule.proto === 'ipv6' || b.rule.proto === 'ip6') throw new Error(`is told by ${b.rule.proto} already`);
  b.rule.packetTests.push((p) => p.ipVersion > 0 && (p.ipVersion === version) !== negated);
}

const TAG_METRICS = /^(packets|bytes|seconds)$/;

/** Packets that `tag:session` records without numbers, as in Suricata. */
const TAG_PACKETS = 256;

/** `session|host[,COUNT,METRIC[,src|dst]]`: what is to be recorded after an alert. */
function tag(b: RuleBuilder, value: string): void {
  const [kind = '', count = String(TAG_PACKETS), metric = 'packets', direction] = value.split(',').map((p) => p.trim());
  if (kind !== 'session' && kind !== 'host') throw new Error(`"${kind}" is neither session nor host`);
  if (!TAG_METRICS.test(metric)) throw new Error(`"${metric}" is neither packets, bytes nor seconds`);
  if (direction !== undefined && direction !== 'src' && direction !== 'dst')
    throw new Error(`"${direction}" is neither src nor dst`);
  const side = direction === 'dst' ? 'dst' : 'src';
  b.rule.tags.push({ kind, count: parseNumber(count, 1), metric: metric as TagSpec['metric'], side });
}

/** Why a keyword of Suricata is not had here; the text is what `rules check` prints. */
export const REFUSED: Readonly<Record<string, string>> = {
  lua: 'scripts of rules are not run: a rule file from elsewhere must not bring code to this box',
  luajit: 'scripts of rules are not run: a rule file from elsewhere must not bring code to this box',
  luaxform: 'scripts of rules are not run: a rule file from elsewhere must not bring code to this box',
};

const YES_OR_NO = { yes: 1, on: 1, true: 1, no: 0, off: 0, false: 0 };

/** Keywords of protocols beside HTTP, DNS and TLS. */
export const APP_KEYWORDS: Readonly<Record<string, Keyword>> = {
  ftpbounce: (b) => {
    addNumber(b, 'ftp.bounce', equals(1), ['ftp'], 0);
  },
  ftpdata_command: named('ftpdata.command', ['ftp-data'], { retr: 1, stor: 2 }),
  'ftp.mode': named('ftp.mode', ['ftp'], { active: 0, passive: 1 }, 0),
  'ftp.dynamic_port': number('ftp.dynamic_port', ['ftp'], { max: 65_535, direction: 0 }),
  'ftp.reply_received': named('ftp.reply_received', ['ftp'], YES_OR_NO, 1),
  'smb.version': number('smb.version', ['smb'], { max: 255 }),
  'mqtt.protocol_version': number('mqtt.protocol_version', MQTT, { max: 255, direction: 0 }),
  'mqtt.qos': mqttQos,
  'mqtt.type': mqttType,
  'mqtt.flags': messageFlags,
  'mqtt.connect.flags': bitFlags('mqtt.connect.flags', CONNECT_FLAGS),
  'mqtt.reason_code': number('mqtt.reason_code', MQTT, { max: 255 }),
  'mqtt.connack.return_code': number('mqtt.reason_code', MQTT, { max: 255 }),
  'mqtt.connack.session_present': flag('mqtt.connack.session_present', MQTT, 1),
  'tls.subject': textIn('tls.cert_subject'),
  'tls.issuerdn': textIn('tls.cert_issuer'),
  'tls.fingerprint': (b, value) => {
    wholeTextIn('tls.cert_fingerprint')(b, value.toLowerCase());
  },
  'ssh.protoversion': (b, value) => {
    const { text } = splitNegation(value);
    if (text !== '2_compat' && !/^[\d.]+$/.test(text)) throw new Error(`"${text}" is not a version, such as 2.0`);
    if (text !== '2_compat') wholeTextIn('ssh.proto')(b, value);
    else b.addTo(b.bufferOf('ssh.proto').matches, parsePcre('"/^(2(\\.0)?|1\\.99)$/"').match);
  },
  'ssh.softwareversion': wholeTextIn('ssh.software'),
  filename: textIn('file.name', 'i'),
  filemagic: textIn('file.magic', 'i'),
  fileext: (b, value) => {
    const { negated, text } = splitNegation(value);
    const { match } = parsePcre(`"/\\.${escapePattern(text)}$/i"`);
    match.negated = negated;
    b.addTo(b.bufferOf('file.name').matches, match);
  },
  frame: (b, value) => {
    const { proto, type } = parseFrame(value, b.rule.proto, isProtocolName);
    useProtos(b, [proto]);
    b.setSticky(frameBuffer(proto, type));
  },
  l3_proto: l3Proto,
  tag,
  'tls.store': (b) => {
    useProtos(b, ['tls']);
  },
  tls_store: (b) => {
    useProtos(b, ['tls']);
  },
  // What follows tells the packet path what to do with the packet; here policies do.
  bypass: (b) => {
    b.rule.bypass = true;
  },
  nfq_set_mark: (_, value) => {
    if (!/^(0x)?[\da-f]+\s*\/\s*(0x)?[\da-f]+$/i.test(value)) throw new Error(`"${value}" is not a mark and a mask`);
  },
  ...Object.fromEntries(
    Object.entries(REFUSED).map(([name, reason]): [string, Keyword] => [
      name,
      () => {
        throw new Error(reason);
      },
    ]),
  ),
};
