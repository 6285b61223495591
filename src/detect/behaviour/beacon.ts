import type { FlowColumns } from '../../domain/flow.js';
import { PROTO } from '../../domain/packet.js';
import { AddressTable, hashWords, mix32 } from './address-table.js';
import type { Baselines } from './baselines.js';
import { BEHAVIOURS } from './catalogue.js';
import type { Detector, FlowMoment } from './detector.js';
import type { BehaviourOptions } from './options.js';
import { endpointsOf, scoreOf, type Limiter, type Reporter } from './reporter.js';
import type { Sources } from './sources.js';

/** Services that are polled by the clock and innocent: DNS, DHCP, NTP, SNMP, syslog, monitoring agents. */
const POLLED_PORTS = new Set([53, 67, 68, 102, 123, 161, 162, 502, 514, 853, 2404, 5353, 10050, 10051, 20000, 47808]);

/**
 * Beacons: connections from one source to one service that begin at regular times, with jitter. The spread of the last
 * intervals is judged by their coefficient of variation: 0 for a clock, 0.29 for a jitter of half the interval each way,
 * 1 for a Poisson process.
 */
export class BeaconDetector implements Detector {
  readonly name = 'beacon';
  private readonly options: BehaviourOptions['beacon'];
  private readonly sources: Sources;
  private readonly baselines: Baselines | undefined;
  private readonly reporter: Reporter;
  private readonly services: AddressTable;
  private readonly generation: Uint32Array;
  private readonly lastUs: Float64Array;
  private readonly lastPort: Uint16Array;
  private readonly count: Uint16Array;
  /** Connections that came together with the one before. */
  private readonly extra: Uint16Array;
  private readonly mean: Float64Array;
  private readonly squares: Float64Array;
  private readonly limit: Limiter;

  constructor(options: BehaviourOptions, sources: Sources, reporter: Reporter, baselines?: Baselines) {
    this.baselines = baselines;
    this.options = options.beacon;
    this.sources = sources;
    this.reporter = reporter;
    this.services = new AddressTable(options.maxTargets);
    const n = this.services.capacity;
    this.generation = new Uint32Array(n);
    this.lastUs = new Float64Array(n);
    this.lastPort = new Uint16Array(n);
    this.count = new Uint16Array(n);
    this.extra = new Uint16Array(n);
    this.mean = new Float64Array(n);
    this.squares = new Float64Array(n);
    this.limit = reporter.limiter(this.services);
  }

  onProductive(at: FlowMoment): void {
    const { flows, slot } = at;
    const port = flows.dstPort[slot]!;
    if (flows.proto[slot] !== PROTO.TCP) return;
    if (POLLED_PORTS.has(port)) return;
    const index = this.lookup(flows, slot, at.nowUs);
    const startUs = flows.startUs[slot]!;
    const gap = (startUs - this.lastUs[index]!) / 1e6;
    // The same port again is one long exchange that the flow table cut up.
    if (this.lastPort[index] === flows.srcPort[slot]) return;
    // Connections that begin together are one visit.
    if (gap < this.options.minIntervalSecs) {
      if (this.extra[index]! < 65_535) this.extra[index]! += 1;
      return;
    }
    const first = this.lastUs[index] === 0;
    this.lastUs[index] = startUs;
    this.lastPort[index] = flows.srcPort[slot]!;
    if (first) return;
    this.addGap(index, gap);
    if (this.count[index]! < this.options.intervals) return;
    const mean = this.mean[index]!;
    if (mean < this.options.minMeanSecs) return;
    // A beacon is one connection a beat; visits of several are a client with a pause, as after a timeout.
    if (this.extra[index]! > this.count[index]!) return;
    const variation = Math.sqrt(this.squares[index]! / this.count[index]!) / mean;
    if (variation > this.options.maxVariation || !this.limit.isDue(index, at.nowUs)) return;
    if (this.baselines?.isUsual(flows, slot) === true) return;
    this.limit.mark(index, at.nowUs);
    this.report(at, index, variation);
  }

  /** Welford's running mean and sum of squares; a gap far out of line begins a new series. */
  private addGap(index: number, gap: number): void {
    if (this.count[index]! > 0 && gap > this.mean[index]! * this.options.restartFactor) {
      this.count[index] = 0;
      this.extra[index] = 0;
      this.mean[index] = 0;
      this.squares[index] = 0;
      return;
    }
    const n = Math.min(this.count[index]! + 1, 1000);
    const delta = gap - this.mean[index]!;
    this.count[index] = n;
    this.mean[index]! += delta / n;
    this.squares[index]! += delta * (gap - this.mean[index]!);
  }

  private lookup(flows: FlowColumns, slot: number, nowUs: number): number {
    const a = 4 * slot;
    const s = flows.srcAddr;
    const d = flows.dstAddr;
    const src = hashWords(s[a]!, s[a + 1]!, s[a + 2]!, s[a + 3]!);
    const dst = hashWords(d[a]!, d[a + 1]!, d[a + 2]!, d[a + 3]!);
    const service = (flows.proto[slot]! << 16) | flows.dstPort[slot]!;
    const index = this.services.acquire(src, dst, mix32(src ^ mix32(dst)), service, nowUs);
    if (this.generation[index] !== this.services.generation[index]) {
      this.generation[index] = this.services.generation[index]!;
      this.lastUs[index] = 0;
      this.lastPort[index] = 0;
      this.count[index] = 0;
      this.extra[index] = 0;
      this.mean[index] = 0;
      this.squares[index] = 0;
    }
    return index;
  }

  private report(at: FlowMoment, index: number, variation: number): void {
    const ends = endpointsOf(at.flows, at.slot);
    const source = this.sources.ofFlow(at.flows, at.slot, at.nowUs);
    const n = this.count[index]!;
    const secs = Number(this.mean[index]!.toFixed(2));
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
