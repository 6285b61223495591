import type { EvidenceItem } from '../../domain/detection.js';
import { formatCidr, maskIp, parseIp } from '../../util/ip.js';
import { AddressTable, hashWords } from './address-table.js';
import { BEHAVIOURS } from './catalogue.js';
import { INSIDE, type FlowMoment } from './detector.js';
import { DistinctSets } from './distinct-sets.js';
import { Majority } from './majority.js';
import type { BehaviourOptions } from './options.js';
import { endpointsOf, scoreOf, type Limiter, type Reporter } from './reporter.js';
import { GATE, SenderGate } from './sender-gate.js';
import { SlidingCounts } from './sliding-counts.js';
import type { Sources } from './sources.js';

/** What a flood consists of. */
export const FLOOD_KIND = { SYN: 0, UDP: 1, ICMP: 2, REFLECTED: 3 } as const;

const KINDS = [
  { entry: BEHAVIOURS.synFloodSpread, what: 'unanswered SYNs', rate: 'synPerSec', sources: 'networkSources' },
  { entry: BEHAVIOURS.udpFloodSpread, what: 'unanswered UDP flows', rate: 'udpFlowsPerSec', sources: 'networkSources' },
  { entry: BEHAVIOURS.icmpFloodSpread, what: 'ICMP packets', rate: 'icmpPerSec', sources: 'networkSources' },
  { entry: BEHAVIOURS.amplificationSpread, what: 'unasked answers', rate: 'reflectedPerSec', sources: 'reflectors' },
] as const;

const WINDOW_SECS = 1;
/** Entries of the links: kinds by version of IP. */
const LINKS = 8;
/** Fewer hosts of a network, or networks of a link, are flooded one by one. */
const LEAST_PARTS = 4;
/** Share of unanswered flows among those between outside addresses that a flood must have. */
const LEAST_FAILED_SHARE = 0.6;
/** Packets wait to be counted while there are fewer than one in so many of the sources that a flood must have, and at most so many. */
const GATE_SHARE = 4;
const GATE_MOST = 64;
/** What has waited for longer has no part in the counts of a second and the one before. */
const HELD_US = 2e6;
/** Marks keys of IPv6; the kind is in the low bits. */
const IPV6 = 0x100;

/** What a packet or flow that nobody asked for is counted by. */
interface Unasked {
  /** Words of its network, and the version of IP and kind. */
  w0: number;
  w1: number;
  key: number;
  w3: number;
  /** Hashes of its addresses. */
  sender: number;
  target: number;
  isInside: boolean;
  atUs: number;
}

/** Counts of one second by network, or by link: packets, their sources, and the parts that they are spread over. */
class Spread {
  private readonly table: AddressTable;
  private readonly counts: SlidingCounts;
  private readonly senders: DistinctSets;
  /** How many senders the second before had, by entry: a flood that begins in the middle of one has its own in two. */
  private readonly sendersBefore: Uint32Array;
  private readonly parts: DistinctSets;
  private readonly part: Majority;
  private readonly limit: Limiter;

  constructor(capacity: number, reporter: Reporter) {
    this.table = new AddressTable(capacity);
    this.counts = new SlidingCounts(this.table, 1, WINDOW_SECS);
    this.senders = new DistinctSets(this.table.capacity);
    this.sendersBefore = new Uint32Array(this.table.capacity);
    this.parts = new DistinctSets(this.table.capacity);
    this.part = new Majority(this.table.capacity);
    this.limit = reporter.limiter(this.table);
  }

  get evictions(): number {
    return this.table.evictions;
  }

  entry(w0: number, w1: number, w2: number, w3: number, nowUs: number): number {
    return this.table.acquire(w0 | 0, w1 | 0, w2, w3 | 0, nowUs);
  }

  /** @returns true when its sources may have become more and it was not told lately. */
  add(index: number, sender: number, part: number, nowUs: number): boolean {
    if (this.counts.roll(index, nowUs)) {
      const isNext = this.counts.value(index, 0, nowUs) > 0;
      this.sendersBefore[index] = isNext ? this.senders.count(index) : 0;
      this.senders.clear(index);
      this.parts.clear(index);
      this.part.clear(index);
    }
    this.counts.addRolled(index, 0, 1, nowUs);
    this.parts.add(index, part);
    this.part.add(index, part);
    return this.senders.add(index, sender) && this.limit.isDue(index, nowUs);
  }

