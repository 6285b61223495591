import { parseLooseRange, parseNumber, parseRange } from '../parse/number.js';
import type { NumberRange } from '../rule.js';
import type { RuleBuilder } from './builder.js';
import { DNP3_KEYWORDS } from './dnp3.js';
import { ENIP_KEYWORDS } from './enip.js';
import { LDAP_KEYWORDS } from './ldap.js';
import { modbus } from './modbus.js';
import { addNumber, addNumbers, equals, named, number, useProtos } from './numbers.js';
import type { Keyword } from './payload.js';
import { WEBSOCKET_KEYWORDS } from './websocket.js';
import { own } from '../../../util/own.js';

const RPC = ['dcerpc', 'smb'];
const KRB5 = ['krb5'];

const IKE_ATTRIBUTES =
  /^(alg_enc|alg_hash|alg_auth|alg_dh|alg_prf|sa_group_type|sa_life_type|sa_life_duration|sa_key_length|sa_field_size)=(\d+)$/;

function chosenAttribute(b: RuleBuilder, value: string): void {
  const m = IKE_ATTRIBUTES.exec(value.replace(/\s+/g, ''));
  if (!m) throw new Error(`"${value}" is not an attribute and its number, such as alg_enc=5`);
  addNumber(b, `ike.sa.${m[1]!}`, equals(Number(m[2])), ['ike'], 1);
}

/** `UUID[,[<>=!]VERSION][,any_frag]`: the interface that a call is for. */
function rpcInterface(b: RuleBuilder, value: string): void {
  const [uuid = '', ...rest] = value.split(',').map((p) => p.trim().toLowerCase());
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid)) throw new Error(`"${uuid}" is not a UUID`);
  let range: NumberRange = { operator: '>=', a: 0, b: 0 };
  for (const part of rest) if (part !== 'any_frag') range = parseRange(part, 65_535);
  addNumber(b, `dcerpc.iface=${uuid}`, range, RPC);
}

/** `15,18-20`: numbers and ranges, of which one is enough; the ends belong to a range. */
function operations(b: RuleBuilder, value: string): void {
  const ranges = value.split(',').map((part): NumberRange => {
    const m = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (!m) throw new Error(`"${part.trim()}" is neither a number nor a range`);
    if (m[2] === undefined) return equals(parseNumber(m[1]!, 0, 65_535));
    const [from, to] = [parseNumber(m[1]!, 0, 65_535), parseNumber(m[2], 0, 65_535)];
    if (from > to) throw new Error(`the range ${part.trim()} ends before it begins`);
    return { operator: '<>', a: from - 1, b: to + 1 };
  });
  addNumbers(b, 'dcerpc.opnum', ranges, RPC);
}

/** Encryption types of Kerberos by name (RFC 3961, 4120, 8009), and `weak` for all that are broken. */
const KRB5_ENCRYPTIONS: Readonly<Record<string, number>> = {
  'des-cbc-crc': 1,
  'des-cbc-md4': 2,
  'des-cbc-md5': 3,
  'des3-cbc-sha1': 16,
  'des3-cbc-sha1-kd': 16,
  'aes128-cts-hmac-sha1-96': 17,
  'aes256-cts-hmac-sha1-96': 18,
  'aes128-cts-hmac-sha256-128': 19,
  'aes256-cts-hmac-sha384-192': 20,
  'rc4-hmac': 23,
  'rc4-hmac-exp': 24,
};

function ticketEncryption(b: RuleBuilder, value: string): void {
  const negated = value.startsWith('!');
  const names = value.replace(/^!/, '').split(',').map((n) => n.trim().toLowerCase()); // prettier-ignore
  if (names.length === 1 && names[0] === 'weak') {
    addNumber(b, 'krb5.ticket_weak', equals(negated ? 0 : 1), KRB5, 1);
    return;
  }
  const wanted = names.map((name) => {
    const id = /^-?\d+$/.test(name) ? Number(name) : own(KRB5_ENCRYPTIONS, name);
    if (id === undefined) throw new Error(`"${name}" is not an encryption type of Kerberos`);
    return equals(id, negated);
  });
  if (!negated) addNumbers(b, 'krb5.ticket_encryption', wanted, KRB5, 1);
  else for (const range of wanted) addNumber(b, 'krb5.ticket_encryption', range, KRB5, 1);
}

