/**
 * Prints rules that use every buffer and keyword once or more, for `suricata-compare.ts`.
 *
 *   npx tsx scripts/broad-rules.ts > broad.rules
 */
import { bufferReference } from '../src/detect/signature/buffers.js';

const lines: string[] = [];
const add = (proto: string, ...options: string[]): void => {
  for (const option of options) lines.push(`alert ${proto} any any -> any any (${option}; sid:${lines.length + 1};)`);
};

/** Kinds of packets that have the buffer. */
const CARRIERS: Readonly<Record<string, string>> = {
  'ipv4.hdr': 'ip',
  'ipv6.hdr': 'ip',
  'ip.src': 'ip',
  'ip.dst': 'ip',
  'tcp.hdr': 'tcp',
  'udp.hdr': 'udp',
  'icmpv4.hdr': 'icmp',
  'icmpv6.hdr': 'icmp',
};
function variants(name: string, test: string): string[] {
  if (name === 'http.header.raw') return [`flow:to_server; ${name}; ${test}`, `flow:to_client; ${name}; ${test}`];
  return [`${name}; ${name === 'http.host' ? test.replace('; nocase', '') : test}`];
}

for (const { name, protos } of bufferReference())
  for (const proto of protos.length === 0 ? [CARRIERS[name]!] : protos)
    for (const test of [
      'bsize:>0',
      'content:"a"; nocase',
      'content:"1"',
      'content:"|00|"',
      'content:!"e"',
      'pcre:"/[^a-z0-9.]/i"',
    ])
      add(proto, ...variants(name, test));

const MESSAGES = ['http', 'http2', 'smtp', 'ftp-data', 'smb', 'nfs'];
for (const proto of MESSAGES)
  add(
    proto,
    'filename:"."',
    'fileext:"exe"',
    'filesize:>100',
    'filesize:<100',
    'filemagic:"data"',
    'filemagic:"HTML"',
    'filestore',
  );
for (const proto of 'http http2 tls dns ssh smtp ftp ftp-data smb nfs mqtt dcerpc modbus dnp3 enip snmp krb5 sip rfb ike quic dhcp ntp tftp telnet rdp pgsql imap bittorrent-dht'.split(
  ' ',
)) {
  add('ip', `app-layer-protocol:${proto}`);
  add('tcp', `app-layer-protocol:!${proto}`);
  add(
    proto,
    'content:"a"',
    'content:"|00|"; flow:to_server',
    'content:"|00|"; flow:to_client',
    'flow:established,to_server',
    'flow:established,to_client',
    'content:"|0d 0a|"; depth:400',
  );
}
add('ip', 'app-layer-protocol:failed');
add('http', 'urilen:>10', 'urilen:<5', 'urilen:5<>20', 'urilen:>10,raw', 'uricontent:"."');
add('dns', ...[0, 1, 2, 4, 5].map((n) => `dns.opcode:${n}`), 'dns.opcode:!0');
add('tls', ...['sslv2', 'sslv3', 'tls1.0', 'tls1.1', 'tls1.2', 'tls1.3'].map((v) => `ssl_version:${v}`));
add('tls', ...['client_hello', 'server_hello', 'client_keyx', 'server_keyx', 'unknown'].map((s) => `ssl_state:${s}`));
add('tls', ...['1.0', '1.1', '1.2', '1.3'].map((v) => `tls.version:${v}`));
add(
  'tls',
  'tls_cert_expired',
  'tls_cert_valid',
  'tls_cert_notbefore:<2015',
  'tls_cert_notbefore:>2015',
  'tls_cert_notafter:>2020',
  'tls_cert_notafter:<2020',
);
add(
  'tls',
  'tls.cert_chain_len:1',
  'tls.cert_chain_len:>1',
  'tls.subject:"CN"',
  'tls.issuerdn:"CN"',
  'tls.fingerprint:"00"',
  'tls_store',
);
add('ssh', 'ssh.protoversion:2_compat', 'ssh.protoversion:1.99', 'ssh.softwareversion:"OpenSSH"');
add('nfs', 'nfs_procedure:>0', 'nfs_procedure:<5', 'nfs.version:3', 'nfs.version:4', 'nfs.version:<4');
add(
  'http2',
  ...['DATA', 'HEADERS', 'PRIORITY', 'RSTSTREAM', 'SETTINGS', 'PUSHPROMISE', 'PING', 'GOAWAY', 'WINDOWUPDATE'].map(
    (t) => `http2.frametype:${t}`,
  ),
);
add(
  'http2',
  'http2.errorcode:NO_ERROR',
  'http2.priority:>0',
  'http2.window:>0',
  'http2.size_update:>0',
  'http2.settings:SETTINGS_MAX_HEADER_LIST_SIZE>0',
);
for (const proto of ['dcerpc', 'smb'])
  add(
    proto,
    'dcerpc.opnum:0-10',
    'dcerpc.opnum:>10',
    'dcerpc.iface:367abb81-9844-35f1-ad32-98f038001003',
    'dcerpc.iface:4b324fc8-1670-01d3-1278-5a47bf6ee188',
  );
