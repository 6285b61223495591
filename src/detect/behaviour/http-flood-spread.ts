import type { EvidenceItem } from '../../domain/detection.js';
import type { FlowColumns } from '../../domain/flow.js';
import type { DecodedPacket } from '../../domain/packet.js';
import { AddressTable, hashWords, mix32 } from './address-table.js';
import type { Baselines } from './baselines.js';
import { BEHAVIOURS } from './catalogue.js';
import { DistinctSets } from './distinct-sets.js';
import { Majority } from './majority.js';
import type { BehaviourOptions } from './options.js';
import { endpointsOf, scoreOf, type Limiter, type Reporter } from './reporter.js';
import { SlidingCounts } from './sliding-counts.js';
import { Visitors } from './visitors.js';

/** Counters of a server: what it was asked, how much of that was read, and what of it repeating sources asked. */
const ALL = 0;
const READ = 1;
const REPEATED = 2;
/** A server is looked at when it gets this share of what a flood has, about. */
const BUSY_SHARE = 2;
/** Counts by hash of the server: so few that they stay near, and enough that two busy servers seldom share one. */
const CELLS = 4096;
/** So many requests for one URI in a window make a source one that repeats itself... */
const REPEATS = 5;
/** ...and so many a second one that no person and no poller is. */
const HASTY_PER_SEC = 3;
/** Nobody knows what is asked over TLS, and browsers open several connections: so many of them count as one request. */
export const TLS_SHARE = 4;
/** Hash that stands for whatever is asked over TLS. */
const UNREAD = 1;
/** What was usual is half forgotten after a day. */
const HALF_LIFE_US = 86_400e6;

/** A request or connection, and what its source has done in its window; reused. */
export interface Asking {
  /** Entry of the source. */
  source: number;
  /** Hash of what is asked for; undefined over TLS. */
  uri: number | undefined;
  /** What its most frequent request is ahead of all others by; over TLS its connections, weighted. */
  votes: number;
  /** Seconds since the window began. */
  secs: number;
}

/**
 * HTTP floods that no source has enough of: many sources ask one server for one thing over and over. Visitors on a busy day
 * ask for a page and what belongs to it, once. Once a server is known, it must also be asked far more than usual, and most
 * sources must be new there: users whose application tries again and again are known. Told once a server; blocks nobody.
 */
export class HttpSpreadFloods {
  private readonly options: BehaviourOptions['httpFlood'];
  private readonly reporter: Reporter;
  private readonly baselines: Baselines | undefined;
  private readonly targets: AddressTable;
  private readonly counts: SlidingCounts;
  private readonly senders: DistinctSets;
  /** Those of the senders who were there earlier. */
  private readonly regulars: DistinctSets;
  private readonly paths: Majority;
  private readonly limit: Limiter;
  private readonly visitors: Visitors;
  private readonly credited: SlidingCounts;
  /** Requests of a window by hash of the server, in units of 1 / TLS_SHARE: servers that are asked little have no entry. */
  private readonly cells = new Uint32Array(CELLS);
  private readonly busy: number;
  private cellsUntilUs = 0;
  /** By server: when it was first busy, its busiest window, when the latest began, the latest flood. */
  private readonly firstUs: Float64Array;
  private readonly usual: Float64Array;
  /** The window before the present one, which is learned when no flood comes of it. */
  private readonly latest: Float64Array;
  private readonly learnedUs: Float64Array;
  private readonly floodUs: Float64Array;
  /** Most requests of a source in a window that count: one that has more is a flood of its own, or a test. */
  private readonly most: number;

  constructor(options: BehaviourOptions, table: AddressTable, reporter: Reporter, baselines?: Baselines) {
    this.options = options.httpFlood;
    const { windowSecs, learnSecs, targetRequests, targetSources } = this.options;
    this.reporter = reporter;
    this.baselines = baselines;
    this.targets = new AddressTable(options.maxTargets);
    const n = this.targets.capacity;
    this.counts = new SlidingCounts(this.targets, 3, windowSecs);
    this.senders = new DistinctSets(n);
    this.regulars = new DistinctSets(n);
    this.paths = new Majority(n);
    this.limit = reporter.limiter(this.targets);
    this.visitors = new Visitors(learnSecs);
    this.credited = new SlidingCounts(table, 1, windowSecs);
    this.firstUs = new Float64Array(n);
    this.usual = new Float64Array(n);
    this.latest = new Float64Array(n);
    this.learnedUs = new Float64Array(n);
    this.floodUs = new Float64Array(n);
    this.busy = Math.ceil((targetRequests * TLS_SHARE) / BUSY_SHARE);
    this.most = Math.max(REPEATS, Math.ceil(targetRequests / targetSources));
  }

