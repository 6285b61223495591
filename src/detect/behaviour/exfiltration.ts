import type { FlowColumns, FlowEndReason } from '../../domain/flow.js';
import type { DecodedPacket } from '../../domain/packet.js';
import type { Baselines, Volume } from './baselines.js';
import { BEHAVIOURS } from './catalogue.js';
import type { Detector, FlowMoment } from './detector.js';
import { HomeNetworks } from './home-networks.js';
import type { BehaviourOptions } from './options.js';
import { endpointsOf, scoreOf, type Limiter, type Reporter } from './reporter.js';
import { SlotColumn } from './slot-column.js';
import type { Sources } from './sources.js';

const MIB = 1024 * 1024;
/** Weight of the newest window in a host's usual volume. */
const NEWEST = 0.25;

/** Flows that sent less outside are not counted. */
const LEAST_BYTES = 16 * 1024;

type Moment = Pick<FlowMoment, 'flows' | 'slot' | 'nowUs' | 'packetUs' | 'packetNumber'>;

interface Found {
  source: number;
  bytes: number;
  usual: number;
  learned: Volume | undefined;
}

/**
 * Exfiltration: an inside host sends outside far more in a window than it usually does, and far more than it receives.
 * Usual is what the baseline says of this hour of the week, for all services and for each, or the mean of the host's
 * latest windows if that is more. While the baseline is being learned a finding blocks nobody.
 */
export class ExfiltrationDetector implements Detector {
  readonly name = 'exfiltration';
  private readonly options: BehaviourOptions['exfiltration'];
  private readonly home: HomeNetworks;
  private readonly sources: Sources;
  private readonly baselines: Baselines | undefined;
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

  constructor(options: BehaviourOptions, sources: Sources, reporter: Reporter, baselines?: Baselines) {
    this.baselines = baselines;
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
    const more = this.unnoted(flows, slot);
    this.judge({ flows, slot, nowUs: p.tsUs, packetUs: p.tsUs, packetNumber: p.number }, more);
  }

  /** What a flow sent since the last step; small uploads add up. */
  onEnd(flows: FlowColumns, slot: number, _reason: FlowEndReason, nowUs: number): void {
    if (flows.payloadFwd[slot]! < LEAST_BYTES) return;
    const more = this.unnoted(flows, slot);
    if (more >= LEAST_BYTES) {
      this.judge({ flows, slot, nowUs, packetUs: flows.lastUs[slot]!, packetNumber: 0 }, more);
    }
  }

  private unnoted(flows: FlowColumns, slot: number): number {
    const id = flows.flowId[slot]!;
    const before = this.notedId.get(slot) === id ? this.notedFwd.get(slot) : 0;
    this.notedId.set(slot, id, flows.capacity);
    this.notedFwd.set(slot, flows.payloadFwd[slot]!, flows.capacity);
    if (before === 0) this.notedBwd.set(slot, 0, flows.capacity);
    return flows.payloadFwd[slot]! - before;
  }

  private judge(at: Moment, more: number): void {
    const { flows, slot, nowUs } = at;
    const version = flows.ipVersion[slot]!;
    if (!this.home.contains(version, flows.srcAddr, slot) || this.home.contains(version, flows.dstAddr, slot)) return;
    const back = flows.payloadBwd[slot]! - this.notedBwd.get(slot);
    this.notedBwd.set(slot, flows.payloadBwd[slot]!, flows.capacity);
    const source = this.sources.ofFlow(flows, slot, nowUs);
    this.roll(source, nowUs);
    this.sent[source]! += more;
    this.received[source]! += back;
    const learned = this.baselines?.addSent(flows, slot, more, nowUs);
    if (this.sent[source]! < this.received[source]! * this.options.ratio) return;
    const usual = Math.max(this.usual[source]!, learned?.usual ?? 0);
    this.reportIfUnusual(at, { source, bytes: this.sent[source]!, usual, learned });
    // One service beyond its own habit, behind the large volume of another.
    const { service = 0, usualService = 0 } = learned ?? {};
    if (learned?.isLearning === false)
      this.reportIfUnusual(at, { source, bytes: service, usual: usualService, learned });
  }

  private reportIfUnusual(at: Moment, found: Found): void {
    const wanted = Math.max(this.options.minMiB * MIB, found.usual * this.options.factor);
    if (found.bytes < wanted || !this.limit.isDue(found.source, at.nowUs)) return;
    this.limit.mark(found.source, at.nowUs);
    this.report(at, found, wanted);
  }

  private roll(source: number, nowUs: number): void {
    const own = this.generation[source] === this.sources.table.generation(source);
    const elapsed = nowUs - this.startUs[source]!;
    if (own && elapsed < this.options.windowSecs * 1e6) return;
    const before = this.usual[source]!;
    this.usual[source] = own
      ? before === 0
        ? this.sent[source]!
        : before + NEWEST * (this.sent[source]! - before)
      : 0;
    this.generation[source] = this.sources.table.generation(source);
    this.startUs[source] = nowUs;
    this.sent[source] = 0;
    this.received[source] = 0;
  }

  private report(at: Moment, found: Found, wanted: number): void {
    const ends = endpointsOf(at.flows, at.slot);
    const mib = Math.round(found.bytes / MIB);
    const usual = Math.round(found.usual / MIB);
    // Without a baseline nobody knows whether it is unusual.
    const isLearning = found.learned?.isLearning !== false;
    const habit = isLearning ? `usual so far: ${usual} MiB` : `usual at this hour of the week: ${usual} MiB`;
    this.reporter.report({
      ...ends,
      entry: BEHAVIOURS.exfiltration,
      offender: ends.srcIp,
      victim: ends.dstIp,
      spoofable: this.sources.isSpoofable(found.source),
      score: scoreOf(found.bytes, wanted),
      confidence: isLearning ? 0.5 : 0.7,
      ...(isLearning ? { noBlock: true } : {}),
      evidence: [
        {
          name: 'sent',
          value: mib,
          unit: 'MiB',
          usual,
          text: `sent ${mib} MiB outside within ${this.options.windowSecs} s; ${habit}`,
        },
        { name: 'received', value: Math.round(this.received[found.source]! / MIB), unit: 'MiB' },
        { name: 'threshold', value: Math.round(wanted / MIB), unit: 'MiB' },
      ],
      metadata: { baseline: [isLearning ? 'learning' : 'learned'] },
      packetUs: at.packetUs,
      packetNumber: at.packetNumber,
      decidedUs: at.nowUs,
    });
  }
}
