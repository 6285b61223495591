import type { Direction, FlowColumns } from '../../domain/flow.js';
import type { DecodedPacket } from '../../domain/packet.js';
import { AddressTable, mix32 } from './address-table.js';
import { BEHAVIOURS } from './catalogue.js';
import { hashAt } from './contacts.js';
import type { Detector } from './detector.js';
import { DistinctSets } from './distinct-sets.js';
import type { BehaviourOptions } from './options.js';
import { endpointsOf, scoreOf, type Limiter, type Reporter } from './reporter.js';
import { SlidingCounts } from './sliding-counts.js';
import type { Sources } from './sources.js';

const DNS_PORT = 53;
const DNS_HEADER = 12;
/** Stands for the domain where names with data in them are counted whatever their domain. */
const ANY_DOMAIN = 0;
const QUERIES = 0;
const NAME_BYTES = 1;
const NXDOMAIN = 3;
/** Second-level labels below which names are registered, such as co.uk; short labels under country codes. */
const MAX_SUFFIX_LABEL = 3;

/** A question's name, cut into the registered domain and what stands before it; reused. */
interface Question {
  domain: number;
  sub: number;
  subBytes: number;
  /** Bytes of the label directly below the public suffix. */
  labelBytes: number;
  longestLabel: number;
  isArpa: boolean;
}

/**
 * DNS tunnels: many long, ever new names below one domain from one source. Generated names: many different registered
 * domains that do not exist, asked for by one source.
 */
export class DnsTunnelDetector implements Detector {
  readonly name = 'dns_tunnel';
  private readonly options: BehaviourOptions['dns'];
  private readonly sources: Sources;
  private readonly reporter: Reporter;
  private readonly pairs: AddressTable;
  private readonly counts: SlidingCounts;
  private readonly names: DistinctSets;
  private readonly limit: Limiter;
  private readonly missing: DistinctSets;
  private readonly missingCounts: SlidingCounts;
  private readonly dgaLimit: Limiter;
  private readonly question: Question = {
    domain: 0,
    sub: 0,
    subBytes: 0,
    labelBytes: 0,
    longestLabel: 0,
    isArpa: false,
  };
  private readonly labels = new Int32Array(128);
  private domainAt = 0;

  constructor(options: BehaviourOptions, sources: Sources, reporter: Reporter) {
    this.options = options.dns;
    this.sources = sources;
    this.reporter = reporter;
    this.pairs = new AddressTable(options.maxTargets);
    this.counts = new SlidingCounts(this.pairs, 2, options.dns.windowSecs);
    this.names = new DistinctSets(this.pairs.capacity);
    this.limit = reporter.limiter(this.pairs);
    this.missing = new DistinctSets(sources.table.capacity);
    this.missingCounts = new SlidingCounts(sources.table, 2, options.dns.dgaWindowSecs);
    this.dgaLimit = reporter.limiter(sources.table);
  }

  onUdp(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): void {
    if (p.dstPort !== DNS_PORT && p.srcPort !== DNS_PORT) return;
    if (p.payloadLen < DNS_HEADER + 5) return;
    const { data } = p;
    const at = p.payloadOffset;
    const isAnswer = (data[at + 2]! & 0x80) !== 0;
    if (isAnswer && (direction === 0 || (data[at + 3]! & 0x0f) !== NXDOMAIN)) return;
    if (data[at + 4] !== 0 || data[at + 5] !== 1 || !this.readQuestion(p) || this.question.isArpa) return;
    if (isAnswer) this.onMissing(p, flows, slot);
    else this.onQuery(p, flows, slot);
  }

  private onQuery(p: DecodedPacket, flows: FlowColumns, slot: number): void {
    const { question: q } = this;
    if (q.subBytes > 0) this.countName(p, flows, slot, q.domain, { name: q.sub, bytes: q.subBytes });
    // A tunnel that talks to its server directly needs no domain of its own.
    if (q.longestLabel >= this.options.longLabelBytes) {
      const name = mix32(q.sub ^ q.domain);
      this.countName(p, flows, slot, ANY_DOMAIN, { name, bytes: q.longestLabel });
    }
  }

