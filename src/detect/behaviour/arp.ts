import { formatIpv4 } from '../../util/ip.js';
import type { DecodedPacket } from '../../domain/packet.js';
import { AddressTable, mix32 } from './address-table.js';
import { BEHAVIOURS } from './catalogue.js';
import type { Detector } from './detector.js';
import { DistinctSets } from './distinct-sets.js';
import type { BehaviourOptions } from './options.js';
import { scoreOf, type Finding, type Limiter, type Reporter } from './reporter.js';
import { SlidingCounts } from './sliding-counts.js';
import type { Sources } from './sources.js';

const REQUEST = 1;
const REPLY = 2;
/** A reply this soon after a request answers it. */
const ASKED_US = 5e6;
/** The question before the first reply that is seen at all may have been missed. */
const FIRST_US = 1e6;
/** The rightful owner counts as alive for this long after its last ARP packet. */
const ALIVE_US = 120e6;
/** Hosts answer a question within this time, sleeping ones too; what comes later answers nothing. */
const ANSWER_US = 2e5;
/** Addresses of 169.254.0.0/16 are told to everybody, answers too (RFC 3927 2.5). */
const LINK_LOCAL = 0xa9fe;
/** A sweep asks in vain for at least this share of its targets. */
const MIN_SILENT_SHARE = 0.2;

/**
 * ARP sweeps (one station asks for many addresses) and ARP spoofing (a second MAC address keeps claiming an address
 * whose first owner is alive, or one station claims several addresses that belong to others). Fail-over, a new network
 * card and duplicate addresses look alike for a moment: there the first owner falls silent, or the second only announces
 * itself and answers what it is asked.
 */
export class ArpDetector implements Detector {
  readonly name = 'arp';
  private readonly options: BehaviourOptions['arp'];
  private readonly reporter: Reporter;
  private readonly stations: AddressTable;
  private readonly asked: DistinctSets;
  private readonly answered: DistinctSets;
  private readonly askedSince: Float64Array;
  private readonly askedGeneration: Uint32Array;
  private readonly sweepLimit: Limiter;
  private readonly owners: AddressTable;
  private readonly ownerMac: Float64Array;
  private readonly ownerSeen: Float64Array;
  private readonly claims: Uint8Array;
  /** Those among the claims that are replies to somebody who did not ask, or was answered long before. */
  private readonly lies: Uint8Array;
  /** 1 when the owner spoke after the first of the claims. */
  private readonly contradicted: Uint8Array;
  private readonly claimUs: Float64Array;
  /** 1 while a question for the address has not been answered by another than its owner. */
  private readonly questions: Uint8Array;
  private readonly askedUs: Float64Array;
  private readonly spoofLimit: Limiter;
  private readonly liars: AddressTable;
  private readonly unasked: SlidingCounts;
  private readonly claimed: DistinctSets;
  private readonly liarLimit: Limiter;

  constructor(options: BehaviourOptions, _sources: Sources, reporter: Reporter) {
    this.options = options.arp;
    this.reporter = reporter;
    this.stations = new AddressTable(options.maxTargets);
    const n = this.stations.capacity;
    this.asked = new DistinctSets(n);
    this.answered = new DistinctSets(n);
    this.askedSince = new Float64Array(n);
    this.askedGeneration = new Uint32Array(n);
    this.sweepLimit = reporter.limiter(this.stations);
    this.owners = new AddressTable(options.maxTargets);
    this.ownerMac = new Float64Array(n);
    this.ownerSeen = new Float64Array(n);
    this.claims = new Uint8Array(n);
    this.lies = new Uint8Array(n);
    this.contradicted = new Uint8Array(n);
    this.claimUs = new Float64Array(n);
    this.questions = new Uint8Array(n);
    this.askedUs = new Float64Array(n);
    this.spoofLimit = reporter.limiter(this.owners);
    this.liars = new AddressTable(options.maxTargets);
    this.unasked = new SlidingCounts(this.liars, 1, options.arp.windowSecs);
    this.claimed = new DistinctSets(n);
    this.liarLimit = reporter.limiter(this.liars);
  }

  onOther(p: DecodedPacket): void {
    if (p.arpOp === 0 || p.arpSenderMacOffset < 0 || p.src3 === 0) return;
    const mac = readMac(p.data, p.arpSenderMacOffset);
    // A gratuitous ARP asks for the sender's own address.
    if (p.arpOp === REQUEST && p.dst3 !== p.src3) this.onRequest(p);
    if (p.src3 === 0xffffffff) return;
    this.onClaim(p, mac);
    if (p.arpOp === REPLY && p.dst3 !== p.src3) {
      const asker = this.stations.find(0, 0, 0, p.dst3);
      if (asker >= 0) this.answered.add(asker, mix32(p.src3));
      this.onReply(p);
    }
  }

