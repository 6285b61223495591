import { isAboutAddresses } from './about-addresses.js';
import { findBuffer } from './buffers.js';
import { APP_KEYWORDS, REFUSED } from './keywords/app.js';
import { RuleBuilder, UnknownKeyword, type KeywordContext } from './keywords/builder.js';
import { CHECKSUM_KEYWORDS } from './keywords/checksum.js';
import { checkForm } from './keywords/form.js';
import { FLOW_SIZE_KEYWORDS } from './keywords/flow-size.js';
import { HEADER_KEYWORDS } from './keywords/header.js';
import { HOST_KEYWORDS } from './keywords/host.js';
import { META_KEYWORDS } from './keywords/meta.js';
import { PAYLOAD_KEYWORDS, type Keyword } from './keywords/payload.js';
import { meetsRequirements } from './keywords/requires.js';
import { STATE_KEYWORDS } from './keywords/state.js';
import { PROTOCOL_KEYWORDS } from './keywords/protocols.js';
import { TRANSACTION_KEYWORDS } from './keywords/transaction.js';
import { validatePrefilter } from './keywords/prefilter.js';
import { validateRule } from './keywords/validate.js';
import { validateCounts, validatePlace } from './keywords/validate-place.js';
import { VARIABLE_KEYWORDS } from './keywords/variables.js';
import { createTransform, TRANSFORMS } from './match/transform.js';
import { toAttack } from './attack.js';
import { parseAddresses, type AddressRanges } from './parse/address.js';
import type { Classification } from './parse/classification.js';
import { parseHook } from './parse/hook.js';
import { parsePorts, type PortSet } from './parse/port.js';
import { BoundedPattern } from './match/guard.js';
import { translatePcre } from './parse/pcre-translate.js';
import { isRawRule, parseRuleText, type RawRule, type RuleOption, type RuleProblem } from './parse/rule.js';
import type { FlowTest, Rule } from './rule.js';
import { own } from '../../util/own.js';

export interface CompileContext extends KeywordContext {
  addresses: ReadonlyMap<string, string>;
  ports: ReadonlyMap<string, string>;
  classes: ReadonlyMap<string, Classification>;
  file: string;
  /** Equal texts share one result. */
  addressCache: Map<string, AddressRanges>;
  portCache: Map<string, PortSet>;
}

const KEYWORDS: ReadonlyMap<string, Keyword> = new Map(
  Object.entries({
    ...META_KEYWORDS,
    ...PAYLOAD_KEYWORDS,
    ...HEADER_KEYWORDS,
    ...CHECKSUM_KEYWORDS,
    ...STATE_KEYWORDS,
    ...FLOW_SIZE_KEYWORDS,
    ...TRANSACTION_KEYWORDS,
    ...APP_KEYWORDS,
    ...PROTOCOL_KEYWORDS,
    ...HOST_KEYWORDS,
    ...VARIABLE_KEYWORDS,
  }),
);

