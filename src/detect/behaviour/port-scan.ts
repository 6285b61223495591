import type { EvidenceItem } from '../../domain/detection.js';
import { PROTO } from '../../domain/packet.js';
import { formatCidr, maskIp, parseIp } from '../../util/ip.js';
import { AddressTable, hashWords, mix32 } from './address-table.js';
import type { Baselines } from './baselines.js';
import { BEHAVIOURS, type BehaviourEntry } from './catalogue.js';
import { FAILURE, INSIDE, type Detector, type FlowMoment } from './detector.js';
import { DistinctSets } from './distinct-sets.js';
import type { BehaviourOptions } from './options.js';
import { ProductiveCount } from './productive-count.js';
import { isReflectorPort, REFLECTOR_NAMES } from './reflector-ports.js';
import { endpointsOf, scoreOf, type Limiter, type Reporter } from './reporter.js';
import { ScanCounter, type Probe } from './scan-counter.js';
import type { Sources } from './sources.js';
import { TECHNIQUE, TECHNIQUE_NAMES } from './technique.js';

const KINDS = TECHNIQUE_NAMES.length + 1;
/** Counted beside the techniques: SYN probes whose handshake the source completed. */
const CONNECT = TECHNIQUE_NAMES.length;

/** A scan that has become so many times as large is reported again, for its size. */
const GROWTH_WORTH_A_REPORT = 10;

const ODD_KINDS = [TECHNIQUE.NULL, TECHNIQUE.FIN, TECHNIQUE.XMAS, TECHNIQUE.ODD];

const FAST = [BEHAVIOURS.portScan, BEHAVIOURS.hostSweep] as const;
const SLOW = [BEHAVIOURS.slowPortScan, BEHAVIOURS.slowHostSweep] as const;

interface Thresholds {
  ports: number;
  hosts: number;
}

/**
 * Port scans and host sweeps by source and by source network. What counts are distinct ports and hosts whose attempts
 * failed: no answer within the answer timeout, RST, or a connection dropped without a byte. A port scan has several
 * failed ports a host, a sweep mostly failures. Packets shown twice and retries change nothing, because sets are
 * counted and a flow fails once.
 */
export class PortScanDetector implements Detector {
  readonly name = 'port_scan';
  private readonly options: BehaviourOptions['portScan'];
  private readonly sources: Sources;
  private readonly baselines: Baselines | undefined;
  private readonly reporter: Reporter;
  private readonly good: ProductiveCount;
  private readonly fast: ScanCounter;
  private readonly slow: ScanCounter;
  private readonly scanLimit: Limiter;
  private readonly sweepLimit: Limiter;
  private readonly slowLimit: Limiter;
  private readonly lastFailedUs: Float64Array;
  private readonly worthAgain: Float64Array;
  private readonly networks: AddressTable;
  private readonly networkScan: ScanCounter;
  private readonly networkSources: DistinctSets;
  private readonly networkSeen: Uint32Array;
  private readonly networkLimit: Limiter;
  /** Failed probes by technique of each source. */
  private readonly kinds: Uint16Array;
  private readonly kindsOf: Uint32Array;
  private readonly slowLimits: Thresholds;
  private readonly peerPorts: ReadonlySet<number>;
  private readonly probe: Probe = { host: 0, network: 0, port: 0, service: 0, isSilent: false, isPeer: false, atUs: 0 };

  constructor(options: BehaviourOptions, sources: Sources, reporter: Reporter, baselines?: Baselines) {
    this.baselines = baselines;
    this.options = options.portScan;
    this.peerPorts = new Set(options.portScan.peerPorts);
    this.slowLimits = { ports: options.portScan.slowPorts, hosts: options.portScan.slowHosts };
    this.sources = sources;
    this.reporter = reporter;
    this.good = new ProductiveCount(sources.table);
    this.fast = new ScanCounter(sources.table, options.portScan.windowSecs, this.good);
    this.slow = new ScanCounter(sources.table, options.portScan.slowWindowSecs, this.good);
    this.scanLimit = reporter.limiter(sources.table);
    this.sweepLimit = reporter.limiter(sources.table);
    this.slowLimit = reporter.limiter(sources.table);
    this.lastFailedUs = new Float64Array(sources.table.capacity);
    this.worthAgain = new Float64Array(sources.table.capacity).fill(Infinity);
    this.kinds = new Uint16Array(sources.table.capacity * KINDS);
    this.kindsOf = new Uint32Array(sources.table.capacity);
    this.networks = new AddressTable(options.maxNetworks);
    this.networkScan = new ScanCounter(this.networks, options.portScan.slowWindowSecs);
    this.networkSources = new DistinctSets(this.networks.capacity);
    this.networkSeen = new Uint32Array(this.networks.capacity);
    this.networkLimit = reporter.limiter(this.networks);
  }