  /**
   * Counts a request or connection by its server.
   * @param units how many times 1 / TLS_SHARE of a request it is.
   * @returns the server's entry when it is asked so much that its requests are to be read, else -1.
   */
  count(p: DecodedPacket, units: number): number {
    // The address is not read back: the port has a place of its own only in IPv4.
    const isV4 = p.ipVersion === 4;
    const w0 = isV4 ? 0 : p.dst0 ^ p.dstPort;
    const w2 = isV4 ? p.dstPort | 0x10000 : p.dst2 | 0;
    const tag = hashWords(w0, p.dst1 | 0, w2, p.dst3 | 0);
    if (p.tsUs >= this.cellsUntilUs) this.turnCells(p.tsUs);
    const asked = (this.cells[tag & (CELLS - 1)]! += units);
    if (asked < this.busy) {
      this.visitors.note(pairOf(p, tag), p.tsUs);
      return -1;
    }
    const target = this.targets.acquireTagged(tag, w0, p.dst1 | 0, w2, p.dst3 | 0, p.tsUs);
    const isNew = this.targets.inserted;
    const before = this.counts.present(target, ALL);
    const isLater = this.counts.roll(target, p.tsUs);
    if (isNew) this.begin(target, p.tsUs);
    else if (isLater) this.onWindow(target, before, p.tsUs);
    this.counts.addRolled(target, ALL, units / TLS_SHARE, p.tsUs);
    if (!this.isFlooded(target, p.tsUs)) this.visitors.note(pairOf(p, tag), p.tsUs);
    return target;
  }

  /** Who is twice as busy as needed is so from the next window's beginning. */
  private turnCells(nowUs: number): void {
    const { cells, busy } = this;
    for (let i = 0; i < CELLS; i++) cells[i] = cells[i]! >= 2 * busy ? busy : 0;
    this.cellsUntilUs = nowUs + this.options.windowSecs * 1e6;
  }

  private begin(target: number, nowUs: number): void {
    this.firstUs[target] = nowUs;
    this.usual[target] = 0;
    this.latest[target] = 0;
    this.floodUs[target] = -Infinity;
    this.startWindow(target, nowUs);
  }

  /** @param before requests of the window that is over. */
  private onWindow(target: number, before: number, nowUs: number): void {
    const sinceUs = this.learnedUs[target]!;
    const kept = this.usual[target]! * 2 ** ((sinceUs - nowUs) / HALF_LIFE_US);
    const isFlooded = this.isFlooded(target, sinceUs);
    this.usual[target] = isFlooded ? kept : Math.max(kept, this.latest[target]!);
    this.latest[target] = isFlooded ? 0 : before;
    this.startWindow(target, nowUs);
  }

  private startWindow(target: number, nowUs: number): void {
    this.learnedUs[target] = nowUs;
    this.senders.clear(target);
    this.regulars.clear(target);
    this.paths.clear(target);
  }

  private isFlooded(target: number, nowUs: number): boolean {
    return nowUs - this.floodUs[target]! < 2e6 * this.options.windowSecs;
  }

  private isLearned(target: number, nowUs: number): boolean {
    return nowUs - this.firstUs[target]! >= this.options.learnSecs * 1e6;
  }