const ETHERTYPE_ARP = 0x0806;
const TCP_ONLY = [6];
const TCP_AND_UDP = [6, 17];
/** Protocols of the header: IP protocol numbers and application protocols. */
export const PROTOCOLS: Readonly<Record<string, { ip?: number[]; app?: string[] }>> = {
  ip: {},
  any: {},
  pkthdr: {},
  arp: {},
  ether: {},
  ipv4: {},
  ip4: {},
  ipv6: {},
  ip6: {},
  tcp: { ip: TCP_ONLY },
  'tcp-pkt': { ip: TCP_ONLY },
  'tcp-stream': { ip: TCP_ONLY },
  udp: { ip: [17] },
  icmp: { ip: [1, 58] },
  icmpv4: { ip: [1] },
  icmpv6: { ip: [58] },
  sctp: { ip: [132] },
  igmp: { ip: [2] },
  http: { ip: TCP_ONLY, app: ['http', 'http2'] },
  http1: { ip: TCP_ONLY, app: ['http'] },
  http2: { ip: TCP_ONLY, app: ['http2'] },
  tls: { ip: TCP_ONLY, app: ['tls'] },
  dns: { app: ['dns'] },
  mdns: { ip: [17], app: ['mdns'] },
  ssh: { ip: TCP_ONLY, app: ['ssh'] },
  smtp: { ip: TCP_ONLY, app: ['smtp'] },
  ftp: { ip: TCP_ONLY, app: ['ftp'] },
  'ftp-data': { ip: TCP_ONLY, app: ['ftp-data'] },
  smb: { ip: TCP_ONLY, app: ['smb'] },
  quic: { ip: [17], app: ['quic'] },
  mqtt: { ip: TCP_ONLY, app: ['mqtt'] },
  // Known by their first bytes; rules about their bytes apply to them.
  rdp: { ip: TCP_ONLY, app: ['rdp'] },
  dcerpc: { ip: TCP_AND_UDP, app: ['dcerpc', 'smb'] },
  tftp: { ip: [17], app: ['tftp'] },
  ike: { ip: [17], app: ['ike'] },
  ikev2: { ip: [17], app: ['ike'] },
  pgsql: { ip: TCP_ONLY, app: ['pgsql'] },
  sip: { app: ['sip'] },
  rfb: { ip: TCP_ONLY, app: ['rfb'] },
  telnet: { ip: TCP_ONLY, app: ['telnet'] },
  imap: { ip: TCP_ONLY, app: ['imap'] },
  snmp: { ip: [17], app: ['snmp'] },
  krb5: { app: ['krb5'] },
  nfs: { app: ['nfs'] },
  ntp: { ip: [17], app: ['ntp'] },
  dhcp: { ip: [17], app: ['dhcp'] },
  modbus: { ip: TCP_ONLY, app: ['modbus'] },
  dnp3: { ip: TCP_ONLY, app: ['dnp3'] },
  enip: { app: ['enip'] },
  ldap: { app: ['ldap'] },
  websocket: { ip: TCP_ONLY, app: ['websocket'] },
  'bittorrent-dht': { ip: [17], app: ['bittorrent-dht'] },
};

/** One line to a rule, or why it is not one; undefined for a rule whose `requires` asks for what is not here. */
export function compileRule(text: string, line: number, context: CompileContext): Rule | RuleProblem | undefined {
  const raw = parseRuleText(text, line);
  if (!isRawRule(raw)) return raw;
  const sid = Number(raw.options.find((o) => o.name === 'sid')?.value);
  const problem = (column: number, reason: string, keyword?: string): RuleProblem => ({
    line,
    column,
    reason,
    ...(keyword === undefined ? {} : { keyword }),
    ...(Number.isInteger(sid) ? { signatureId: sid } : {}),
  });
  let option: RuleOption | undefined;
  try {
    for (option of raw.options)
      if (option.name === 'requires' && !meetsRequirements(option.value ?? '', isKeyword)) return undefined;
    option = undefined;
    const builder = new RuleBuilder(newRule(raw, context), context);
    for (option of raw.options) applyOption(builder, option);
    option = undefined;
    const rule = finish(builder, context);
    validateCounts(raw.options);
    validatePlace(builder, raw.options);
    if (raw.options.some(({ name }) => name === 'prefilter')) validatePrefilter(builder, raw.options);
    rule.isAboutAddresses = isAboutAddresses(rule, raw, context.addresses);
    return rule;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (option === undefined) return problem(1, reason);
    const unknown = error instanceof UnknownKeyword;
    return problem(option.column, unknown ? reason : `${option.name}: ${reason}`, option.name);
  }
}

/** Whether a rule may use a keyword. */
export function isKeyword(name: string): boolean {
  const isKnown = KEYWORDS.has(name) || findBuffer(name) !== undefined || TRANSFORMS.includes(name);
  return isKnown && !(name in REFUSED);
}

