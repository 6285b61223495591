import type { FlowColumns } from '../../domain/flow.js';
import type { DecodedPacket } from '../../domain/packet.js';
import { BEHAVIOURS } from './catalogue.js';
import type { Detector } from './detector.js';
import { HomeNetworks } from './home-networks.js';
import type { BehaviourOptions } from './options.js';
import { endpointsOf, scoreOf, type Limiter, type Reporter } from './reporter.js';
import { SlotColumn } from './slot-column.js';
import type { Sources } from './sources.js';

const MIB = 1024 * 1024;
/** Weight of the newest window in a host's usual volume. */
const NEWEST = 0.25;

/**
 * Exfiltration: an inside host sends outside far more in a window than it usually does, and far more than it receives.
 * The usual volume is an exponentially weighted mean over the host's own windows; without history only the floor counts.
 */
export class ExfiltrationDetector implements Detector {
  readonly name = 'exfiltration';
  private readonly options: BehaviourOptions['exfiltration'];
  private readonly home: HomeNetworks;
  private readonly sources: Sources;
  private readonly reporter: Reporter;
  private readonly limit: Limiter;
  private readonly generation: Uint32Array;
  private readonly startUs: Float64Array;
  private readonly sent: Float64Array;
  private readonly received: Float64Array;
  private readonly usual: Float64Array;
  private readonly notedId = new SlotColumn();
  private readonly notedFwd = new SlotColumn();
  private readonly notedBwd = new SlotColumn();

  constructor(options: BehaviourOptions, sources: Sources, reporter: Reporter) {
    this.options = options.exfiltration;
    this.home = new HomeNetworks(options.homeNetworks);
    this.sources = sources;
    this.reporter = reporter;
    this.limit = reporter.limiter(sources.table);
    const n = sources.table.capacity;
    this.generation = new Uint32Array(n);
    this.startUs = new Float64Array(n);
    this.sent = new Float64Array(n);
    this.received = new Float64Array(n);
    this.usual = new Float64Array(n);
  }

  onVolume(p: DecodedPacket, flows: FlowColumns, slot: number): void {
    if (this.notedId.get(slot) !== flows.flowId[slot]) {
      this.notedId.set(slot, flows.flowId[slot]!, flows.capacity);
      this.notedFwd.set(slot, 0, flows.capacity);
      this.notedBwd.set(slot, 0, flows.capacity);
    }
    this.count(p, flows, slot, flows.payloadFwd[slot]! - this.notedFwd.get(slot));
  }

  private count(p: DecodedPacket, flows: FlowColumns, slot: number, more: number): void {
    const back = flows.payloadBwd[slot]! - this.notedBwd.get(slot);
    this.notedFwd.set(slot, flows.payloadFwd[slot]!, flows.capacity);
    this.notedBwd.set(slot, flows.payloadBwd[slot]!, flows.capacity);
    const version = flows.ipVersion[slot]!;
    if (!this.home.contains(version, flows.srcAddr, slot) || this.home.contains(version, flows.dstAddr, slot)) return;
    const source = this.sources.ofFlow(flows, slot, p.tsUs);
    this.roll(source, p.tsUs);
    this.sent[source]! += more;
    this.received[source]! += back;
    const sent = this.sent[source]!;
    const wanted = Math.max(this.options.minMiB * MIB, this.usual[source]! * this.options.factor);
    if (sent < wanted || sent < this.received[source]! * this.options.ratio) return;
    if (!this.limit.isDue(source, p.tsUs)) return;
    this.limit.mark(source, p.tsUs);
    this.report(p, flows, slot, source, wanted);
  }

  private roll(source: number, nowUs: number): void {
    const own = this.generation[source] === this.sources.table.generation[source];
    const elapsed = nowUs - this.startUs[source]!;
    if (own && elapsed < this.options.windowSecs * 1e6) return;
    const before = this.usual[source]!;
    this.usual[source] = own
      ? before === 0
        ? this.sent[source]!
        : before + NEWEST * (this.sent[source]! - before)
      : 0;
    this.generation[source] = this.sources.table.generation[source]!;
    this.startUs[source] = nowUs;
    this.sent[source] = 0;
    this.received[source] = 0;
  }

  private report(p: DecodedPacket, flows: FlowColumns, slot: number, source: number, wanted: number): void {
    const ends = endpointsOf(flows, slot);
    const mib = Math.round(this.sent[source]! / MIB);
    const usual = Math.round(this.usual[source]! / MIB);
    this.reporter.report({
      ...ends,
      entry: BEHAVIOURS.exfiltration,
      offender: ends.srcIp,
      victim: ends.dstIp,
      spoofable: this.sources.isSpoofable(source),
      score: scoreOf(this.sent[source]!, wanted),
      confidence: 0.6,
      evidence: [
        {
          name: 'sent',
          value: mib,
          unit: 'MiB',
          usual,
          text: `sent ${mib} MiB outside within ${this.options.windowSecs} s; usual: ${usual} MiB`,
        },
        { name: 'received', value: Math.round(this.received[source]! / MIB), unit: 'MiB' },
        { name: 'threshold', value: Math.round(wanted / MIB), unit: 'MiB' },
      ],
      packetUs: p.tsUs,
      packetNumber: p.number,
    });
  }
}