  /** A request to a server that is asked much. */
  onBusy(target: number, by: Asking, p: DecodedPacket, flows: FlowColumns, slot: number): void {
    const { counts, options } = this;
    this.paths.add(target, by.uri ?? UNREAD);
    counts.addRolled(target, READ, 1, p.tsUs);
    if (by.votes < REPEATS) return;
    const isHasty = by.votes >= HASTY_PER_SEC * Math.max(1, by.secs);
    if (!isHasty && !this.isLearned(target, p.tsUs)) return;
    this.credited.roll(by.source, p.tsUs);
    const more = Math.min(by.votes, this.most) - this.credited.present(by.source, 0);
    if (more <= 0 || this.baselines?.isUsual(flows, slot) === true) return;
    this.credited.addRolled(by.source, 0, more, p.tsUs);
    const repeated = counts.addRolled(target, REPEATED, more, p.tsUs);
    const { targets } = this;
    const word = (w: number): number => targets.word(target, w) | 0;
    const pair = pairOf(p, hashWords(word(0), word(1), word(2), word(3)));
    this.senders.add(target, pair);
    if (this.visitors.isKnown(pair)) this.regulars.add(target, pair);
    if (repeated < options.targetRequests || this.senders.count(target) < options.targetSources) return;
    if (this.paths.votes(target) * 2 < counts.present(target, READ) || !this.isUnusual(target, p.tsUs)) return;
    // The flood's own sources shall not be known when it comes again.
    if (!this.isFlooded(target, p.tsUs)) this.visitors.forgetPresent();
    this.floodUs[target] = p.tsUs;
    if (this.limit.isDue(target, p.tsUs)) this.report(target, p, flows, slot, by.uri === undefined);
  }

  /** As long as a server is not known, whatever floods it is unusual. What was a flood a moment ago still is. */
  private isUnusual(target: number, nowUs: number): boolean {
    if (!this.isLearned(target, nowUs) || this.isFlooded(target, nowUs)) return true;
    const all = this.counts.value(target, ALL, nowUs);
    if (all < this.usual[target]! * this.options.usualFactor) return false;
    return this.regulars.count(target) * 2 <= this.senders.count(target);
  }

  private report(target: number, p: DecodedPacket, flows: FlowColumns, slot: number, isTls: boolean): void {
    const { options, counts } = this;
    this.limit.mark(target, p.tsUs);
    const ends = endpointsOf(flows, slot);
    const weight = isTls ? TLS_SHARE : 1;
    const n = Math.round(counts.value(target, ALL, p.tsUs) * weight);
    const sources = this.senders.count(target);
    const what = isTls ? 'TLS connections' : 'requests';
    const share = Math.floor((100 * this.paths.votes(target)) / counts.present(target, READ));
    const newcomers = sources - Math.min(sources, this.regulars.count(target));
    const isLearned = this.isLearned(target, p.tsUs);
    const usual = Math.round(this.usual[target]! * weight);
    const habit = isLearned ? `usual: at most ${usual}` : 'what is usual is being learned';
    const evidence: EvidenceItem[] = [
      {
        name: 'requests',
        value: n,
        unit: what,
        ...(isLearned ? { usual } : {}),
        text: `${n} ${what} to ${ends.dstIp}:${ends.dstPort} within ${options.windowSecs} s, most by ${sources} sources that repeat theirs; ${habit}`,
      },
      { name: 'distinct_sources', value: sources, unit: 'hosts' },
      ...(isTls ? [] : [{ name: 'hottest_uri', value: share, unit: '%', text: `at least ${share} % for one URI` }]),
      ...(isLearned ? [{ name: 'newcomers', value: newcomers, unit: 'hosts' }] : []),
      { name: 'threshold', value: options.targetRequests * weight, unit: what },
    ];
    this.reporter.report({
      ...ends,
      entry: BEHAVIOURS.httpFloodSpread,
      offender: ends.srcIp,
      victim: ends.dstIp,
      // Requests come over finished handshakes.
      spoofable: false,
      score: scoreOf(counts.value(target, REPEATED, p.tsUs), options.targetRequests),
      confidence: isLearned ? 0.85 : 0.8,
      appProto: isTls ? 'tls' : 'http',
      evidence,
      // One of many sources is as good as none.
      noBlock: true,
      metadata: { scope: ['target'], baseline: [isLearned ? 'learned' : 'learning'] },
      packetUs: p.tsUs,
      packetNumber: p.number,
    });
  }

  stats(): Record<string, number> {
    return { http_servers_evicted: this.targets.evictions, http_visitors_cut_short: this.visitors.cutShort };
  }
}

/** Hash of a request's source and its server. */
function pairOf(p: DecodedPacket, target: number): number {
  return mix32(hashWords(p.src0 | 0, p.src1 | 0, p.src2 | 0, p.src3 | 0) ^ target);
}