function applyOption(builder: RuleBuilder, option: RuleOption): void {
  const keyword = KEYWORDS.get(option.name);
  if (keyword) {
    if (!(option.name in REFUSED)) checkForm(option);
    keyword(builder, option.value ?? '');
    return;
  }
  const buffer = findBuffer(option.name);
  if (buffer) {
    checkForm(option);
    builder.setSticky(buffer);
    if (buffer.source === 'packet') {
      requireTransport(builder.rule, buffer.name);
      builder.needsPacket = true;
    }
    return;
  }
  if (TRANSFORMS.includes(option.name)) checkForm(option);
  const transform = createTransform(option.name, option.value, compilePattern);
  if (!transform) throw new UnknownKeyword(`the keyword "${option.name}" is not understood`);
  builder.addTransform(transform);
}

/** IP protocols that have a header of this name. */
const TRANSPORTS: Readonly<Record<string, number>> = { 'tcp.hdr': 6, 'udp.hdr': 17, 'icmpv4.hdr': 1, 'icmpv6.hdr': 58 };

function requireTransport(rule: Rule, name: string): void {
  const wanted = own(TRANSPORTS, name);
  const had = rule.ipProtos ?? (rule.appProtos === undefined ? undefined : TCP_AND_UDP);
  if (wanted !== undefined && had?.includes(wanted) === false) throw new Error(`is not a part of ${rule.proto}`);
}

function compilePattern(pattern: string): BoundedPattern {
  const flags = {
    caseless: false,
    multiline: false,
    dotAll: false,
    extended: false,
    ungreedy: false,
    dollarEndOnly: false,
  };
  const translated = translatePcre(pattern, flags);
  return new BoundedPattern(translated.source, translated.caseless);
}

function cached<T>(cache: Map<string, T>, text: string, make: () => T): T {
  if (cache.has(text)) return cache.get(text)!;
  const made = make();
  cache.set(text, made);
  return made;
}

const isFlowStart: FlowTest = ({ flows, slot }) => flows!.packetsFwd[slot]! + flows!.packetsBwd[slot]! === 1;

function newRule(raw: RawRule, context: CompileContext): Rule {
  const hooked = parseHook(raw.proto);
  const proto = own(PROTOCOLS, hooked.proto);
  if (!proto) throw new Error(`the protocol "${hooked.proto}" is not parsed`);
  const address = (text: string): AddressRanges =>
    cached(context.addressCache, text, () => parseAddresses(text, context.addresses));
  const port = (text: string): PortSet => cached(context.portCache, text, () => parsePorts(text, context.ports));
  return {
    index: 0,
    action: raw.action,
    proto: hooked.proto,
    ipProtos: proto.ip,
    appProtos: proto.app,
    signatureId: 0,
    gid: 1,
    rev: 0,
    message: '',
    classtype: '',
    category: '',
    priority: 0,
    metadata: {},
    references: [],
    attack: undefined,
    direction: raw.direction,
    src: address(raw.src),
    srcPorts: port(raw.srcPort),
    dst: address(raw.dst),
    dstPorts: port(raw.dstPort),
    towards: hooked.towards,
    flow: undefined,
    kind: 'packet',
    isAboutAddresses: false,
    packetTests: [],
    payload: [],
    inPacket: false,
    inStream: false,
    buffers: [],
    transactionTests: [],
    appProtocol: [],
    streamSize: [],
    flowTests: hooked.isFlowStart ? [isFlowStart] : [],
    streamEvents: [],
    decodeEvents: [],
    bits: [],
    flowInts: [],
    captureTests: [],
    hasCaptures: false,
    suppress: [],
    threshold: undefined,
    detectionFilter: undefined,
    rateFilter: undefined,
    noalert: raw.action === 'config',
    bypass: false,
    tags: [],
    target: undefined,
    variables: 0,
    text: raw.text,
    file: context.file,
    line: raw.line,
  };
}