/** States of the TLS handshake as bits. */
const SSL_STATES: Readonly<Record<string, number>> = {
  client_hello: 1,
  server_hello: 2,
  client_keyx: 4,
  server_keyx: 8,
  unknown: 16,
};

function sslState(b: RuleBuilder, value: string): void {
  let wanted = 0;
  for (const part of value.split(/[|,]/).map((p) => p.trim().toLowerCase())) {
    const bit = own(SSL_STATES, part.replace(/^!/, ''));
    if (bit === undefined) throw new Error(`"${part}" is none of ${Object.keys(SSL_STATES).join(', ')}`);
    wanted |= part.startsWith('!') ? 31 & ~bit : bit;
  }
  // Suricata remembers the last message only: one of the client's is told once.
  const isOfClient = (wanted & ~(SSL_STATES['client_hello']! | SSL_STATES['client_keyx']!)) === 0;
  addNumber(b, `ssl_state&${wanted}`, equals(1), ['tls'], isOfClient ? 0 : undefined);
}

/** `2016`, `2016-07-20`, `2016-07-20T12:34:56`: seconds of UTC. */
function parseDate(text: string): number {
  const m = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d))?)?)?)?)?$/.exec(text.trim());
  if (!m) throw new Error(`"${text}" is not a date such as 2016-07-20`);
  const at = (i: number, otherwise: number): number => (m[i] === undefined ? otherwise : Number(m[i]));
  return Date.UTC(at(1, 0), at(2, 1) - 1, at(3, 1), at(4, 0), at(5, 0), at(6, 0)) / 1000;
}

/** `>DATE`, `<DATE`, `DATE`, `DATE<>DATE`. */
function certificateDate(name: string): Keyword {
  return (b, value) => {
    const between = value.split('<>');
    if (between.length === 2) {
      const [from, to] = [parseDate(between[0]!), parseDate(between[1]!)];
      if (from >= to) throw new Error(`the range ${value} ends before it begins`);
      addNumber(b, name, { operator: '<>', a: from, b: to }, ['tls'], 1);
      return;
    }
    const sign = /^\s*([<>]?)/.exec(value)![1]!;
    const range = { operator: (sign === '' ? '=' : sign) as '<', a: parseDate(value.replace(/[<>]/, '')), b: 0 };
    addNumber(b, name, range, ['tls'], 1);
  };
}

/** Compares how many seconds ago the date of a certificate was with zero. */
function addAge(b: RuleBuilder, name: string, operator: '>' | '<=' | '>='): void {
  b.rule.transactionTests.push({ kind: 'age', name, range: { operator, a: 0, b: 0 }, direction: 1 });
  useProtos(b, ['tls']);
}

/** Names as Suricata has them; those of RFC 9113 have an underscore between words. */
const HTTP2_FRAMES: Readonly<Record<string, number>> = {
  data: 0,
  headers: 1,
  priority: 2,
  rststream: 3,
  settings: 4,
  pushpromise: 5,
  ping: 6,
  goaway: 7,
  windowupdate: 8,
  continuation: 9,
};
const HTTP2_SETTINGS: Readonly<Record<string, number>> = {
  settings_header_table_size: 1,
  settings_enable_push: 2,
  settings_max_concurrent_streams: 3,
  settings_initial_window_size: 4,
  settings_max_frame_size: 5,
  settings_max_header_list_size: 6,
};

/** `SETTINGS_ENABLE_PUSH`, also with a range behind it. */
function http2Settings(b: RuleBuilder, value: string): void {
  const m = /^([A-Za-z_]+)\s*(.*)$/.exec(value.trim());
  const id = own(HTTP2_SETTINGS, m?.[1]?.toLowerCase() ?? '');
  if (id === undefined)
    throw new Error(`"${value}" is none of ${Object.keys(HTTP2_SETTINGS).join(', ').toUpperCase()}`);
  const range: NumberRange = m![2] === '' ? { operator: '>=', a: 0, b: 0 } : parseRange(m![2]!, 0xffffffff);
  addNumber(b, `http2.settings=${id}`, range, ['http2']);
}