  onProductive(at: FlowMoment): void {
    this.good.add(this.sources.ofMoment(at));
  }

  onFailed(at: FlowMoment, failure: number): void {
    const { flows, slot, nowUs } = at;
    // A monitoring system asks for the same services day by day, answered or not.
    if ((at.inside & INSIDE.SOURCE) !== 0 && this.baselines?.isUsual(flows, slot) === true) return;
    const a = 4 * slot;
    const dst = flows.dstAddr;
    const isPing = at.technique === TECHNIQUE.PING;
    this.probe.host = at.dst;
    this.probe.network =
      flows.ipVersion[slot] === 6
        ? hashWords(dst[a]! | 0, dst[a + 1]! | 0, 0, 0)
        : hashWords(0, 0, 0, dst[a + 3]! >>> 8);
    this.probe.port = isPing ? 0 : mix32(flows.dstPort[slot]! | (flows.proto[slot]! << 16));
    this.probe.service = mix32(this.probe.host ^ this.probe.port);
    this.probe.isSilent = failure === FAILURE.EMPTY;
    // Peers of long ago, on the port that file sharing uses unless told otherwise, tried from the inside.
    this.probe.isPeer = at.inside === INSIDE.SOURCE && !isPing && this.peerPorts.has(flows.dstPort[slot]!);
    this.probe.atUs = Math.max(flows.startUs[slot]!, nowUs - 1e6);
    const index = this.sources.ofMoment(at);
    this.beginAnewAfterPause(index, nowUs);
    const grew = this.fast.addFailed(index, this.probe, nowUs);
    this.countKind(index, failure === FAILURE.EMPTY && at.technique === TECHNIQUE.SYN ? CONNECT : at.technique);
    if (grew) this.judge(at, index, this.fast, this.options, FAST);
    // Whoever is known to scan need not be counted for less.
    if (!this.scanLimit.isDue(index, nowUs) || !this.slow.addFailed(index, this.probe, nowUs)) return;
    this.judge(at, index, this.slow, this.slowLimits, SLOW);
    this.addToNetwork(at, index);
  }

  /** A scan that was reported, paused and goes on is a new one, even if it asks for the same ports again. */
  private beginAnewAfterPause(index: number, nowUs: number): void {
    const pausedUs = nowUs - this.lastFailedUs[index]!;
    this.lastFailedUs[index] = nowUs;
    if (pausedUs < this.options.pauseSecs * 1e6) return;
    if (this.scanLimit.isDue(index, nowUs) && this.sweepLimit.isDue(index, nowUs)) return;
    this.scanLimit.clear(index);
    this.sweepLimit.clear(index);
    this.fast.restart(index, nowUs);
  }

  private countKind(index: number, kind: number): void {
    const table = this.sources.table;
    if (this.kindsOf[index] !== table.generation(index)) {
      this.kindsOf[index] = table.generation(index);
      this.kinds.fill(0, index * KINDS, (index + 1) * KINDS);
    }
    const i = index * KINDS + kind;
    if (this.kinds[i]! < 65_535) this.kinds[i]! += 1;
  }

  /** Failed probes with flags that no connection begins with. */
  private oddProbes(index: number): number {
    const at = index * KINDS;
    return ODD_KINDS.reduce((sum, kind) => sum + this.kinds[at + kind]!, 0);
  }