/** Settles what follows from the options together. */
function finish(b: RuleBuilder, context: CompileContext): Rule {
  const rule = b.rule;
  if (rule.signatureId === 0 && !/\bsid\s*:/.test(rule.text)) throw new Error('there is no sid');
  const found = context.classes.get(rule.classtype);
  rule.category = found?.description ?? '';
  if (rule.priority === 0) rule.priority = found?.priority ?? 3;
  rule.attack = toAttack(rule.metadata);
  if (rule.proto === 'ipv4' || rule.proto === 'ip4') rule.packetTests.push((p) => p.ipVersion === 4);
  if (rule.proto === 'arp') rule.packetTests.push((p) => p.etherType === ETHERTYPE_ARP);
  if (rule.proto === 'ipv6' || rule.proto === 'ip6') rule.packetTests.push((p) => p.ipVersion === 6);
  validateRule(rule);
  rule.buffers = rule.buffers.filter((x) => x.matches.length > 0);
  settlePayload(b);
  settleKind(rule);
  settleDirection(rule);
  return rule;
}

/** Where contents without a buffer are looked for: packets, streams or both. */
function settlePayload(b: RuleBuilder): void {
  const rule = b.rule;
  const tcp = rule.ipProtos === undefined || rule.ipProtos.includes(6);
  if (rule.proto === 'tcp-pkt' || b.needsPacket) rule.inPacket = true;
  if (rule.proto === 'tcp-stream' || b.needsStream) rule.inStream = true;
  if (!tcp) {
    rule.inPacket = true;
    rule.inStream = false;
  } else if (!rule.inPacket && !rule.inStream) {
    rule.inStream = true;
    rule.inPacket = rule.payload.some((m) => m.kind === 'content' && (m.offset !== undefined || m.depth !== undefined));
  }
}

function settleKind(rule: Rule): void {
  if (rule.buffers.some((x) => x.buffer.source === 'frame')) {
    settleFrames(rule);
    return;
  }
  const inTransaction = rule.buffers.some((x) => x.buffer.source === 'transaction') || rule.transactionTests.length > 0;
  if (inTransaction) {
    rule.kind = 'transaction';
    for (const { buffer } of rule.buffers) {
      if (buffer.source !== 'transaction') continue;
      const protos = rule.appProtos?.filter((p) => buffer.protos.includes(p)) ?? [...buffer.protos];
      if (protos.length === 0) throw new Error(`${buffer.name} is not a part of ${rule.proto}`);
      rule.appProtos = protos;
    }
  } else if (rule.payload.length > 0) rule.kind = 'payload';
  else if (rule.appProtos && rule.packetTests.length + rule.captureTests.length === 0) rule.kind = 'protocol';
  else rule.kind = 'packet';
}

/** @throws {Error} when other buffers, or contents without one, stand beside frames. */
function settleFrames(rule: Rule): void {
  if (
    rule.payload.length > 0 ||
    rule.transactionTests.length > 0 ||
    rule.buffers.some((x) => x.buffer.source !== 'frame')
  )
    throw new Error('frames stand alone in a rule: not with other buffers or contents without one');
  rule.kind = 'frame';
  rule.inPacket = rule.inStream = false;
}

/** Requests and responses exclude each other unless the rule is about a whole transaction. */
function settleDirection(rule: Rule): void {
  if (rule.direction === '=>') return;
  // In files of both directions the name itself says which: it counts more than `flow:to_server`.
  if (rule.buffers.some(({ buffer }) => buffer.name === 'http.response_body')) rule.towards = 2;
  if (rule.towards === 3 && rule.buffers.some(({ buffer }) => buffer.name === 'http.header.raw'))
    throw new Error('http.header.raw needs flow:to_server or flow:to_client');
  for (const { buffer } of rule.buffers) turn(rule, buffer.name, buffer.towards);
  for (const { name, direction } of rule.transactionTests)
    if (direction !== undefined && !SEEN_FROM_BOTH.test(name)) turn(rule, name, direction + 1);
}

/** Numbers of one direction that rules about the other one may ask for, too. */
const SEEN_FROM_BOTH = /^(krb5\.err_code|ssl_state|dns\.|dnp3\.ind)/;

/** @param towards bit 0: requests have it, bit 1: responses. */
function turn(rule: Rule, name: string, towards: number): void {
  const both = rule.towards & towards;
  if (both === 0)
    throw new Error(`${name} is a field of ${towards === 1 ? 'requests' : 'responses'}, the rule looks the other way`);
  rule.towards = both;
}
