import type { FlowColumns } from '../../domain/flow.js';
import { PROTO } from '../../domain/packet.js';
import { AddressTable, hashWords, mix32 } from './address-table.js';
import type { Baselines } from './baselines.js';
import { BEHAVIOURS } from './catalogue.js';
import type { Detector, FlowMoment } from './detector.js';
import { FirstSights } from './first-sights.js';
import { HomeNetworks } from './home-networks.js';
import type { BehaviourOptions } from './options.js';
import { endpointsOf, scoreOf, type Limiter, type Reporter } from './reporter.js';
import type { Sources } from './sources.js';

/** Services that are polled by the clock and innocent: DNS, DHCP, NTP, SNMP, syslog, monitoring agents. */
const POLLED_PORTS = new Set([53, 67, 68, 102, 123, 161, 162, 502, 514, 853, 2404, 5353, 10050, 10051, 20000, 47808]);

/** Columns of a service's record: eight numbers, one cache line. */
const LAST_US = 0;
const LAST_PORT = 1;
const COUNT = 2;
/** Connections that came together with the one before. */
const EXTRA = 3;
const MEAN = 4;
const SQUARES = 5;
const RECORD = 8;
/** Pairs remembered by their latest connection alone. */
const SIGHTS = 32_768;

/**
 * Beacons: connections from one source to one service outside that begin at regular times, with jitter. The spread of the last
 * intervals is judged by their coefficient of variation: 0 for a clock, 0.29 for a jitter of half the interval each way,
 * 1 for a Poisson process. Of fifteen intervals the figure scatters by a tenth to both sides.
 */
export class BeaconDetector implements Detector {
  readonly name = 'beacon';
  private readonly options: BehaviourOptions['beacon'];
  private readonly home: HomeNetworks;
  private readonly sources: Sources;
  private readonly baselines: Baselines | undefined;
  private readonly reporter: Reporter;
  private readonly services: AddressTable;
  private readonly records: Float64Array;
  private readonly sights = new FirstSights(SIGHTS);
  private readonly limit: Limiter;

  constructor(options: BehaviourOptions, sources: Sources, reporter: Reporter, baselines?: Baselines) {
    this.baselines = baselines;
    this.options = options.beacon;
    this.home = new HomeNetworks(options.homeNetworks);
    this.sources = sources;
    this.reporter = reporter;
    this.services = new AddressTable(options.maxTargets);
    this.records = new Float64Array(this.services.capacity * RECORD);
    this.limit = reporter.limiter(this.services);
  }

  onProductive(at: FlowMoment): void {
    const { flows, slot } = at;
    const port = flows.dstPort[slot]!;
    if (flows.proto[slot] !== PROTO.TCP) return;
    if (POLLED_PORTS.has(port)) return;
    // Who has a host under control sits outside; inside are monitoring, health checks and backups.
    if (this.home.contains(flows.ipVersion[slot]!, flows.dstAddr, slot)) return;
    const index = this.lookup(flows, slot, at.nowUs);
    if (index < 0) return;
    const { records } = this;
    const r = index * RECORD;
    const startUs = flows.startUs[slot]!;
    const gap = (startUs - records[r + LAST_US]!) / 1e6;
    // The same port again is one long exchange that the flow table cut up.
    if (records[r + LAST_PORT] === flows.srcPort[slot]) return;
    // Connections that begin together are one visit.
    if (gap < this.options.minIntervalSecs) {
      records[r + EXTRA]! += 1;
      return;
    }
    const first = records[r + LAST_US] === 0;
    records[r + LAST_US] = startUs;
    records[r + LAST_PORT] = flows.srcPort[slot]!;
    if (first) return;
    this.addGap(r, gap);
    const count = records[r + COUNT]!;
    const mean = records[r + MEAN]!;
    if (count < this.options.intervals || mean < this.options.minMeanSecs) return;
    // A beacon is one connection a beat; visits of several are a client with a pause, as after a timeout.
    if (records[r + EXTRA]! > count) return;
    const variation = Math.sqrt(records[r + SQUARES]! / count) / mean;
    if (variation > this.options.maxVariation || !this.limit.isDue(index, at.nowUs)) return;
    if (this.baselines?.isUsual(flows, slot) === true) return;
    this.limit.mark(index, at.nowUs);
    this.report(at, r, variation);
  }

  /** Welford's running mean and sum of squares; a gap far out of line begins a new series. */
  private addGap(r: number, gap: number): void {
    const { records } = this;
    if (records[r + COUNT]! > 0 && gap > records[r + MEAN]! * this.options.restartFactor) {
      records.fill(0, r + COUNT, r + RECORD);
      return;
    }
    const n = Math.min(records[r + COUNT]! + 1, 1000);
    const delta = gap - records[r + MEAN]!;
    records[r + COUNT] = n;
    records[r + MEAN]! += delta / n;
    records[r + SQUARES]! += delta * (gap - records[r + MEAN]!);
  }

  /** Entry of a flow's pair and service; -1 when it is seen for the first time. */
  private lookup(flows: FlowColumns, slot: number, nowUs: number): number {
    const a = 4 * slot;
    const s = flows.srcAddr;
    const d = flows.dstAddr;
    const src = hashWords(s[a]!, s[a + 1]!, s[a + 2]!, s[a + 3]!);
    const dst = hashWords(d[a]!, d[a + 1]!, d[a + 2]!, d[a + 3]!);
    const service = (flows.proto[slot]! << 16) | flows.dstPort[slot]!;
    const pair = mix32(src ^ mix32(dst));
    const startUs = flows.startUs[slot]!;
    const sinceMs = this.sights.sinceMs(mix32(pair ^ service), startUs);
    if (sinceMs < 0) return -1;
    const index = this.services.acquire(src, dst, pair, service, nowUs);
    if (this.services.inserted) {
      const r = index * RECORD;
      for (let i = r; i < r + RECORD; i++) this.records[i] = 0;
      this.records[r + LAST_US] = startUs - sinceMs * 1000;
    }
    return index;
  }

  private report(at: FlowMoment, r: number, variation: number): void {
    const ends = endpointsOf(at.flows, at.slot);
    const source = this.sources.ofFlow(at.flows, at.slot, at.nowUs);
    const n = this.records[r + COUNT]!;
    const secs = Number(this.records[r + MEAN]!.toFixed(2));
    this.reporter.report({
      ...ends,
      entry: BEHAVIOURS.beacon,
      offender: ends.srcIp,
      victim: ends.dstIp,
      spoofable: this.sources.isSpoofable(source),
      score: scoreOf(n, this.options.intervals),
      confidence: 0.6,
      evidence: [
        {
          name: 'intervals',
          value: n,
          unit: 'connections',
          text: `${n} connections to ${ends.dstIp}:${ends.dstPort} every ${secs} s, spread ${(variation * 100).toFixed(0)} %`,
        },
        { name: 'mean_interval', value: secs, unit: 's' },
        { name: 'variation', value: Number(variation.toFixed(3)) },
      ],
      packetUs: at.packetUs,
      packetNumber: at.packetNumber,
    });
  }

  stats(): Record<string, number> {
    return { beacon_services_evicted: this.services.evictions };
  }
}
