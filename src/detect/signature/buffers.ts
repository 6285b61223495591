import { fileType } from './file-type.js';
import { own } from '../../util/own.js';

/** Where a buffer comes from: a transaction's field, or bytes of the packet. */
export interface BufferDefinition {
  /** Canonical sticky-buffer name. */
  name: string;
  source: 'transaction' | 'packet' | 'frame';
  /** The kind of frame, of buffers that are frames. */
  frame?: string;
  /** Bit 0: requests, bit 1: responses. */
  towards: number;
  /** Application protocols that have it; empty for packet buffers. */
  protos: readonly string[];
  /** Of a rule about both directions (`=>`): only this one is meant. */
  only?: 'to_server' | 'to_client';
  /** Content may arrive over several packets: looked at again as it grows. */
  grows: boolean;
  /** It is made of another field's values. */
  made?: { of: string; by(value: Uint8Array): Uint8Array };
  /** Naming it twice means two instances, each matched on its own. */
  multi: boolean;
}

const REQUEST = 1;
const RESPONSE = 2;
const BOTH = 3;
const HTTP = ['http', 'http2'];
const TLS = ['tls'];
const FILES = ['http', 'http2', 'smtp', 'ftp-data', 'smb', 'nfs'];

const table = new Map<string, BufferDefinition>();

function define(
  names: string,
  towards: number,
  protos: readonly string[],
  more: Partial<Pick<BufferDefinition, 'grows' | 'multi' | 'source' | 'made'>> = {},
): void {
  for (const name of names.split(' '))
    table.set(name, { name, towards, protos, source: 'transaction', grows: false, multi: false, ...more });
}

