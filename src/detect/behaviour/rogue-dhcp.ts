import type { FlowColumns } from '../../domain/flow.js';
import type { DecodedPacket } from '../../domain/packet.js';
import { formatIpv4, parseIp } from '../../util/ip.js';
import { BEHAVIOURS } from './catalogue.js';
import type { Detector } from './detector.js';
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
const MAX_SERVERS = 64;

/**
 * Rogue DHCP: an offer or acknowledgement from a server that was not there during the learning time and is not listed.
 * Servers are told apart by their server identifier (RFC 2132 9.7), which relays leave as it is.
 */
export class RogueDhcpDetector implements Detector {
  readonly name = 'rogue_dhcp';
  private readonly options: BehaviourOptions['rogueDhcp'];
  private readonly reporter: Reporter;
  private readonly realertUs: number;
  /** Known servers. */
  private readonly known = new Set<number>();
  private readonly reportedUs = new Map<number, number>();
  private learnUntilUs = 0;

  constructor(options: BehaviourOptions, _sources: Sources, reporter: Reporter) {
    this.options = options.rogueDhcp;
    this.reporter = reporter;
    this.realertUs = options.realertSecs * 1e6;
    for (const text of options.rogueDhcp.servers) this.known.add(parseIp(text)!.words[3]);
  }

  onUdp(p: DecodedPacket, flows: FlowColumns, slot: number): void {
    if (p.srcPort !== SERVER_PORT || p.ipVersion !== 4) return;
    if (p.payloadLen < OPTIONS_AT || p.data[p.payloadOffset] !== BOOT_REPLY) return;
    const type = readOption(p, MESSAGE_TYPE, 1);
    if (type !== OFFER && type !== ACK) return;
    const id = readOption(p, SERVER_ID, 4);
    const server = id < 0 ? p.src3 : id;
    if (this.known.has(server)) return;
    if (this.learnUntilUs === 0) this.learnUntilUs = p.tsUs + this.options.learnSecs * 1e6;
    const mayLearn = this.options.servers.length === 0 && p.tsUs <= this.learnUntilUs;
    if (mayLearn && this.known.size < MAX_SERVERS) {
      this.known.add(server);
      return;
    }
    if (p.tsUs - (this.reportedUs.get(server) ?? -Infinity) < this.realertUs) return;
    if (this.reportedUs.size >= MAX_SERVERS) this.reportedUs.clear();
    this.reportedUs.set(server, p.tsUs);
    this.report(p, flows, slot, server);
  }

  private report(p: DecodedPacket, flows: FlowColumns, slot: number, server: number): void {
    const ends = endpointsOf(flows, slot);
    const known = [...this.known].map(formatIpv4).join(', ');
    this.reporter.report({
      ...ends,
      entry: BEHAVIOURS.rogueDhcp,
      offender: formatIpv4(server),
      spoofable: true,
      score: 0.8,
      confidence: 0.85,
      appProto: 'dhcp',
      evidence: [
        {
          name: 'server_id',
          value: formatIpv4(server),
          text: `DHCP answers from ${formatIpv4(server)}; known servers: ${known === '' ? 'none' : known}`,
        },
      ],
      packetUs: p.tsUs,
      packetNumber: p.number,
    });
  }
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
