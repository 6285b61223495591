import type { FlowColumns } from '../../domain/flow.js';
import { PROTO, type DecodedPacket } from '../../domain/packet.js';
import { canonicalAddress, formatIpWords } from '../../util/ip.js';
import { BEHAVIOURS } from './catalogue.js';
import type { Detector } from './detector.js';
import { KnownServers } from './known-servers.js';
import type { BehaviourOptions } from './options.js';
import { endpointsOf, type Reporter } from './reporter.js';
import type { Sources } from './sources.js';

const ROUTER_ADVERTISEMENT = 134;
/** Fixed part of the message (RFC 4861 4.2), and where its router lifetime is. */
const FIXED_BYTES = 16;
const LIFETIME_AT = 6;
/** Receivers drop advertisements that came over a router (RFC 4861 6.1.2). */
const HOP_LIMIT = 255;
const LINK_LOCAL = 0xfe80;

/**
 * Rogue routers: an advertisement (RFC 4861) by an address and network card that were not there during the learning time,
 * and whose address is not listed. Hosts make the sender their default gateway at once, and take its prefixes and name
 * servers. A known router's address with another card is a forgery; routers that stand in for each other share a card's
 * address (VRRP) or have their own.
 */
export class RogueRouterDetector implements Detector {
  readonly name = 'rogue_router';
  private readonly reporter: Reporter;
  private readonly listed: ReadonlySet<string>;
  private readonly routers: KnownServers<string>;

  constructor(options: BehaviourOptions, _sources: Sources, reporter: Reporter) {
    this.reporter = reporter;
    const { routers, learnSecs } = options.rogueRouter;
    this.listed = new Set(routers.map((text) => canonicalAddress(text) ?? text));
    this.routers = new KnownServers(this.listed, { learnSecs, realertSecs: options.realertSecs });
  }

  onIcmp(p: DecodedPacket, flows: FlowColumns, slot: number): void {
    if (p.icmpType !== ROUTER_ADVERTISEMENT || p.proto !== PROTO.ICMPV6) return;
    if (p.ttl !== HOP_LIMIT || p.src0 >>> 16 !== LINK_LOCAL) return;
    if (p.l4Offset + FIXED_BYTES > p.ipOffset + p.ipLen || p.tunnelDepth > 0) return;
    const router = formatIpWords(6, p.src0, p.src1, p.src2, p.src3);
    const mac =
      p.srcMacOffset < 0 ? '' : Buffer.from(p.data.subarray(p.srcMacOffset, p.srcMacOffset + 6)).toString('hex');
    const key = this.listed.size > 0 ? router : `${router} ${mac}`;
    if (!this.routers.isNews(key, p.tsUs)) return;
    const lifetime = (p.data[p.l4Offset + LIFETIME_AT]! << 8) | p.data[p.l4Offset + LIFETIME_AT + 1]!;
    const known = this.routers.keys.map((text) => text.split(' ')[0]!);
    this.reporter.report({
      ...endpointsOf(flows, slot),
      entry: BEHAVIOURS.rogueRouter,
      offender: router,
      spoofable: true,
      // The address may be the true router's own.
      noBlock: true,
      score: 0.8,
      confidence: 0.8,
      evidence: [
        {
          name: 'router',
          value: router,
          text: `${router} (${macText(mac)}) says that it is a router for ${lifetime} s; known routers: ${known.join(', ') || 'none'}`,
        },
        { name: 'router_lifetime', value: lifetime, unit: 's' },
        { name: 'sender_mac', value: macText(mac) },
      ],
      packetUs: p.tsUs,
      packetNumber: p.number,
    });
  }
}

function macText(hex: string): string {
  return hex.match(/../g)?.join(':') ?? 'no hardware address';
}