  /** One station that keeps answering for several addresses without being asked. */
  private onReply(p: DecodedPacket): void {
    const owner = this.owners.find(0, 0, 0, p.src3);
    if (owner >= 0 && p.tsUs - this.askedUs[owner]! < ASKED_US) return;
    const mac = p.data;
    const m = p.arpSenderMacOffset;
    const high = (mac[m]! << 8) | mac[m + 1]!;
    const low = ((mac[m + 2]! << 24) | (mac[m + 3]! << 16) | (mac[m + 4]! << 8) | mac[m + 5]!) >>> 0;
    const liar = this.liars.acquire(0, 0, high, low, p.tsUs);
    if (this.unasked.roll(liar, p.tsUs)) this.claimed.clear(liar);
    this.claimed.add(liar, mix32(p.src3));
    const count = this.unasked.add(liar, 0, 1, p.tsUs);
    const addresses = this.claimed.count(liar);
    if (count < this.options.unasked || addresses < 2 || !this.liarLimit.isDue(liar, p.tsUs)) return;
    this.liarLimit.mark(liar, p.tsUs);
    const n = Math.round(count);
    this.reporter.report({
      ...ends(p),
      entry: BEHAVIOURS.arpSpoofing,
      offender: formatIpv4(p.src3),
      victim: formatIpv4(p.dst3),
      score: scoreOf(n, this.options.unasked),
      confidence: 0.85,
      noBlock: true,
      evidence: [
        {
          name: 'unasked_replies',
          value: n,
          unit: 'packets',
          text: `${formatMac(mac, m)} said ${n} times unasked that ${addresses} addresses are its own`,
        },
        { name: 'claimed_addresses', value: addresses, unit: 'hosts' },
        { name: 'sender_mac', value: formatMac(mac, m) },
      ],
    });
  }

  private onRequest(p: DecodedPacket): void {
    const wanted = this.owners.find(0, 0, 0, p.dst3);
    if (wanted >= 0) {
      this.askedUs[wanted] = p.tsUs;
      this.questions[wanted] = 1;
    }
    const station = this.stations.acquire(0, 0, 0, p.src3, p.tsUs);
    const fresh = this.askedGeneration[station] !== this.stations.generation(station);
    if (fresh || p.tsUs - this.askedSince[station]! > this.options.windowSecs * 1e6) {
      this.askedGeneration[station] = this.stations.generation(station);
      this.askedSince[station] = p.tsUs;
      this.asked.clear(station);
      this.answered.clear(station);
    }
    if (!this.asked.add(station, mix32(p.dst3))) return;
    const targets = this.asked.count(station);
    if (targets < this.options.targets || !this.sweepLimit.isDue(station, p.tsUs)) return;
    // A router or a monitor asks for many, and all are there; whoever does not know the network asks in vain, too.
    const silent = targets - this.answered.count(station);
    if (silent < MIN_SILENT_SHARE * targets) return;
    this.sweepLimit.mark(station, p.tsUs);
    const secs = Number(((p.tsUs - this.askedSince[station]!) / 1e6).toFixed(2));
    this.reporter.report({
      ...ends(p),
      entry: BEHAVIOURS.arpSweep,
      offender: formatIpv4(p.src3),
      score: scoreOf(targets, this.options.targets),
      confidence: 0.85,
      // A router asks for whatever others look for behind it.
      noBlock: true,
      evidence: [
        {
          name: 'distinct_targets',
          value: targets,
          unit: 'hosts',
          text: `asked by ARP for ${targets} addresses in ${secs} s`,
        },
        { name: 'unanswered', value: silent, unit: 'hosts' },
        { name: 'sender_mac', value: formatMac(p.data, p.arpSenderMacOffset) },
        { name: 'threshold', value: this.options.targets, unit: 'hosts' },
      ],
    });
  }

  /** Two hosts with one address ask as usual and answer each question once and at once; a liar says more, later, to all. */
  private isDuplicate(p: DecodedPacket, owner: number): boolean {
    if (p.arpOp === REQUEST) return p.dst3 !== p.src3;
    const isLate = p.tsUs - this.askedUs[owner]! > ANSWER_US;
    if (this.questions[owner] === 0 || isLate || isReplyToAll(p)) return false;
    this.questions[owner] = 0;
    return true;
  }