add(
  'krb5',
  ...[10, 11, 12, 13, 30].map((n) => `krb5_msg_type:${n}`),
  'krb5_err_code:25',
  'krb5_err_code:6',
  'krb5.ticket_encryption:weak',
  'krb5.ticket_encryption:18',
);
add('rfb', 'rfb.sectype:1', 'rfb.sectype:2', 'rfb.sectype:>2', 'rfb.secresult:ok', 'rfb.secresult:fail');
add('dhcp', 'dhcp.leasetime:>0', 'dhcp.renewal_time:>0', 'dhcp.rebinding_time:>0');
add(
  'snmp',
  ...[1, 2, 3].map((n) => `snmp.version:${n}`),
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8].map((t) => `snmp.pdu_type:${t}`),
);
add(
  'mqtt',
  ...[
    'CONNECT',
    'CONNACK',
    'PUBLISH',
    'PUBACK',
    'PUBREC',
    'PUBREL',
    'PUBCOMP',
    'SUBSCRIBE',
    'SUBACK',
    'UNSUBSCRIBE',
    'UNSUBACK',
    'PINGREQ',
    'PINGRESP',
    'DISCONNECT',
    'AUTH',
  ].map((t) => `mqtt.type:${t}`),
);
add(
  'mqtt',
  'mqtt.flags:dup',
  'mqtt.flags:retain',
  'mqtt.flags:!dup',
  'mqtt.qos:0',
  'mqtt.qos:1',
  'mqtt.protocol_version:4',
  'mqtt.protocol_version:5',
  'mqtt.reason_code:0',
  'mqtt.connect.flags:username',
  'mqtt.connect.flags:clean_session',
  'mqtt.connack.session_present:no',
);
add(
  'ike',
  ...[1, 2, 4, 5, 32, 34, 35, 37].map((n) => `ike.exchtype:${n}`),
  'ike.key_exchange_payload_length:>10',
  'ike.nonce_payload_length:>10',
  'ike.chosen_sa_attribute:alg_enc=7',
  'ike.chosen_sa_attribute:alg_hash=2',
);
add(
  'modbus',
  ...[1, 2, 3, 4, 5, 6, 15, 16, 43, 90].map((n) => `modbus: function ${n}`),
  'modbus: function public',
  'modbus: function user',
  'modbus: function !assigned',
  'modbus: access read',
  'modbus: access write',
  'modbus: access read coils, address 0<>100',
  'modbus: access write holding, address <50',
  'modbus: unit 1',
  'modbus: unit >1',
  'modbus: unit 0',
);
add(
  'dnp3',
  ...[0, 1, 2, 3, 4, 5, 13, 20, 129, 130].map((n) => `dnp3_func:${n}`),
  'dnp3_ind:device_restart',
  'dnp3_ind:need_time',
  'dnp3_obj:60,1',
  'dnp3_obj:1,2',
  'dnp3_obj:50,1',
);
add(
  'enip',
  ...[4, 99, 100, 101, 102, 111, 112].map((n) => `enip_command:${n}`),
  ...[1, 14, 82, 84, 75, 76, 77].map((n) => `cip_service:${n}`),
);
add('ftp-data', 'ftpdata_command:retr', 'ftpdata_command:stor');
add('ftp', 'ftpbounce');

add(
  'tcp',
  ...['S', 'SA', 'A', 'F', 'R', 'P', 'U', 'E', 'C', '0', 'S,CE', 'F+', 'R+', '*SF', '!A', 'FPU', 'SF', 'SR+'].map(
    (f) => `flags:${f}`,
  ),
);
add('tcp', 'seq:0', 'ack:0', 'window:0', 'window:!0', 'window:1024', 'tcp.mss:<600', 'tcp.mss:1460', 'tcp.mss:>1460');
add(
  'tcp',
  'flow:established',
  'flow:not_established',
  'flow:stateless',
  'flow:to_server',
  'flow:to_client',
  'flow:established,only_stream; content:"a"',
  'flow:established,no_stream; content:"a"',
  'flow.age:>10',
  'flow.age:<2',
);
add('udp', 'flow:established', 'flow:to_server', 'flow:to_client', 'flow:not_established', 'flow.age:>10');
add('ip', 'flow:established', 'flow:to_server', 'flow:to_client', 'flow:not_established');
add(
  'tcp',
  ...['client,>,100', 'server,>,1000', 'both,<,10', 'either,>,5000', 'client,=,1', 'server,<,1'].map(
    (s) => `stream_size:${s}`,
  ),
);
add('tcp-pkt', 'content:"a"', 'content:"GET"; depth:3', 'dsize:>1000');
add('tcp-stream', 'content:"a"', 'content:"GET"; depth:3');
for (const proto of ['tcp', 'udp'])
  add(
    proto,
    'dsize:0',
    'dsize:1',
    'dsize:>1000',
    'dsize:<10',
    'dsize:10<>20',
    'content:"a"; offset:5; depth:20',
    'content:!"a"; dsize:>0',
    'content:"|00 00|"; startswith',
    'content:"|00|"; endswith',
    'isdataat:100',
    'isdataat:!10; dsize:>0',
    'byte_test:1,>,127,0',
    'byte_test:2,<,100,2',
    'byte_test:2,=,1,0,little',
    'byte_jump:1,0; content:"a"',
    'byte_extract:1,0,x; byte_test:1,>,x,1',
    'byte_math:bytes 1, offset 0, oper +, rvalue 1, result y; byte_test:1,=,y,1',
    'pcre:"/[a-z]{6}/i"',
    'pcre:"/^.{4}/s"',
    'content:"a"; content:"b"; distance:0; within:20',
    'base64_decode:bytes 40, offset 0; base64_data; content:"|00|"',
    'asn1:oversize_length 100',
    'rpc:100000,*,*',
    'rpc:100003,*,*',
    'entropy',
  );