function http2FrameType(b: RuleBuilder, value: string): void {
  const name = value.trim().toLowerCase().replaceAll('_', '');
  const type = own(HTTP2_FRAMES, name) ?? (/^\d+$/.test(name) ? Number(name) : undefined);
  if (type === undefined)
    throw new Error(`"${value}" is none of ${Object.keys(HTTP2_FRAMES).join(', ').toUpperCase()}`);
  addNumber(b, `http2.frametype=${type}`, equals(1), ['http2']);
}

/** `>300` or `secs 300`: numbers of DHCP are seconds. */
const seconds = (name: string): Keyword => number(name, ['dhcp'], { max: 0xffffffff });

const nfsNumber =
  (name: string): Keyword =>
  (b, value) => {
    addNumber(b, name, parseLooseRange(value, 0xffffffff), ['nfs'], 0);
  };

/** Keywords of protocols whose fields are numbers or names; buffers are in the table of buffers. */
export const PROTOCOL_KEYWORDS: Readonly<Record<string, Keyword>> = {
  ...DNP3_KEYWORDS,
  ...ENIP_KEYWORDS,
  ...LDAP_KEYWORDS,
  ...WEBSOCKET_KEYWORDS,
  'snmp.version': number('snmp.version', ['snmp'], { max: 0xffffffff }),
  'snmp.pdu_type': number('snmp.pdu_type', ['snmp'], { max: 0xffffffff }),
  krb5_msg_type: number('krb5.msg_type', KRB5, { max: 255 }),
  krb5_err_code: (b, value) => {
    addNumber(b, 'krb5.err_code', equals(parseNumber(value, 0, 0x7fffffff)), KRB5, 1);
  },
  'krb5.ticket_encryption': ticketEncryption,
  'rfb.sectype': number('rfb.sectype', ['rfb'], { max: 0xffffffff, direction: 0 }),
  'rfb.secresult': named('rfb.secresult', ['rfb'], { ok: 0, fail: 1, toomany: 2, unknown: 3 }, 1),
  'dhcp.leasetime': seconds('dhcp.leasetime'),
  'dhcp.renewal_time': seconds('dhcp.renewal_time'),
  'dhcp.rebinding_time': seconds('dhcp.rebinding_time'),
  'ike.exchtype': number('ike.exchtype', ['ike'], { max: 255 }),
  'ike.chosen_sa_attribute': chosenAttribute,
  'ike.key_exchange_payload_length': number('ike.key_exchange_payload_length', ['ike'], { max: 0xffffffff }),
  'ike.nonce_payload_length': number('ike.nonce_payload_length', ['ike'], { max: 0xffffffff }),
  'dcerpc.iface': rpcInterface,
  dce_iface: rpcInterface,
  'dcerpc.opnum': operations,
  dce_opnum: operations,
  'nfs.version': nfsNumber('nfs.version'),
  nfs_version: nfsNumber('nfs.version'),
  nfs_procedure: nfsNumber('nfs.procedure'),
  modbus,
  ssl_state: sslState,
  tls_cert_notbefore: certificateDate('tls.notbefore'),
  tls_cert_notafter: certificateDate('tls.notafter'),
  tls_cert_expired: (b) => {
    addAge(b, 'tls.notafter', '>');
  },
  tls_cert_valid: (b) => {
    addAge(b, 'tls.notbefore', '>=');
    addAge(b, 'tls.notafter', '<=');
  },
  'http2.frametype': http2FrameType,
  'http2.settings': http2Settings,
  'http2.priority': number('http2.priority', ['http2'], { max: 255 }),
  'http2.size_update': number('http2.size_update', ['http2'], { max: 0xffffffff }),
  'http2.window': number('http2.window', ['http2'], { max: 0xffffffff }),
};