  private judge(
    at: FlowMoment,
    index: number,
    counter: ScanCounter,
    limits: Thresholds,
    entries: readonly [BehaviourEntry, BehaviourEntry],
  ): void {
    const services = counter.services(index);
    if (services > 2) this.sources.table.raise(index, 2);
    const isOdd = this.oddProbes(index) >= this.options.oddPorts;
    if (services < (isOdd ? this.options.oddPorts : Math.min(limits.ports, limits.hosts))) return;
    const isSlow = counter === this.slow;
    const hasGrown = !isSlow && services >= this.worthAgain[index]!;
    const due = (limit: Limiter): boolean =>
      hasGrown || (limit.isDue(index, at.nowUs) && !(isSlow && !this.slowLimit.isDue(index, at.nowUs)));
    if (!due(this.scanLimit)) return;
    const hosts = counter.weighedHosts(index);
    const ports = counter.weighedPorts(index);
    // Nothing innocent begins a connection with such flags: few of them are enough.
    const wantedPorts = isOdd ? Math.min(this.options.oddPorts, limits.ports) : limits.ports;
    const perHost = isOdd ? 1 : this.options.minPortsPerHost;
    if (ports >= wantedPorts && services >= counter.hosts(index) * perHost) {
      this.mark(this.scanLimit, index, services, at.nowUs);
      this.reportScan(at, index, counter, { entry: entries[0], count: ports, threshold: wantedPorts });
      return;
    }
    const wanted = this.hostsWanted(counter, index, hosts, limits.hosts);
    const isSweep = hosts - counter.peers(index) >= wanted || hosts >= this.peersWanted(counter, limits.hosts);
    if (!isSweep || !due(this.sweepLimit)) return;
    if (services / (services + counter.productive(index)) < this.options.minFailedShare) return;
    this.mark(this.sweepLimit, index, services, at.nowUs);
    this.reportScan(at, index, counter, { entry: entries[1], count: hosts, threshold: wanted });
  }

  /** Reported now; again after the re-alert interval, or when it has grown tenfold. */
  private mark(limit: Limiter, index: number, services: number, nowUs: number): void {
    limit.mark(index, nowUs);
    this.slowLimit.mark(index, nowUs);
    this.worthAgain[index] = services * GROWTH_WORTH_A_REPORT;
  }

  /**
   * Neighbours are swept, but a browser behind a closed door also fails at many hosts, all over the Internet. Peers of file
   * sharing are many more, most of them gone, day and night; each has a port of its own, which nobody sweeps.
   */
  private hostsWanted(counter: ScanCounter, index: number, hosts: number, limit: number): number {
    if (counter.networks(index) * this.options.minHostsPerNetwork <= hosts) return limit;
    const arePeers = counter.ports(index) * 4 > hosts && counter.services(index) < hosts * 3;
    return arePeers ? this.peersWanted(counter, limit) : limit * this.options.scatteredFactor;
  }

  private peersWanted(counter: ScanCounter, limit: number): number {
    return counter === this.fast ? limit * this.options.peersFactor : Infinity;
  }

  private reportScan(
    at: FlowMoment,
    index: number,
    counter: ScanCounter,
    found: { entry: BehaviourEntry; count: number; threshold: number },
  ): void {
    this.baselines?.suspect(at.flows, at.slot, at.nowUs);
    const ends = endpointsOf(at.flows, at.slot);
    const hosts = counter.hosts(index);
    const techniques = this.techniquesOf(index);
    this.reporter.report({
      ...ends,
      entry: found.entry,
      title: `${found.entry.title} (${techniques.join(', ')})`,
      offender: ends.srcIp,
      ...(hosts === 1 ? { victim: ends.dstIp } : {}),
      spoofable: this.sources.isSpoofable(index),
      score: scoreOf(found.count, found.threshold),
      confidence: 0.95,
      evidence: this.evidence(counter, index, at.nowUs, found),
      metadata: { technique: techniques, ...unaskedAnswers(at) },
      packetUs: at.packetUs,
      packetNumber: at.packetNumber,
      decidedUs: at.nowUs,
    });
  }

  private evidence(
    counter: ScanCounter,
    index: number,
    nowUs: number,
    found: { count: number; threshold: number },
  ): EvidenceItem[] {
    const ports = counter.ports(index);
    const hosts = counter.hosts(index);
    const secs = Number(counter.elapsedSecs(index, nowUs).toFixed(2));
    return [
      {
        name: 'distinct_failed_ports',
        value: ports,
        unit: 'ports',
        text: `${ports} ports on ${hosts} host${hosts === 1 ? '' : 's'} without a proper answer in ${secs} s`,
      },
      { name: 'distinct_failed_hosts', value: hosts, unit: 'hosts' },
      { name: 'failed_attempts', value: counter.failed(index), unit: 'connections' },
      { name: 'productive_connections', value: counter.productive(index), unit: 'connections' },
      { name: 'window', value: secs, unit: 's' },
      { name: 'threshold', value: found.threshold },
    ];
  }

