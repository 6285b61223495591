import { parseRange } from '../parse/number.js';
import type { NumberRange } from '../rule.js';
import type { RuleBuilder } from './builder.js';
import { dnsNumber, dnsType, DNS_OPCODES, DNS_RCODES } from './dns.js';
import { addNumber, addNumbers, equals, number, useProtos } from './numbers.js';
import type { Keyword } from './payload.js';
import { isProtocolName } from './state.js';
import { own } from '../../../util/own.js';

/** Versions of TLS as `ssl_version` and `tls.version` write them. */
const TLS_VERSIONS: Readonly<Record<string, number>> = {
  sslv2: 0x0200,
  sslv3: 0x0300,
  'tls1.0': 0x0301,
  'tls1.1': 0x0302,
  'tls1.2': 0x0303,
  'tls1.3': 0x0304,
  '1.0': 0x0301,
  '1.1': 0x0302,
  '1.2': 0x0303,
  '1.3': 0x0304,
};

function toVersion(value: string): NumberRange {
  const negated = value.startsWith('!');
  const name = value.replace(/^!/, '').toLowerCase();
  const version = /^0x[\da-f]{4}$/.test(name) ? Number(name) : own(TLS_VERSIONS, name);
  if (version === undefined) throw new Error(`"${value}" is not a TLS version`);
  return { operator: negated ? '!=' : '=', a: version, b: 0 };
}

function tlsVersion(b: RuleBuilder, value: string): void {
  addNumber(b, 'tls.version', toVersion(value), ['tls']);
}

/** One of several versions, and none of those with an exclamation mark. */
function tlsVersions(b: RuleBuilder, value: string): void {
  const ranges = value.split(',').map((name) => toVersion(name.trim()));
  for (const range of ranges) if (range.operator === '!=') addNumber(b, 'tls.version', range, ['tls']);
  const wanted = ranges.filter((r) => r.operator === '=');
  if (wanted.length > 0 && wanted.length < ranges.length) throw new Error('versions are wanted or unwanted, not both');
  if (wanted.length > 0) addNumbers(b, 'tls.version', wanted, ['tls']);
}

/** Error codes in their order (RFC 9113 7). */
const HTTP2_ERRORS = 'no_error protocol_error internal_error flow_control_error settings_timeout stream_closed frame_size_error refused_stream cancel compression_error connect_error enhance_your_calm inadequate_security http_1_1_required'.split(' '); // prettier-ignore

function http2ErrorCode(b: RuleBuilder, value: string): void {
  const code = HTTP2_ERRORS.indexOf(value.toLowerCase());
  addNumber(b, 'http2.errorcode', code < 0 ? parseRange(value, 0xffffffff) : equals(code), ['http2']);
}

/** Events about the search for a connection's protocol: of packets, and of no transaction. */
const CONNECTION_EVENTS = new Set([
  'applayer_mismatch_protocol_both_directions',
  'applayer_wrong_direction_first_data',
  'applayer_detect_protocol_only_one_direction',
  'applayer_proto_detection_skipped',
  'applayer_no_tls_after_starttls',
  'applayer_unexpected_protocol',
]);

/** Protocols that events name otherwise. */
const EVENT_PROTOS: Readonly<Record<string, string>> = { ikev1: 'ike', ikev2: 'ike', ipsec: 'ike' };

/** Keywords about numbers and anomalies of transactions. */
export const TRANSACTION_KEYWORDS: Readonly<Record<string, Keyword>> = {
  'dns.opcode': dnsNumber('dns.opcode', DNS_OPCODES),
  'dns.rcode': dnsNumber('dns.rcode', DNS_RCODES, 1),
  'dns.rrtype': dnsType,
  'tls.version': tlsVersion,
  ssl_version: tlsVersions,
  'tls.cert_chain_len': number('tls.cert_chain_len', ['tls'], { direction: 1 }),
  'http2.errorcode': http2ErrorCode,
  'app-layer-event': (b, value) => {
    if (CONNECTION_EVENTS.has(value)) {
      b.needsPacket = true;
      b.rule.streamEvents.push(value);
      return;
    }
    const dot = value.indexOf('.');
    if (dot < 0) throw new Error(`the event ${value} is not known`);
    const proto = own(EVENT_PROTOS, value.slice(0, dot)) ?? value.slice(0, dot);
    if (!isProtocolName(proto)) throw new Error(`the protocol "${proto}" is not parsed`);
    useProtos(b, [proto]);
    b.rule.transactionTests.push({ kind: 'event', name: value.slice(dot + 1), range: undefined, direction: undefined });
  },
};
