import type { FlowColumns } from '../../domain/flow.js';
import type { DecodedPacket } from '../../domain/packet.js';
import { formatCidr, maskIp, parseIp } from '../../util/ip.js';
import { AddressTable, hashWords } from './address-table.js';
import { BEHAVIOURS } from './catalogue.js';
import { DistinctSets } from './distinct-sets.js';
import { HomeNetworks } from './home-networks.js';
import { SERVICE_NAMES } from './login-service.js';
import type { BehaviourOptions } from './options.js';
import { endpointsOf, scoreOf, type Limiter, type Reporter } from './reporter.js';
import { SlidingCounts } from './sliding-counts.js';
import type { Sources } from './sources.js';

/** A refused login: who, at which service, and how many attempts it was. */
export interface Refusal {
  source: number;
  service: number;
  attempts: number;
}

/** Refused logins by target and by network of the sources, so that many sources that each try a few times add up. */
export class LoginGroups {
  private readonly options: BehaviourOptions['bruteForce'];
  private readonly sources: Sources;
  private readonly reporter: Reporter;
  private readonly home: HomeNetworks;
  private readonly targets: Group;
  private readonly networks: Group;

  constructor(options: BehaviourOptions, sources: Sources, reporter: Reporter) {
    this.options = options.bruteForce;
    this.sources = sources;
    this.reporter = reporter;
    this.home = new HomeNetworks(options.homeNetworks);
    const { windowSecs } = options.bruteForce;
    this.targets = new Group(options.maxTargets, windowSecs, reporter);
    this.networks = new Group(options.maxNetworks, windowSecs, reporter);
  }

  countTarget(p: DecodedPacket, flows: FlowColumns, slot: number, refusal: Refusal): void {
    const a = 4 * slot;
    const d = flows.dstAddr;
    const { table, limit } = this.targets;
    const target = table.acquire(d[a]!, d[a + 1]!, d[a + 2]!, d[a + 3]!, p.tsUs);
    const failed = this.targets.add(target, flows, slot, refusal, p.tsUs);
    const senders = this.targets.members.count(target);
    const { distributedFailures, distributedSources } = this.options;
    if (failed < distributedFailures || senders < distributedSources || !limit.isDue(target, p.tsUs)) return;
    limit.mark(target, p.tsUs);
    this.reportTarget(p, flows, slot, { refusal, count: Math.round(failed), senders });
  }

  /** Networks outside, /24 or /64: inside ones are offices, whose users mistype on Monday mornings. */
  countNetwork(p: DecodedPacket, flows: FlowColumns, slot: number, refusal: Refusal): void {
    const version = flows.ipVersion[slot]!;
    if (this.home.contains(version, flows.srcAddr, slot)) return;
    const a = 4 * slot;
    const s = flows.srcAddr;
    const { table, limit } = this.networks;
    const network =
      version === 6
        ? table.acquire(s[a]!, s[a + 1]!, 0, 0, p.tsUs)
        : table.acquire(0, 0, 0, (s[a + 3]! & 0xffffff00) >>> 0, p.tsUs);
    const failed = this.networks.add(network, flows, slot, refusal, p.tsUs);
    const senders = this.networks.members.count(network);
    const { networkFailures, networkSources } = this.options;
    if (failed < networkFailures || senders < networkSources || !limit.isDue(network, p.tsUs)) return;
    limit.mark(network, p.tsUs);
    this.reportNetwork(p, flows, slot, { refusal, count: Math.round(failed), senders });
  }

  private reportTarget(
    p: DecodedPacket,
    flows: FlowColumns,
    slot: number,
    found: { refusal: Refusal; count: number; senders: number },
  ): void {
    const ends = endpointsOf(flows, slot);
    const { count, senders } = found;
    const name = SERVICE_NAMES[found.refusal.service]!;
    this.reporter.report({
      ...ends,
      entry: BEHAVIOURS.distributedBruteForce,
      title: `${BEHAVIOURS.distributedBruteForce.title} (${name.toUpperCase()})`,
      offender: ends.srcIp,
      victim: ends.dstIp,
      spoofable: this.sources.isSpoofable(found.refusal.source),
      score: scoreOf(count, this.options.distributedFailures),
      confidence: 0.8,
      noBlock: true,
      appProto: name,
      evidence: [
        {
          name: 'failed_logins',
          value: count,
          unit: 'logins',
          text: `${count} failed ${name} logins on ${ends.dstIp} from ${senders} sources`,
        },
        { name: 'distinct_sources', value: senders, unit: 'hosts' },
      ],
      metadata: { service: [name], scope: ['target'] },
      packetUs: p.tsUs,
      packetNumber: p.number,
    });
  }

  private reportNetwork(
    p: DecodedPacket,
    flows: FlowColumns,
    slot: number,
    found: { refusal: Refusal; count: number; senders: number },
  ): void {
    const ends = endpointsOf(flows, slot);
    const ip = parseIp(ends.srcIp)!;
    const prefix = formatCidr(maskIp(ip, ip.version === 4 ? 24 : 64));
    const { count, senders } = found;
    const { networkFailures, windowSecs } = this.options;
    const name = SERVICE_NAMES[found.refusal.service]!;
    this.reporter.report({
      ...ends,
      entry: BEHAVIOURS.networkBruteForce,
      title: `${BEHAVIOURS.networkBruteForce.title} (${name.toUpperCase()})`,
      offender: prefix,
      spoofable: this.sources.isSpoofable(found.refusal.source),
      score: scoreOf(count, networkFailures),
      confidence: 0.85,
      appProto: name,
      evidence: [
        {
          name: 'failed_logins',
          value: count,
          unit: 'logins',
          text: `${count} failed ${name} logins by ${senders} sources of ${prefix} within ${windowSecs} s, none of which reached the threshold alone`,
        },
        { name: 'distinct_sources', value: senders, unit: 'hosts' },
        { name: 'threshold', value: networkFailures, unit: 'logins' },
      ],
      metadata: { service: [name], network: [prefix] },
      packetUs: p.tsUs,
      packetNumber: p.number,
    });
  }
}

/** Refused logins of one kind of group by service, and its distinct sources. */
class Group {
  readonly table: AddressTable;
  readonly members: DistinctSets;
  readonly limit: Limiter;
  private readonly failures: SlidingCounts;

  constructor(capacity: number, windowSecs: number, reporter: Reporter) {
    this.table = new AddressTable(capacity);
    this.members = new DistinctSets(this.table.capacity);
    this.failures = new SlidingCounts(this.table, SERVICE_NAMES.length, windowSecs);
    this.limit = reporter.limiter(this.table);
  }

  /** @returns refused logins of the entry at the service within the window. */
  add(entry: number, flows: FlowColumns, slot: number, refusal: Refusal, nowUs: number): number {
    const a = 4 * slot;
    const s = flows.srcAddr;
    if (this.failures.roll(entry, nowUs)) this.members.clear(entry);
    this.members.add(entry, hashWords(s[a]!, s[a + 1]!, s[a + 2]!, s[a + 3]!));
    return this.failures.add(entry, refusal.service, refusal.attempts, nowUs);
  }
}