  isTold(index: number, nowUs: number): boolean {
    return !this.limit.isDue(index, nowUs);
  }

  /** Packets a second, when they come from so many sources and no part has three quarters of them; else 0. */
  rate(index: number, nowUs: number, sources: number): number {
    if (this.sendersOf(index) < sources || this.parts.count(index) < LEAST_PARTS) return 0;
    if (this.part.votes(index) * 2 >= this.counts.present(index, 0)) return 0;
    return this.counts.value(index, 0, nowUs);
  }

  /** Senders in a second: the present one or the one before, part of which still counts. */
  private sendersOf(index: number): number {
    return Math.max(this.senders.count(index), this.sendersBefore[index]!);
  }

  mark(index: number, nowUs: number): { senders: number; parts: number } {
    this.limit.mark(index, nowUs);
    return { senders: this.sendersOf(index), parts: this.parts.count(index) };
  }
}

/**
 * Floods that no single address gets enough of: spread over a /24 or /64 ("carpet bombing"), or over the world, when both
 * ends of their flows are outside. What counts is the rate that would flood one address, from many sources within a second
 * none of which has ever completed a handshake: a scan has few sources, and when servers fail, their users are known.
 */
export class SpreadFloods {
  private readonly options: BehaviourOptions['flood'];
  private readonly homeNetworks: readonly string[];
  private readonly sources: Sources;
  private readonly reporter: Reporter;
  /** By kind: whether there are senders enough for a flood, and the first packets of those that came before there were. */
  private readonly gates: readonly SenderGate[];
  private readonly held: readonly Unasked[][] = KINDS.map(() => []);
  private readonly unasked: Unasked = {
    w0: 0, w1: 0, key: 0, w3: 0, sender: 0, target: 0, isInside: false, atUs: 0,
  }; // prettier-ignore
  private readonly networks: Spread;
  private readonly links: Spread;
  /** Flows between outside addresses that were answered, by second. */
  private readonly answeredTable = new AddressTable(1);
  private readonly answered = new SlidingCounts(this.answeredTable, 1, WINDOW_SECS);
  private found = { rate: 0, senders: 0, parts: 0, isLink: false };

  constructor(options: BehaviourOptions, sources: Sources, reporter: Reporter) {
    this.options = options.flood;
    this.homeNetworks = options.homeNetworks;
    this.sources = sources;
    this.reporter = reporter;
    this.gates = KINDS.map(
      ({ sources: least }) => new SenderGate(Math.min(GATE_MOST, Math.ceil(this.options[least] / GATE_SHARE))),
    );
    this.networks = new Spread(options.maxNetworks, reporter);
    this.links = new Spread(LINKS, reporter);
  }

  /**
   * Counts a packet or flow that nobody asked for and nobody answered.
   * @param kind one of FLOOD_KIND.
   * @returns true when it makes a flood that is to be told: {@link report} it.
   */
  add(kind: number, moment: FlowMoment): boolean {
    // An inside host that asks the outside in vain has lost its uplink, or sweeps.
    if (moment.inside === INSIDE.SOURCE) return false;
    const seen = this.gates[kind]!.look(moment.src, moment.nowUs);
    if (seen === GATE.SHUT || !this.sources.isSpoofable(this.sources.ofMoment(moment))) return false;
    const held = this.held[kind]!;
    if (seen === GATE.FIRST) {
      while (held.length > 0 && held[0]!.atUs < moment.nowUs - HELD_US) held.shift();
      held.push({ ...this.describe(kind, moment) });
      return false;
    }
    if (held.length > 0) this.countHeld(kind, held, moment.nowUs);
    return this.count(kind, this.describe(kind, moment));
  }

