import type { FlowColumns } from '../../domain/flow.js';
import type { DecodedPacket } from '../../domain/packet.js';
import { formatCidr, maskIp, parseIp } from '../../util/ip.js';
import { AddressTable } from './address-table.js';
import type { Baselines } from './baselines.js';
import { BEHAVIOURS } from './catalogue.js';
import { hashAt } from './contacts.js';
import { DistinctSets } from './distinct-sets.js';
import { HomeNetworks } from './home-networks.js';
import { SERVICE_NAMES } from './login-service.js';
import type { BehaviourOptions } from './options.js';
import { endpointsOf, scoreOf, type Finding, type Limiter, type Reporter } from './reporter.js';
import { SlidingCounts } from './sliding-counts.js';
import type { Sources } from './sources.js';

/** Minutes for which each distinct member has an entry outlive others in its table, and the most of them. */
const KEPT_MINUTES = 8;
const KEPT_MINUTES_MOST = 240;

/** A refused login: who, at which service, and how many attempts it was. */
export interface Refusal {
  source: number;
  service: number;
  attempts: number;
  /** Hash of user and password as far as they were read; 0 when not. */
  login: number;
}

/** Refused logins that were added up: at which thresholds, how many, and by how many distinct sources or logins. */
interface Found {
  refusal: Refusal;
  window: Window;
  count: number;
  members: number;
}

/**
 * Refused logins by target and by network of the sources, within minutes and within hours, so that many sources that each
 * try a few times add up; and by source within hours, for whoever takes his time. What was told of the minutes does not
 * count for the hours.
 */
export class LoginGroups {
  private readonly sources: Sources;
  private readonly baselines: Baselines | undefined;
  private readonly reporter: Reporter;
  private readonly home: HomeNetworks;
  private readonly targets: Group;
  private readonly networks: Group;
  private readonly guessers: Group;

  constructor(options: BehaviourOptions, sources: Sources, reporter: Reporter, baselines?: Baselines) {
    this.sources = sources;
    this.baselines = baselines;
    this.reporter = reporter;
    this.home = new HomeNetworks(options.homeNetworks);
    const o = options.bruteForce;
    this.targets = new Group(options.maxTargets, reporter, [
      { secs: o.windowSecs, failures: o.distributedFailures, members: o.distributedSources },
      { secs: o.slowWindowSecs, failures: o.slowDistributedFailures, members: o.slowDistributedSources },
    ]);
    this.networks = new Group(options.maxNetworks, reporter, [
      { secs: o.windowSecs, failures: o.networkFailures, members: o.networkSources },
      { secs: o.slowWindowSecs, failures: o.slowNetworkFailures, members: o.networkSources },
    ]);
    this.guessers = new Group(options.maxNetworks, reporter, [
      { secs: o.slowWindowSecs, failures: o.slowFailures, members: o.slowLogins },
    ]);
  }

  /** @param isKnown the source is reported by itself: that explains its network, and its hours. */
  count(p: DecodedPacket, flows: FlowColumns, slot: number, refusal: Refusal, isKnown: boolean): void {
    const { targets, networks } = this;
    const member = hashAt(flows.srcAddr, slot);
    const target = targets.entryOf(flows.dstAddr, slot, p.tsUs);
    // Inside are offices, whose users mistype on Monday mornings: over hours that adds up to much.
    const isInside = this.home.contains(flows.ipVersion[slot]!, flows.srcAddr, slot);
    const atTarget = targets.add(target, refusal, member, p.tsUs, isInside ? 1 : 2);
    if (atTarget) this.reportTarget(p, flows, slot, atTarget);
    if (isKnown) return;
    this.countGuesser(p, flows, slot, refusal);
    if (isInside) return;
    const network = networks.networkOf(flows, slot, p.tsUs);
    const ofNetwork = networks.add(network, refusal, member, p.tsUs);
    if (ofNetwork) this.reportNetwork(p, flows, slot, ofNetwork);
  }

  /** One source over hours. A program with an old password tries one login; where that cannot be read, nobody is blocked. */
  private countGuesser(p: DecodedPacket, flows: FlowColumns, slot: number, refusal: Refusal): void {
    const { guessers } = this;
    const guesser = guessers.entryOf(flows.srcAddr, slot, p.tsUs);
    const isRead = refusal.login !== 0;
    // Without a look at the login each refusal may have been another.
    const member = isRead ? refusal.login : Math.round(p.tsUs / 1e6) | 0;
    const found = guessers.add(guesser, refusal, member, p.tsUs);
    if (!found || this.baselines?.isUsual(flows, slot) === true) return;
    this.report(p, flows, slot, found, {
      entry: BEHAVIOURS.slowBruteForce,
      label: `${SERVICE_NAMES[refusal.service]!}_brute_force`,
      confidence: isRead ? 0.85 : 0.6,
      by: (ends) => `to ${ends.dstIp} and others`,
      ...(isRead ? {} : { noBlock: true }),
    });
  }

