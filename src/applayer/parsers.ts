import type { AppParser, AppProto } from '../domain/app-layer.js';
import type { FlowAddresses } from './app-flow.js';
import { createDcerpcParser } from './dcerpc/parser.js';
import { createDhcpParser } from './dhcp/parser.js';
import { createDnp3Parser } from './dnp3/parser.js';
import { createDnsParser, createMdnsParser } from './dns/parser.js';
import { createEnipParser } from './enip/parser.js';
import type { Expectations } from './expectations.js';
import { createFtpParser } from './ftp/parser.js';
import { createHttpParser } from './http/parser.js';
import { createHttp2Parser } from './http2/parser.js';
import { createIkeParser } from './ike/parser.js';
import { createKrb5Parser } from './krb5/parser.js';
import { createSmtpParser } from './mail/smtp.js';
import { createLdapParser } from './ldap/parser.js';
import { createModbusParser } from './modbus/parser.js';
import { createMqttParser } from './mqtt/parser.js';
import { createNfsParser } from './nfs/parser.js';
import type { AppLayerOptions } from './options.js';
import { createQuicParser } from './quic/parser.js';
import { createRecognized } from './recognized.js';
import { createRfbParser } from './rfb/parser.js';
import { createSipParser } from './sip/parser.js';
import { createSmbParser } from './smb/parser.js';
import { createSnmpParser } from './snmp/parser.js';
import { createSshParser } from './ssh/parser.js';
import { createTlsParser } from './tls/parser.js';
import { createWebsocketParser } from './websocket/parser.js';

/** What a parser may need of its flow. */
export interface ParserDeps {
  transport: 'tcp' | 'udp';
  addresses: FlowAddresses;
  expectations: Expectations;
  /** Anomalies in how this protocol was agreed on, in the one before it. */
  events: readonly string[];
}

type ParserFactory = (options: AppLayerOptions, deps: ParserDeps) => AppParser;

/** Parsers by protocol; what is not here is known by its first bytes only. */
const PARSERS: Partial<Record<AppProto, ParserFactory>> = {
  http: createHttpParser,
  dns: (options, { transport }) => createDnsParser(options, transport),
  mdns: createMdnsParser,
  tls: createTlsParser,
  ssh: createSshParser,
  smtp: createSmtpParser,
  ftp: (options, { addresses, expectations }) => createFtpParser(options, addresses, expectations),
  smb: createSmbParser,
  mqtt: createMqttParser,
  http2: (options, { events }) => createHttp2Parser(options, events),
  quic: createQuicParser,
  ike: createIkeParser,
  snmp: createSnmpParser,
  krb5: (options, { transport }) => createKrb5Parser(options, transport),
  sip: (options, { transport }) => createSipParser(options, transport),
  rfb: createRfbParser,
  dhcp: createDhcpParser,
  dcerpc: createDcerpcParser,
  modbus: createModbusParser,
  dnp3: createDnp3Parser,
  enip: (options, { transport }) => createEnipParser(options, transport),
  websocket: createWebsocketParser,
  ldap: (options, { transport }) => createLdapParser(options, transport),
  nfs: (options, { transport }) => createNfsParser(options, transport),
};

export function createParser(proto: AppProto, options: AppLayerOptions, deps: ParserDeps): AppParser {
  return PARSERS[proto]?.(options, deps) ?? createRecognized(proto);
}