  private techniquesOf(index: number): string[] {
    const names: string[] = [];
    for (let kind = 1; kind < KINDS; kind++) {
      if (this.kinds[index * KINDS + kind]! > 0) names.push(kind === CONNECT ? 'connect' : TECHNIQUE_NAMES[kind]!);
    }
    return names;
  }

  /** Many sources of one network that each stay below the threshold. */
  private addToNetwork(at: FlowMoment, source: number): void {
    const { flows, slot, nowUs } = at;
    const a = 4 * slot;
    const src = flows.srcAddr;
    const isV6 = flows.ipVersion[slot] === 6;
    const network = isV6
      ? this.networks.acquire(src[a]!, src[a + 1]!, 0, 0, nowUs)
      : this.networks.acquire(0, 0, 0, (src[a + 3]! & 0xffffff00) >>> 0, nowUs);
    if (this.networkSeen[network] !== this.networks.generation(network)) {
      this.networkSeen[network] = this.networks.generation(network);
      this.networkSources.clear(network);
    }
    const grew = this.networkScan.addFailed(network, this.probe, nowUs);
    const more = this.networkSources.add(network, at.src);
    if (!grew && !more) return;
    const sources = this.networkSources.count(network);
    if (sources < this.options.networkSources || !this.networkLimit.isDue(network, nowUs)) return;
    const factor = this.options.networkFactor;
    const ports = this.networkScan.ports(network);
    const hosts = this.networkScan.hosts(network);
    const services = this.networkScan.services(network);
    const isScan = ports >= this.options.slowPorts * factor && services >= hosts * this.options.minPortsPerHost;
    const wanted = this.hostsWanted(this.networkScan, network, hosts, this.options.slowHosts * factor);
    const isSweep = hosts - this.networkScan.peers(network) >= wanted;
    // A source that is reported by itself explains its network.
    if ((!isScan && !isSweep) || !this.scanLimit.isDue(source, nowUs) || !this.sweepLimit.isDue(source, nowUs)) return;
    this.networkLimit.mark(network, nowUs);
    this.reportNetwork(at, network, sources);
  }

  private reportNetwork(at: FlowMoment, network: number, sources: number): void {
    const ends = endpointsOf(at.flows, at.slot);
    const ip = parseIp(ends.srcIp)!;
    const prefix = formatCidr(maskIp(ip, ip.version === 4 ? 24 : 64));
    const ports = this.networkScan.ports(network);
    const hosts = this.networkScan.hosts(network);
    const secs = Math.round(this.networkScan.elapsedSecs(network, at.nowUs));
    this.reporter.report({
      ...ends,
      entry: BEHAVIOURS.networkScan,
      offender: prefix,
      spoofable: true,
      score: scoreOf(ports + hosts, this.options.slowPorts),
      confidence: 0.85,
      evidence: [
        {
          name: 'sources',
          value: sources,
          unit: 'hosts',
          text: `${sources} sources of ${prefix} tried ${ports} ports on ${hosts} hosts in ${secs} s in vain`,
        },
        { name: 'distinct_failed_ports', value: ports, unit: 'ports' },
        { name: 'distinct_failed_hosts', value: hosts, unit: 'hosts' },
      ],
      metadata: { network: [prefix], ...unaskedAnswers(at) },
      packetUs: at.packetUs,
      packetNumber: at.packetNumber,
      decidedUs: at.nowUs,
    });
  }

  stats(): Record<string, number> {
    return { scan_networks_evicted: this.networks.evictions };
  }
}

/** Says that the probe came from the port of a service that floods are amplified by: it may be an answer nobody asked for. */
function unaskedAnswers({ flows, slot }: FlowMoment): { unasked_answers?: string[] } {
  const port = flows.srcPort[slot]!;
  return flows.proto[slot] === PROTO.UDP && isReflectorPort(port) ? { unasked_answers: [REFLECTOR_NAMES[port]!] } : {};
}
