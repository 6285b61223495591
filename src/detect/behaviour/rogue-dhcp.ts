import type { FlowColumns } from '../../domain/flow.js';
import type { DecodedPacket } from '../../domain/packet.js';
import { formatIpv4 } from '../../util/ip.js';
import { BEHAVIOURS } from './catalogue.js';
import type { Detector } from './detector.js';
import { KnownServers } from './known-servers.js';
import type { BehaviourOptions } from './options.js';
import { endpointsOf, type Reporter } from './reporter.js';
import type { Sources } from './sources.js';

const SERVER_PORT = 67;
const BOOT_REPLY = 2;
/** Fixed part of a DHCP message with the magic cookie (RFC 2131). */
const OPTIONS_AT = 240;
const MESSAGE_TYPE = 53;
const SERVER_ID = 54;
const OFFER = 2;
const ACK = 5;
/** DHCPv6 (RFC 8415): port of servers, message types, header bytes before the options, the server's identifier. */
const SERVER_PORT_V6 = 547;
const ADVERTISE_V6 = 2;
const REPLY_V6 = 7;
const OPTIONS_AT_V6 = 4;
const SERVER_ID_V6 = 2;
/** Most bytes of an identifier (RFC 8415 11.1). */
const MAX_DUID = 130;

/**
 * Rogue DHCP: an answer of a server that was not there during the learning time and is not listed. Servers are told apart
 * by their identifiers, which relays leave as they are: an address (RFC 2132 9.7), or a DUID for IPv6 (RFC 8415 11).
 */
export class RogueDhcpDetector implements Detector {
  readonly name = 'rogue_dhcp';
  private readonly reporter: Reporter;
  private readonly v4: KnownServers<string>;
  private readonly v6: KnownServers<string>;

  constructor(options: BehaviourOptions, _sources: Sources, reporter: Reporter) {
    this.reporter = reporter;
    const { servers, duids, learnSecs } = options.rogueDhcp;
    const times = { learnSecs, realertSecs: options.realertSecs };
    this.v4 = new KnownServers(servers, times);
    this.v6 = new KnownServers(
      duids.map((duid) => duid.toLowerCase().replaceAll(':', '')),
      times,
    );
  }

  onUdp(p: DecodedPacket, flows: FlowColumns, slot: number): void {
    if (p.srcPort === SERVER_PORT && p.ipVersion === 4) this.onAnswer(p, flows, slot);
    else if (p.srcPort === SERVER_PORT_V6 && p.ipVersion === 6) this.onAnswerV6(p, flows, slot);
  }

  private onAnswer(p: DecodedPacket, flows: FlowColumns, slot: number): void {
    if (p.payloadLen < OPTIONS_AT || p.data[p.payloadOffset] !== BOOT_REPLY) return;
    const type = readOption(p, MESSAGE_TYPE, 1);
    if (type !== OFFER && type !== ACK) return;
    const id = readOption(p, SERVER_ID, 4);
    const server = formatIpv4(id < 0 ? p.src3 : id);
    if (!this.v4.isNews(server, p.tsUs)) return;
    const what = `DHCP answers from ${server}; known servers: ${this.v4.keys.join(', ') || 'none'}`;
    this.report(p, flows, slot, { offender: server, id: server, what });
  }

  private onAnswerV6(p: DecodedPacket, flows: FlowColumns, slot: number): void {
    const type = p.data[p.payloadOffset];
    if (p.payloadLen <= OPTIONS_AT_V6 || (type !== ADVERTISE_V6 && type !== REPLY_V6)) return;
    const id = readDuid(p);
    if (id === '' || !this.v6.isNews(id, p.tsUs)) return;
    const { srcIp } = endpointsOf(flows, slot);
    const what = `DHCPv6 answers of server ${id} from ${srcIp}; known servers: ${this.v6.keys.join(', ') || 'none'}`;
    this.report(p, flows, slot, { offender: srcIp, id, what });
  }

  private report(
    p: DecodedPacket,
    flows: FlowColumns,
    slot: number,
    found: { offender: string; id: string; what: string },
  ): void {
    this.reporter.report({
      ...endpointsOf(flows, slot),
      entry: BEHAVIOURS.rogueDhcp,
      offender: found.offender,
      spoofable: true,
      score: 0.8,
      confidence: 0.85,
      appProto: 'dhcp',
      evidence: [{ name: 'server_id', value: found.id, text: found.what }],
      packetUs: p.tsUs,
      packetNumber: p.number,
    });
  }
}

/** The server's DUID in hexadecimal; empty when there is none. */
function readDuid(p: DecodedPacket): string {
  const { data } = p;
  const end = p.payloadOffset + p.payloadLen;
  for (let at = p.payloadOffset + OPTIONS_AT_V6; at + 4 <= end;) {
    const code = (data[at]! << 8) | data[at + 1]!;
    const length = (data[at + 2]! << 8) | data[at + 3]!;
    if (at + 4 + length > end) return '';
    if (code === SERVER_ID_V6) {
      return length > MAX_DUID ? '' : Buffer.from(data.subarray(at + 4, at + 4 + length)).toString('hex');
    }
    at += 4 + length;
  }
  return '';
}

/** Value of an option of `length` bytes, as an unsigned number; -1 when absent or of another length. */
function readOption(p: DecodedPacket, code: number, length: number): number {
  const { data } = p;
  const end = p.payloadOffset + p.payloadLen;
  for (let at = p.payloadOffset + OPTIONS_AT; at + 1 < end && data[at] !== 255;) {
    if (data[at] === 0) {
      at++;
      continue;
    }
    if (data[at] === code) {
      if (data[at + 1] !== length || at + 2 + length > end) return -1;
      let value = 0;
      for (let i = 0; i < length; i++) value = value * 256 + data[at + 2 + i]!;
      return value;
    }
    at += 2 + data[at + 1]!;
  }
  return -1;
}
