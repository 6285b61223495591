import type { FlowColumns } from '../../domain/flow.js';
import { PROTO } from '../../domain/packet.js';
import type { Baselines } from './baselines.js';
import { BEHAVIOURS } from './catalogue.js';
import { hashAt } from './contacts.js';
import type { Detector, FlowMoment } from './detector.js';
import { DistinctSets } from './distinct-sets.js';
import { HomeNetworks } from './home-networks.js';
import type { BehaviourOptions } from './options.js';
import { endpointsOf, scoreOf, type Limiter, type Reporter } from './reporter.js';
import { SlidingCounts } from './sliding-counts.js';
import type { Sources } from './sources.js';

/** Services by which one host takes over another: SSH, Telnet, RPC, SMB, RDP, VNC, WinRM. */
const ADMIN_PORTS = new Set([22, 23, 135, 139, 445, 3389, 5900, 5985, 5986]);

/**
 * Lateral movement: one inside host talks, with data both ways, to the remote-administration services of many inside
 * hosts within a window. Administrators' stations do the same: list them in `exempt`.
 */
export class LateralDetector implements Detector {
  readonly name = 'lateral_movement';
  private readonly options: BehaviourOptions['lateral'];
  private readonly home: HomeNetworks;
  private readonly exempt: HomeNetworks;
  private readonly sources: Sources;
  private readonly baselines: Baselines | undefined;
  private readonly reporter: Reporter;
  private readonly counts: SlidingCounts;
  private readonly hosts: DistinctSets;
  private readonly limit: Limiter;

  constructor(options: BehaviourOptions, sources: Sources, reporter: Reporter, baselines?: Baselines) {
    this.baselines = baselines;
    this.options = options.lateral;
    this.home = new HomeNetworks(options.homeNetworks);
    this.exempt = new HomeNetworks(options.lateral.exempt);
    this.sources = sources;
    this.reporter = reporter;
    this.counts = new SlidingCounts(sources.table, 1, options.lateral.windowSecs);
    this.hosts = new DistinctSets(sources.table.capacity);
    this.limit = reporter.limiter(sources.table);
  }

  onProductive(at: FlowMoment): void {
    const { flows, slot, nowUs, packet } = at;
    if (packet?.proto !== PROTO.TCP) return;
    if (!ADMIN_PORTS.has(at.direction === 0 ? packet.dstPort : packet.srcPort) || !this.isInside(flows, slot)) return;
    if (this.baselines?.isUsual(flows, slot) === true) return;
    const source = this.sources.ofFlow(flows, slot, nowUs);
    if (this.counts.roll(source, nowUs)) this.hosts.clear(source);
    this.counts.add(source, 0, 1, nowUs);
    if (!this.hosts.add(source, hashAt(flows.dstAddr, slot))) return;
    const hosts = this.hosts.count(source);
    if (hosts < this.options.hosts || !this.limit.isDue(source, nowUs)) return;
    this.limit.mark(source, nowUs);
    this.baselines?.suspect(flows, slot, nowUs);
    const ends = endpointsOf(flows, slot);
    this.reporter.report({
      ...ends,
      entry: BEHAVIOURS.lateralMovement,
      offender: ends.srcIp,
      spoofable: this.sources.isSpoofable(source),
      score: scoreOf(hosts, this.options.hosts),
      confidence: 0.6,
      evidence: [
        {
          name: 'distinct_hosts',
          value: hosts,
          unit: 'hosts',
          text: `remote administration of ${hosts} inside hosts within ${this.options.windowSecs} s`,
        },
        { name: 'threshold', value: this.options.hosts, unit: 'hosts' },
      ],
      packetUs: at.packetUs,
      packetNumber: at.packetNumber,
    });
  }

  private isInside(flows: FlowColumns, slot: number): boolean {
    const version = flows.ipVersion[slot]!;
    return (
      this.home.contains(version, flows.srcAddr, slot) &&
      this.home.contains(version, flows.dstAddr, slot) &&
      !this.exempt.contains(version, flows.srcAddr, slot)
    );
  }
}