define(
  'http.uri http.uri.raw http.method http.user_agent http.host http.host.raw http.referer http.accept http.accept_enc ' +
    'http.accept_lang http.request_line',
  REQUEST,
  HTTP,
);
define('http.request_body', REQUEST, HTTP, { grows: true });
define('http.response_body', RESPONSE, HTTP, { grows: true });
define('http.stat_code http.stat_msg http.response_line http.server http.location', RESPONSE, HTTP);
define(
  'http.header http.header.raw http.cookie http.header_names http.protocol http.start http.connection http.content_len ' +
    'http.content_type',
  BOTH,
  HTTP,
);
define('http.request_header', REQUEST, HTTP, { multi: true });
define('http.response_header', RESPONSE, HTTP, { multi: true });
define('http2.header_name', BOTH, ['http2'], { multi: true });
define('file.data', BOTH, FILES, { grows: true });
define('file.name', BOTH, FILES);
// Looked at again as more of the file comes.
define('file.magic', BOTH, FILES, {
  multi: true,
  made: { of: 'file.data', by: (value) => Buffer.from(fileType(value), 'latin1') },
});
define('dns.query', REQUEST, ['dns'], { multi: true });
define('dns.query.name dns.queries.rrname', BOTH, ['dns'], { multi: true });
define('dns.answer.name dns.answers.rrname', BOTH, ['dns'], { multi: true });
define('dns.authorities.rrname dns.additionals.rrname', BOTH, ['dns'], { multi: true });
define('dns.response.rrname', RESPONSE, ['dns'], { multi: true });
define(
  'mdns.queries.rrname mdns.answers.rrname mdns.authorities.rrname mdns.additionals.rrname mdns.response.rrname',
  BOTH,
  ['mdns'],
  { multi: true },
);
define('tls.sni tls.alpn', REQUEST, TLS);
// Of the client's certificate, too, when it has one.
define('tls.cert_subject tls.cert_issuer tls.cert_serial tls.cert_fingerprint', BOTH, TLS);
define('tls.certs', BOTH, TLS, { multi: true });
define('tls.subjectaltname', RESPONSE, TLS, { multi: true });
define('tls.random tls.random_time tls.random_bytes', BOTH, TLS);
define('ja3.hash ja3.string ja4.hash', REQUEST, [...TLS, 'quic']);
define('ja3s.hash ja3s.string', RESPONSE, [...TLS, 'quic']);
define('ssh.proto ssh.software', BOTH, ['ssh']);
define('ssh.hassh ssh.hassh.string', REQUEST, ['ssh']);
define('ssh.hassh.server ssh.hassh.server.string', RESPONSE, ['ssh']);
define('smtp.helo smtp.mail_from', REQUEST, ['smtp']);
define('smtp.rcpt_to', REQUEST, ['smtp'], { multi: true });
define('email.from email.to email.subject email.cc email.date email.message_id email.x_mailer', REQUEST, ['smtp']);
define('email.url email.received', REQUEST, ['smtp'], { multi: true });
define('smb.named_pipe smb.share smb.ntlmssp_user smb.ntlmssp_domain', REQUEST, ['smb']);
define('ftp.command ftp.command_data', REQUEST, ['ftp']);
define('ftp.reply ftp.completion_code', RESPONSE, ['ftp'], { multi: true });
define(
  'mqtt.connect.clientid mqtt.connect.username mqtt.connect.password mqtt.connect.willtopic mqtt.connect.willmessage ' +
    'mqtt.publish.message',
  REQUEST,
  ['mqtt'],
);
define('mqtt.connect.protocol_string mqtt.publish.topic', BOTH, ['mqtt']);
define('mqtt.subscribe.topic', BOTH, ['mqtt'], { multi: true });
define('mqtt.unsubscribe.topic', REQUEST, ['mqtt'], { multi: true });
define('quic.version', BOTH, ['quic']);
define('quic.sni quic.ua quic.cyu.string quic.cyu.hash', REQUEST, ['quic']);
define('snmp.community snmp.usm', BOTH, ['snmp']);
define('krb5.cname krb5.sname', RESPONSE, ['krb5'], { multi: true });
define('sip.method sip.uri sip.request_line', REQUEST, ['sip']);
define('sip.stat_code sip.stat_msg sip.response_line', RESPONSE, ['sip']);
define('sip.protocol', BOTH, ['sip']);
define('sip.from sip.to sip.via sip.user_agent sip.content_type sip.content_length', BOTH, ['sip'], { multi: true });
define(
  'sdp.origin sdp.session_name sdp.session_info sdp.uri sdp.email sdp.phone_number sdp.connection_data sdp.timezone ' +
    'sdp.encryption_key',
  BOTH,
  ['sip'],
);
define(
  'sdp.bandwidth sdp.time sdp.repeat_time sdp.attribute sdp.media.media sdp.media.media_info sdp.media.connection_data ' +
    'sdp.media.encryption_key',
  BOTH,
  ['sip'],
  { multi: true },
);
define('rfb.name', RESPONSE, ['rfb']);
define('ike.init_spi', REQUEST, ['ike']);
define('ike.resp_spi', RESPONSE, ['ike']);
define('ike.nonce_payload ike.key_exchange_payload', BOTH, ['ike']);
define('ike.vendor', REQUEST, ['ike'], { multi: true });
define('ldap.request.dn', REQUEST, ['ldap']);
define('ldap.request.attribute_type', REQUEST, ['ldap'], { multi: true });
define('ldap.responses.dn ldap.responses.message ldap.responses.attribute_type', RESPONSE, ['ldap'], { multi: true });
define('websocket.payload', BOTH, ['websocket']);
define('dnp3.data', BOTH, ['dnp3']);
define('dcerpc.stub_data', BOTH, ['dcerpc', 'smb']);
define('ether.hdr igmp.hdr ipv4.hdr ipv6.hdr ip.src ip.dst tcp.hdr udp.hdr icmpv4.hdr icmpv6.hdr', BOTH, [], {
  source: 'packet',
});

