import { PROTO } from '../../domain/packet.js';
import type { Baselines } from './baselines.js';
import { BEHAVIOURS } from './catalogue.js';
import { INSIDE, type Detector, type FlowMoment } from './detector.js';
import { DistinctSets } from './distinct-sets.js';
import { HomeNetworks } from './home-networks.js';
import type { BehaviourOptions } from './options.js';
import { endpointsOf, scoreOf, type Limiter, type Reporter } from './reporter.js';
import { SlidingCounts } from './sliding-counts.js';
import type { Sources } from './sources.js';

const BOTH_INSIDE = INSIDE.SOURCE | INSIDE.DESTINATION;
/** Services by which one host takes over another: SSH, Telnet, RPC, SMB, RDP, VNC, WinRM. */
const ADMIN_PORTS = new Set([22, 23, 135, 139, 445, 3389, 5900, 5985, 5986]);

/**
 * Lateral movement: one inside host talks, with data both ways, to the remote-administration services of many inside
 * hosts within a window. Administrators' stations do the same: list them in `exempt`.
 */
export class LateralDetector implements Detector {
  readonly name = 'lateral_movement';
  private readonly options: BehaviourOptions['lateral'];
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
    this.exempt = new HomeNetworks(options.lateral.exempt);
    this.sources = sources;
    this.reporter = reporter;
    this.counts = new SlidingCounts(sources.table, 1, options.lateral.windowSecs);
    this.hosts = new DistinctSets(sources.table.capacity);
    this.limit = reporter.limiter(sources.table);
  }

  onProductive(at: FlowMoment): void {
    const { flows, slot, nowUs, packet } = at;
    if (packet?.proto !== PROTO.TCP || at.inside !== BOTH_INSIDE) return;
    if (!ADMIN_PORTS.has(at.direction === 0 ? packet.dstPort : packet.srcPort)) return;
    if (this.exempt.contains(flows.ipVersion[slot]!, flows.srcAddr, slot)) return;
    if (this.baselines?.isUsual(flows, slot) === true) return;
    const source = this.sources.ofMoment(at);
    if (this.counts.roll(source, nowUs)) this.hosts.clear(source);
    this.counts.addRolled(source, 0, 1, nowUs);
    if (!this.hosts.add(source, at.dst)) return;
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
}