add(
  'icmp',
  ...[0, 3, 5, 8, 11, 12, 13, 128, 129, 135, 136].map((n) => `itype:${n}`),
  'itype:>18',
  ...[0, 1, 3, 4].map((n) => `icode:${n}`),
  'icode:>1',
  'icmp_id:0',
  'icmp_id:1',
  'icmp_id:512',
  'icmp_seq:0',
  'icmp_seq:1',
  'icmpv6.mtu:>1000',
  'dsize:>100',
  'dsize:0',
  'content:"a"',
  'content:"|00|"',
  'flow:to_server',
  'flow:to_client',
);
add(
  'ip',
  'ttl:1',
  'ttl:<10',
  'ttl:>200',
  'ttl:64',
  'tos:0',
  'tos:16',
  'tos:!0',
  'id:0',
  'id:1',
  'id:54321',
  'fragbits:M',
  'fragbits:D',
  'fragbits:R',
  'fragbits:!D',
  'fragbits:DM+',
  'fragoffset:0',
  'fragoffset:>0',
  'sameip',
  'l3_proto:ipv4',
  'l3_proto:ipv6',
  'geoip:any,DE',
  'content:"a"',
  'dsize:>100',
  'dsize:0',
);
add('ip', ...['rr', 'eol', 'nop', 'ts', 'sec', 'esec', 'lsrr', 'ssrr', 'satid', 'any'].map((o) => `ipopts:${o}`));
add(
  'ip',
  ...[1, 2, 4, 6, 17, 41, 47, 50, 51, 58, 89, 103, 112, 132].map((n) => `ip_proto:${n}`),
  'ip_proto:>58',
  'ip_proto:!6',
);
for (const proto of ['ipv4', 'ipv6', 'ip4', 'ip6', 'pkthdr', 'sctp', 'icmp', 'udp', 'tcp', 'ip'])
  add(proto, 'msg:"any"');
for (const [keyword, proto] of [
  ['ipv4', 'ip'],
  ['tcpv4', 'tcp'],
  ['tcpv6', 'tcp'],
  ['udpv4', 'udp'],
  ['udpv6', 'udp'],
  ['icmpv4', 'icmp'],
  ['icmpv6', 'icmp'],
] as const)
  add(proto, `${keyword}-csum:valid`, `${keyword}-csum:invalid`);
for (const [proto, frames] of Object.entries({
  http: 'request response stream',
  dns: 'pdu stream',
  tls: 'pdu hdr data alert_pdu heartbeat_pdu ssl2.hdr ssl2.pdu stream',
  smtp: 'command_line data response_line stream',
  ssh: 'record.hdr record.data record.pdu stream',
  telnet: 'ctl data stream',
  sip: 'pdu request.line request.headers request.body response.line response.headers response.body',
  mqtt: 'pdu header data',
  rfb: 'pdu',
  modbus: 'pdu stream',
  nfs: 'rpc.pdu rpc.hdr rpc.data rpc.creds nfs.pdu nfs.status nfs4.pdu nfs4.hdr nfs4.ops nfs4.status',
  smb: 'nbss.pdu nbss.hdr nbss.data smb1.pdu smb1.hdr smb1.data smb2.pdu smb2.hdr smb2.data smb3.pdu smb3.hdr smb3.data',
  ftp: 'command_line response_line stream',
  enip: 'pdu hdr data stream',
  http2: 'hdr data pdu stream',
  quic: 'pdu',
}))
  for (const frame of frames.split(' '))
    add(proto, `frame:${proto}.${frame}; bsize:>0`, `frame:${proto}.${frame}; content:"a"`);

process.stdout.write(`${lines.join('\n')}\n`);