/** Other names of the same buffers: legacy sticky buffers with underscores, and former spellings. */
const ALIASES: Readonly<Record<string, string>> = {
  file_data: 'file.data',
  dns_query: 'dns.query',
  http_request_line: 'http.request_line',
  http_response_line: 'http.response_line',
  http_protocol: 'http.protocol',
  http_start: 'http.start',
  http_header_names: 'http.header_names',
  http_accept: 'http.accept',
  http_accept_enc: 'http.accept_enc',
  http_accept_lang: 'http.accept_lang',
  http_connection: 'http.connection',
  http_content_len: 'http.content_len',
  http_content_type: 'http.content_type',
  http_referer: 'http.referer',
  tls_sni: 'tls.sni',
  tls_cert_subject: 'tls.cert_subject',
  tls_cert_issuer: 'tls.cert_issuer',
  tls_cert_serial: 'tls.cert_serial',
  tls_cert_fingerprint: 'tls.cert_fingerprint',
  ja3_hash: 'ja3.hash',
  ja3_string: 'ja3.string',
  ssh_proto: 'ssh.proto',
  ssh_software: 'ssh.software',
  smb_named_pipe: 'smb.named_pipe',
  smb_share: 'smb.share',
  krb5_cname: 'krb5.cname',
  krb5_sname: 'krb5.sname',
  'eth.hdr': 'ether.hdr',
  dnp3_data: 'dnp3.data',
  dce_stub_data: 'dcerpc.stub_data',
  'sdp.media.session_info': 'sdp.media.media_info',
};

/** `content` modifiers of Suricata 4 and before: they move the content before them into a buffer. */
export const CONTENT_MODIFIERS: Readonly<Record<string, string>> = {
  http_uri: 'http.uri',
  http_raw_uri: 'http.uri.raw',
  http_method: 'http.method',
  http_header: 'http.header',
  http_raw_header: 'http.header.raw',
  http_cookie: 'http.cookie',
  http_user_agent: 'http.user_agent',
  http_host: 'http.host',
  http_raw_host: 'http.host.raw',
  http_client_body: 'http.request_body',
  http_server_body: 'file.data',
  http_stat_code: 'http.stat_code',
  http_stat_msg: 'http.stat_msg',
};

/** Letters of `pcre` that choose a buffer. */
export const PCRE_BUFFERS: Readonly<Record<string, string>> = {
  U: 'http.uri',
  I: 'http.uri.raw',
  P: 'http.request_body',
  Q: 'file.data',
  H: 'http.header',
  D: 'http.header.raw',
  M: 'http.method',
  C: 'http.cookie',
  S: 'http.stat_code',
  Y: 'http.stat_msg',
  V: 'http.user_agent',
  W: 'http.host',
  Z: 'http.host.raw',
};

/** The buffer of a sticky keyword, or undefined when it is none. */
export function findBuffer(keyword: string): BufferDefinition | undefined {
  return table.get(own(ALIASES, keyword) ?? keyword);
}

const oneSided = new Map<string, BufferDefinition>();

/** A buffer that both directions have, of one of them. */
export function onlyTowards(buffer: BufferDefinition, only: 'to_server' | 'to_client'): BufferDefinition {
  if (buffer.towards !== BOTH) return buffer;
  const key = `${buffer.name} ${only}`;
  let made = oneSided.get(key);
  if (made === undefined) {
    made = { ...buffer, only, towards: only === 'to_server' ? REQUEST : RESPONSE };
    oneSided.set(key, made);
  }
  return made;
}

const frames = new Map<string, BufferDefinition>();

/** The buffer of one kind of frame. */
export function frameBuffer(proto: string, frame: string): BufferDefinition {
  const name = `${proto}.${frame}`;
  let buffer = frames.get(name);
  if (buffer === undefined) {
    buffer = { name, source: 'frame', frame, towards: BOTH, protos: [proto], grows: true, multi: false };
    frames.set(name, buffer);
  }
  return buffer;
}

const keyNumbers = new Map<string, number>();

/** A small number for a buffer with its transforms, the same wherever it is asked for. */
export function numberOfKey(key: string): number {
  let number = keyNumbers.get(key);
  if (number === undefined) keyNumbers.set(key, (number = keyNumbers.size));
  return number;
}

/** Buffers with their other names, for documentation and tests. */
export function bufferReference(): (BufferDefinition & { aliases: string[] })[] {
  return [...table.values()].map((buffer) => ({
    ...buffer,
    aliases: Object.entries({ ...ALIASES, ...CONTENT_MODIFIERS })
      .filter(([alias, name]) => name === buffer.name && alias !== buffer.name)
      .map(([alias]) => alias)
      .filter((alias, i, all) => all.indexOf(alias) === i),
  }));
}