  private reportTarget(p: DecodedPacket, flows: FlowColumns, slot: number, found: Found): void {
    this.report(p, flows, slot, found, {
      entry: BEHAVIOURS.distributedBruteForce,
      confidence: 0.8,
      noBlock: true,
      by: (ends) => `on ${ends.dstIp} from ${found.members} sources`,
      metadata: { scope: ['target'] },
    });
  }

  private reportNetwork(p: DecodedPacket, flows: FlowColumns, slot: number, found: Found): void {
    const ip = parseIp(endpointsOf(flows, slot).srcIp)!;
    const prefix = formatCidr(maskIp(ip, ip.version === 4 ? 24 : 64));
    this.report(p, flows, slot, found, {
      entry: BEHAVIOURS.networkBruteForce,
      confidence: 0.85,
      offender: prefix,
      by: () => `by ${found.members} sources of ${prefix}, none of which reached the threshold alone,`,
      metadata: { network: [prefix] },
    });
  }

  private report(p: DecodedPacket, flows: FlowColumns, slot: number, found: Found, what: Told): void {
    const ends = endpointsOf(flows, slot);
    const { refusal, window, members } = found;
    const { entry, by, metadata, ...rest } = what;
    const count = Math.round(found.count);
    const name = SERVICE_NAMES[refusal.service]!;
    this.reporter.report({
      ...ends,
      entry,
      title: `${entry.title} (${name.toUpperCase()})`,
      offender: ends.srcIp,
      ...(entry === BEHAVIOURS.networkBruteForce ? {} : { victim: ends.dstIp }),
      spoofable: this.sources.isSpoofable(refusal.source),
      score: scoreOf(count, window.failures),
      appProto: name,
      ...rest,
      evidence: [
        {
          name: 'failed_logins',
          value: count,
          unit: 'logins',
          text: `${count} failed ${name} logins ${by(ends)} within ${window.secs} s`,
        },
        ...(entry === BEHAVIOURS.slowBruteForce ? [] : [{ name: 'distinct_sources', value: members, unit: 'hosts' }]),
        { name: 'threshold', value: window.failures, unit: 'logins' },
      ],
      metadata: { service: [name], ...metadata },
      packetUs: p.tsUs,
      packetNumber: p.number,
    });
  }
}

/** How a group's finding is told; the rest is common to all. */
type Told = Pick<Finding, 'entry' | 'confidence'> &
  Partial<Pick<Finding, 'offender' | 'noBlock' | 'metadata' | 'label'>> & {
    by: (ends: ReturnType<typeof endpointsOf>) => string;
  };

/** Thresholds over one time: failed logins and distinct members. */
interface Window {
  secs: number;
  failures: number;
  members: number;
}

/** Refused logins of one kind of group by service, and its distinct members, over one or several times. */
class Group {
  private readonly table: AddressTable;
  private readonly limit: Limiter;
  private readonly windows: readonly { window: Window; failures: SlidingCounts; members: DistinctSets }[];

  /** @param windows shortest first. */
  constructor(capacity: number, reporter: Reporter, windows: readonly Window[]) {
    this.table = new AddressTable(capacity);
    this.limit = reporter.limiter(this.table);
    this.windows = windows.map((window) => ({
      window,
      failures: new SlidingCounts(this.table, SERVICE_NAMES.length, window.secs),
      members: new DistinctSets(this.table.capacity),
    }));
  }

  entryOf(words: Uint32Array, slot: number, nowUs: number): number {
    return this.table.acquireAt(words, slot, nowUs);
  }

  /** Entry of the /24 or /64 of a flow's source. */
  networkOf(flows: FlowColumns, slot: number, nowUs: number): number {
    const a = 4 * slot;
    const s = flows.srcAddr;
    return flows.ipVersion[slot] === 6
      ? this.table.acquire(s[a]!, s[a + 1]!, 0, 0, nowUs)
      : this.table.acquire(0, 0, 0, (s[a + 3]! & 0xffffff00) >>> 0, nowUs);
  }

  /** @param windows how many of them count it. @returns what is to be told, if anything. */
  add(entry: number, refusal: Refusal, member: number, nowUs: number, windows = 2): Found | undefined {
    for (const { window, failures, members } of this.windows.slice(0, windows)) {
      if (failures.roll(entry, nowUs)) members.clear(entry);
      members.add(entry, member);
      const count = failures.add(entry, refusal.service, refusal.attempts, nowUs);
      const distinct = members.count(entry);
      // Whoever guesses for hours is to stay in the table between two tries.
      this.table.raise(entry, Math.min(KEPT_MINUTES_MOST, KEPT_MINUTES * distinct));
      if (!this.limit.isDue(entry, nowUs)) return undefined;
      if (count < window.failures || distinct < window.members) continue;
      this.limit.mark(entry, nowUs);
      return { refusal, window, count, members: distinct };
    }
    return undefined;
  }
}