  private describe(kind: number, { flows, slot, nowUs, src, dst, inside }: FlowMoment): Unasked {
    const { dstAddr } = flows;
    const at = 4 * slot;
    const isV6 = flows.ipVersion[slot] === 6;
    const { unasked } = this;
    unasked.key = isV6 ? kind | IPV6 : kind + 1;
    unasked.w0 = isV6 ? dstAddr[at]! | 0 : 0;
    unasked.w1 = isV6 ? dstAddr[at + 1]! | 0 : 0;
    unasked.w3 = isV6 ? 0 : dstAddr[at + 3]! & 0xffffff00;
    unasked.sender = src;
    unasked.target = dst;
    unasked.isInside = (inside & INSIDE.DESTINATION) !== 0;
    unasked.atUs = nowUs;
    return unasked;
  }

  /** There are senders enough: what waited counts as if it had not. They are fewer than a flood has. */
  private countHeld(kind: number, held: Unasked[], nowUs: number): void {
    for (const unasked of held) if (unasked.atUs >= nowUs - HELD_US) this.count(kind, unasked);
    held.length = 0;
  }

  /** @returns true when it makes a flood that is to be told. */
  private count(kind: number, { w0, w1, key, w3, sender, target, isInside, atUs }: Unasked): boolean {
    const network = this.networks.entry(w0, w1, key, w3, atUs);
    if (this.networks.add(network, sender, target, atUs)) {
      if (this.judge(this.networks, network, kind, atUs, false)) return true;
    }
    if (isInside || this.networks.isTold(network, atUs)) return false;
    const link = this.links.entry(0, 0, key, 0, atUs);
    if (!this.links.add(link, sender, hashWords(w0, w1, 0, w3), atUs)) return false;
    return this.judge(this.links, link, kind, atUs, true);
  }

  /** A flow was answered: between outside addresses that tells of a link that is in use. */
  onProductive({ inside, nowUs }: FlowMoment): void {
    if (inside !== 0) return;
    this.answered.add(this.answeredTable.acquire(0, 0, 0, 1, nowUs), 0, 1, nowUs);
  }

  private judge(spread: Spread, index: number, kind: number, nowUs: number, isLink: boolean): boolean {
    const { rate: threshold, sources } = KINDS[kind]!;
    const rate = spread.rate(index, nowUs, this.options[sources]);
    if (rate < this.options[threshold]) return false;
    if (isLink && rate < LEAST_FAILED_SHARE * (rate + this.answeredRate(nowUs))) return false;
    this.found = { rate: Math.round(rate), ...spread.mark(index, nowUs), isLink };
    return true;
  }

  private answeredRate(nowUs: number): number {
    return this.answered.value(this.answeredTable.acquire(0, 0, 0, 1, nowUs), 0, nowUs);
  }

  /** Tells the flood that {@link add} has just found. */
  report(kind: number, at: FlowMoment): void {
    const { rate, senders, parts, isLink } = this.found;
    const { entry, what, rate: threshold } = KINDS[kind]!;
    const ends = endpointsOf(at.flows, at.slot);
    const ip = parseIp(ends.dstIp)!;
    const prefix = formatCidr(maskIp(ip, isLink ? 0 : ip.version === 4 ? 24 : 64));
    const where = isLink ? `${parts} networks, all outside` : `${parts} hosts of ${prefix}`;
    const evidence: EvidenceItem[] = [
      {
        name: 'rate',
        value: rate,
        unit: '1/s',
        text: `${rate} ${what} in a second to ${where}, from ${senders} sources that never completed a handshake`,
      },
      { name: 'distinct_sources', value: senders, unit: 'hosts' },
      { name: isLink ? 'distinct_networks' : 'distinct_targets', value: parts, unit: isLink ? 'networks' : 'hosts' },
      { name: 'threshold', value: this.options[threshold], unit: '1/s' },
    ];
    this.reporter.report({
      ...ends,
      entry,
      ...(isLink ? { title: entry.title.replace(' of a network', ' between outside addresses') } : {}),
      offender: ends.srcIp,
      spoofable: true,
      score: scoreOf(rate, this.options[threshold]),
      confidence: 0.9,
      evidence,
      // The source of one packet of many is as good as none.
      noBlock: true,
      metadata: { scope: ['target'], network: [prefix], ...(isLink ? { outside_of: [...this.homeNetworks] } : {}) },
      packetUs: at.packetUs,
      packetNumber: at.packetNumber,
      decidedUs: at.nowUs,
    });
  }

  stats(): Record<string, number> {
    return { flood_networks_evicted: this.networks.evictions };
  }
}