  private onClaim(p: DecodedPacket, mac: number): void {
    const owner = this.owners.acquire(0, 0, 0, p.src3, p.tsUs);
    if (this.owners.inserted || p.tsUs - this.ownerSeen[owner]! > ALIVE_US) {
      this.ownerMac[owner] = mac;
      this.ownerSeen[owner] = p.tsUs;
      this.claims[owner] = 0;
      if (this.owners.inserted) this.askedUs[owner] = p.arpOp === REPLY ? p.tsUs - ASKED_US + FIRST_US : 0;
      return;
    }
    if (this.ownerMac[owner] === mac) {
      this.ownerSeen[owner] = p.tsUs;
      this.contradicted[owner] = 1;
      return;
    }
    if (this.isDuplicate(p, owner)) return;
    this.countClaim(p, owner);
    if (!this.isSpoofed(owner) || !this.spoofLimit.isDue(owner, p.tsUs)) return;
    this.spoofLimit.mark(owner, p.tsUs);
    this.reportSpoofing(p, owner);
  }

  private countClaim(p: DecodedPacket, owner: number): void {
    if (this.claims[owner] === 0 || p.tsUs - this.claimUs[owner]! > this.options.windowSecs * 1e6) {
      this.claims[owner] = 0;
      this.lies[owner] = 0;
      this.contradicted[owner] = 0;
    }
    this.claimUs[owner] = p.tsUs;
    if (this.claims[owner]! === 255) return;
    this.claims[owner]! += 1;
    if (p.arpOp === REPLY && p.dst3 !== p.src3) this.lies[owner]! += 1;
  }

  /** Announcements mean something when the owner contradicts them; replies that nobody asked for do so in any case. */
  private isSpoofed(owner: number): boolean {
    const { changes, lies } = this.options;
    if (this.contradicted[owner] === 0) return this.lies[owner]! >= changes;
    return this.lies[owner]! >= lies || this.claims[owner]! >= changes;
  }

  private reportSpoofing(p: DecodedPacket, owner: number): void {
    const count = this.claims[owner]!;
    const ownerSecs = Number(((p.tsUs - this.ownerSeen[owner]!) / 1e6).toFixed(1));
    this.reporter.report({
      ...ends(p),
      entry: BEHAVIOURS.arpSpoofing,
      offender: formatIpv4(p.src3),
      victim: formatIpv4(p.dst3),
      score: scoreOf(count, this.options.changes),
      confidence: 0.8,
      // The address is the victim's own: blocking it would do the attacker's work.
      noBlock: true,
      evidence: [
        {
          name: 'claims',
          value: count,
          unit: 'packets',
          text: `${formatMac(p.data, p.arpSenderMacOffset)} claimed ${formatIpv4(p.src3)} ${count} times; it belongs to ${macText(this.ownerMac[owner]!)}, last heard ${ownerSecs} s ago`,
        },
        { name: 'unasked_replies', value: this.lies[owner]!, unit: 'packets' },
        { name: 'claimed_address', value: formatIpv4(p.src3) },
        { name: 'sender_mac', value: formatMac(p.data, p.arpSenderMacOffset) },
        { name: 'owner_mac', value: macText(this.ownerMac[owner]!) },
      ],
    });
  }
}

function ends(
  p: DecodedPacket,
): Pick<Finding, 'srcIp' | 'srcPort' | 'dstIp' | 'dstPort' | 'proto' | 'spoofable' | 'packetUs' | 'packetNumber'> {
  return {
    srcIp: formatIpv4(p.src3),
    srcPort: 0,
    dstIp: formatIpv4(p.dst3),
    dstPort: 0,
    proto: 0,
    spoofable: true,
    packetUs: p.tsUs,
    packetNumber: p.number,
  };
}

/** A reply to one station that is sent to all: hosts answer whoever asked (RFC 826). */
function isReplyToAll(p: DecodedPacket): boolean {
  if (p.srcMacOffset < 6 || p.dst3 === p.src3 || p.src3 >>> 16 === LINK_LOCAL) return false;
  return readMac(p.data, p.srcMacOffset - 6) === 0xffff_ffff_ffff;
}

/** A MAC address as a 48-bit number. */
function readMac(data: Uint8Array, at: number): number {
  let mac = 0;
  for (let i = at; i < at + 6; i++) mac = mac * 256 + data[i]!;
  return mac;
}

function macText(mac: number): string {
  return mac.toString(16).padStart(12, '0').match(/../g)!.join(':');
}

function formatMac(data: Uint8Array, at: number): string {
  return macText(readMac(data, at));
}
