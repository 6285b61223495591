import { PROTO } from '../../domain/packet.js';
import { AddressTable } from './address-table.js';
import type { Baselines } from './baselines.js';
import { alignedFloats } from './cache-lines.js';
import { BEHAVIOURS } from './catalogue.js';
import { CONTACT, serviceOf, type Contacts } from './contacts.js';
import type { Detector } from './detector.js';
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

/**
 * Beacons: connections from one source to one service outside that begin at regular times, with jitter. The spread of the last
 * intervals is judged by their coefficient of variation: 0 for a clock, 0.29 for a jitter of half the interval each way,
 * 1 for a Poisson process. Of fifteen intervals the figure scatters by a tenth to both sides.
 */
export class BeaconDetector implements Detector {
  readonly name = 'beacon';
  private readonly options: BehaviourOptions['beacon'];
  private readonly sources: Sources;
  private readonly baselines: Baselines | undefined;
  private readonly reporter: Reporter;
  private readonly services: AddressTable;
  private readonly records: Float64Array;
  private readonly limit: Limiter;

  constructor(options: BehaviourOptions, sources: Sources, reporter: Reporter, baselines?: Baselines) {
    this.baselines = baselines;
    this.options = options.beacon;
    this.sources = sources;
    this.reporter = reporter;
    this.services = new AddressTable(options.maxTargets);
    this.records = alignedFloats(this.services.capacity * RECORD);
    this.limit = reporter.limiter(this.services);
  }

  onContact(contacts: Contacts, i: number, sinceMs: number, nowUs: number): void {
    if (!isOfInterest(contacts, i, sinceMs)) return;
    const index = this.entry(contacts, i, sinceMs);
    const { records } = this;
    const r = index * RECORD;
    const startUs = contacts.startUs[i]!;
    const gap = (startUs - records[r + LAST_US]!) / 1e6;
    // The same port again is one long exchange that the flow table cut up.
    if (records[r + LAST_PORT] === contacts.srcPort[i]) return;
    // Connections that begin together are one visit.
    if (gap < this.options.minIntervalSecs) {
      records[r + EXTRA]! += 1;
      return;
    }
    records[r + LAST_US] = startUs;
    records[r + LAST_PORT] = contacts.srcPort[i]!;
    this.addGap(r, gap);
    const count = records[r + COUNT]!;
    const mean = records[r + MEAN]!;
    if (count < this.options.intervals || mean < this.options.minMeanSecs) return;
    // A beacon is one connection a beat; visits of several are a client with a pause, as after a timeout.
    if (records[r + EXTRA]! > count) return;
    const variation = Math.sqrt(records[r + SQUARES]! / count) / mean;
    if (variation > this.options.maxVariation || !this.limit.isDue(index, nowUs)) return;
    if (this.baselines?.isUsual(contacts, i) === true) return;
    this.limit.mark(index, nowUs);
    this.report(contacts, i, r, { variation, nowUs });
  }

  readAhead(contacts: Contacts, i: number, sinceMs: number): number {
    return isOfInterest(contacts, i, sinceMs) ? this.services.readAhead(contacts.tag[i]!) : 0;
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

  /** Entry of a contact's pair and service, which met for the second time at least. */
  private entry(contacts: Contacts, i: number, sinceMs: number): number {
    const startUs = contacts.startUs[i]!;
    const index = this.services.acquireTagged(
      contacts.tag[i]!,
      contacts.src[i]!,
      contacts.dst[i]!,
      contacts.pair[i]!,
      serviceOf(contacts, i),
      startUs,
    );
    if (this.services.inserted) {
      const r = index * RECORD;
      for (let k = r; k < r + RECORD; k++) this.records[k] = 0;
      this.records[r + LAST_US] = startUs - sinceMs * 1000;
    }
    return index;
  }

  private report(contacts: Contacts, i: number, r: number, found: { variation: number; nowUs: number }): void {
    const ends = endpointsOf(contacts, i);
    const [w0, w1, w2, w3] = contacts.srcAddr.subarray(4 * i, 4 * i + 4);
    const source = this.sources.of(w0!, w1!, w2!, w3!, found.nowUs);
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
          text: `${n} connections to ${ends.dstIp}:${ends.dstPort} every ${secs} s, spread ${(found.variation * 100).toFixed(0)} %`,
        },
        { name: 'mean_interval', value: secs, unit: 's' },
        { name: 'variation', value: Number(found.variation.toFixed(3)) },
      ],
      packetUs: contacts.packetUs[i]!,
      packetNumber: contacts.packetNumber[i]!,
      decidedUs: found.nowUs,
    });
  }

  stats(): Record<string, number> {
    return { beacon_services_evicted: this.services.evictions };
  }
}

/**
 * Most pairs of hosts meet once and need no entry. Who has a host under control sits outside; inside are monitoring, health
 * checks and backups.
 */
function isOfInterest(contacts: Contacts, i: number, sinceMs: number): boolean {
  if (sinceMs < 0 || (contacts.kind[i]! & (CONTACT.TO_INSIDE | CONTACT.FAILED)) !== 0) return false;
  return contacts.proto[i] === PROTO.TCP && !POLLED_PORTS.has(contacts.dstPort[i]!);
}