  private countName(
    p: DecodedPacket,
    flows: FlowColumns,
    slot: number,
    domainHash: number,
    asked: { name: number; bytes: number },
  ): void {
    const { options } = this;
    const source = hashAt(flows.srcAddr, slot);
    const pair = this.pairs.acquire(source, domainHash, flows.ipVersion[slot]!, DNS_PORT, p.tsUs);
    if (this.counts.roll(pair, p.tsUs)) this.names.clear(pair);
    if (!this.names.add(pair, asked.name) && this.names.count(pair) < options.names) return;
    const queries = this.counts.add(pair, QUERIES, 1, p.tsUs);
    const bytes = this.counts.add(pair, NAME_BYTES, asked.bytes, p.tsUs);
    const distinct = this.names.count(pair);
    if (distinct < options.names || bytes < queries * options.meanNameBytes || !this.limit.isDue(pair, p.tsUs)) return;
    this.limit.mark(pair, p.tsUs);
    const ends = endpointsOf(flows, slot);
    const domain = this.domainText(p);
    this.reporter.report({
      ...ends,
      entry: BEHAVIOURS.dnsTunnel,
      title: `${BEHAVIOURS.dnsTunnel.title} (${domain})`,
      offender: ends.srcIp,
      spoofable: this.sources.isSpoofable(this.sources.ofFlow(flows, slot, p.tsUs)),
      score: scoreOf(distinct, options.names),
      confidence: 0.85,
      appProto: 'dns',
      evidence: [
        {
          name: 'distinct_names',
          value: distinct,
          unit: 'names',
          text: `${distinct} different names of ${Math.round(bytes / queries)} bytes on average below ${domain}`,
        },
        { name: 'domain', value: domain },
        { name: 'name_bytes', value: Math.round(bytes), unit: 'bytes' },
        { name: 'threshold', value: options.names, unit: 'names' },
      ],
      metadata: { domain: [domain] },
      packetUs: p.tsUs,
      packetNumber: p.number,
    });
  }

  private onMissing(p: DecodedPacket, flows: FlowColumns, slot: number): void {
    const { question: q, options } = this;
    const source = this.sources.ofFlow(flows, slot, p.tsUs);
    if (this.missingCounts.roll(source, p.tsUs)) this.missing.clear(source);
    if (!this.missing.add(source, q.domain)) return;
    this.missingCounts.add(source, NAME_BYTES, q.labelBytes, p.tsUs);
    this.missingCounts.add(source, QUERIES, 1, p.tsUs);
    const domains = this.missing.count(source);
    if (domains < options.dgaDomains || !this.dgaLimit.isDue(source, p.tsUs)) return;
    const seen = this.missingCounts.value(source, QUERIES, p.tsUs);
    const mean = this.missingCounts.value(source, NAME_BYTES, p.tsUs) / Math.max(1, seen);
    if (mean < options.dgaMeanBytes) return;
    this.dgaLimit.mark(source, p.tsUs);
    const ends = endpointsOf(flows, slot);
    this.reporter.report({
      ...ends,
      entry: BEHAVIOURS.dga,
      offender: ends.srcIp,
      spoofable: this.sources.isSpoofable(source),
      score: scoreOf(domains, options.dgaDomains),
      confidence: 0.7,
      appProto: 'dns',
      evidence: [
        {
          name: 'missing_domains',
          value: domains,
          unit: 'domains',
          text: `${domains} different domains that do not exist, with names of ${mean.toFixed(1)} bytes on average`,
        },
        { name: 'example', value: this.domainText(p) },
      ],
      packetUs: p.tsUs,
      packetNumber: p.number,
    });
  }

  /** Walks the first question's labels. @returns false when it is no proper name. */
  private readQuestion(p: DecodedPacket): boolean {
    const { data } = p;
    const end = p.payloadOffset + p.payloadLen;
    const start = p.payloadOffset + DNS_HEADER;
    let at = start;
    let n = 0;
    let longest = 0;
    while (at < end && data[at] !== 0) {
      const length = data[at]!;
      if (length > 63 || at + 1 + length > end || n >= this.labels.length) return false;
      this.labels[n++] = at;
      if (length > longest) longest = length;
      at += length + 1;
    }
    if (at >= end || n < 2) return false;
    const tld = this.labels[n - 1]!;
    const second = this.labels[n - 2]!;
    const underSuffix = data[tld] === 2 && data[second]! <= MAX_SUFFIX_LABEL && n > 2;
    const domainAt = underSuffix ? this.labels[n - 3]! : second;
    const q = this.question;
    q.isArpa = data[tld] === 4 && (data[tld + 1]! | 32) === 0x61 && (data[tld + 2]! | 32) === 0x72;
    q.domain = mix32(fnv1aLower(data, domainAt, at));
    q.sub = fnv1aLower(data, start, domainAt);
    q.subBytes = Math.max(0, domainAt - start - 1);
    q.labelBytes = data[domainAt]!;
    q.longestLabel = longest;
    this.domainAt = domainAt;
    return true;
  }

  private domainText(p: DecodedPacket): string {
    const words: string[] = [];
    for (let at = this.domainAt; p.data[at] !== 0; at += p.data[at]! + 1) {
      const label = p.data.subarray(at + 1, at + 1 + p.data[at]!);
      words.push(String.fromCharCode(...label).replaceAll(/[^\w-]/g, '?'));
    }
    return words.join('.').toLowerCase();
  }
}

/** FNV-1a without regard to case: resolvers mix the case of names on purpose. */
function fnv1aLower(data: Uint8Array, at: number, end: number): number {
  let h = 0x811c9dc5;
  for (let i = at; i < end; i++) {
    const byte = data[i]!;
    h = Math.imul(h ^ (byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte), 0x01000193);
  }
  return h >>> 0;
}
