import type { EvidenceItem } from '../../domain/detection.js';
import type { Direction, FlowColumns } from '../../domain/flow.js';
import { PROTO, type DecodedPacket } from '../../domain/packet.js';
import { AddressTable } from './address-table.js';
import { BEHAVIOURS, type BehaviourEntry } from './catalogue.js';
import { FAILURE, type Detector, type FlowMoment } from './detector.js';
import { DistinctSets } from './distinct-sets.js';
import { insideOf, newMoment, setByPacket } from './flow-moment.js';
import { FLOOD_KIND, SpreadFloods } from './flood-spread.js';
import { HomeNetworks } from './home-networks.js';
import { Majority } from './majority.js';
import type { BehaviourOptions } from './options.js';
import { endpointsOf, scoreOf, type Limiter, type Reporter } from './reporter.js';
import { SlidingCounts } from './sliding-counts.js';
import type { Sources } from './sources.js';
import { isReflectorPort, REFLECTOR_NAMES } from './reflector-ports.js';
import { isMulticast, TECHNIQUE, techniqueOf } from './technique.js';

const SYN = 0;
const UDP = 1;
const UDP_FLOWS = 2;
const ICMP = 3;
const REFLECTED = 4;
/** SYNs whose source and port were looked at. */
const NOTED = 5;
const COUNTERS = 6;
const WINDOW_SECS = 1;
/** UDP flows that came to nothing have waited for their answer already: so much of a window tells their rate. */
const EARLY_SECS = 0.25;
/** Window of echo requests that are few a second and go on. */
const LASTING_SECS = 10;
const ECHO_REQUEST_V4 = 8;
const ECHO_REQUEST_V6 = 128;

/**
 * Floods by target and second. SYNs count when their handshake came to nothing, UDP packets in flows that got no
 * answer, ICMP packets that are no answer. A distributed flood is reported once a target, never as a source to block.
 */
export class FloodDetector implements Detector {
  readonly name = 'flood';
  private readonly options: BehaviourOptions['flood'];
  private readonly sources: Sources;
  private readonly reporter: Reporter;
  private readonly targets: AddressTable;
  private readonly counts: SlidingCounts;
  private readonly echoes: SlidingCounts;
  private readonly distinct: DistinctSets;
  private readonly ports: Majority;
  private readonly limits: Record<'syn' | 'udp' | 'icmp' | 'reflected', Limiter>;
  private readonly spread: SpreadFloods;
  private readonly home: HomeNetworks;
  /** Of a packet that is judged at once. */
  private readonly at = newMoment();
  private targetOf = new Int32Array(0);
  private targetGeneration = new Uint32Array(0);

  constructor(options: BehaviourOptions, sources: Sources, reporter: Reporter) {
    this.options = options.flood;
    this.sources = sources;
    this.reporter = reporter;
    this.targets = new AddressTable(options.maxTargets);
    this.counts = new SlidingCounts(this.targets, COUNTERS, WINDOW_SECS);
    this.echoes = new SlidingCounts(this.targets, 1, LASTING_SECS);
    const n = this.targets.capacity;
    this.distinct = new DistinctSets(n);
    this.ports = new Majority(n);
    const limiter = (): Limiter => reporter.limiter(this.targets);
    this.limits = { syn: limiter(), udp: limiter(), icmp: limiter(), reflected: limiter() };
    this.spread = new SpreadFloods(options, sources, reporter);
    this.home = new HomeNetworks(options.homeNetworks);
  }

  onFailed(at: FlowMoment, failure: number): void {
    if (at.technique === TECHNIQUE.UDP) this.onUnansweredFlow(at);
    if (at.technique !== TECHNIQUE.SYN || failure === FAILURE.EMPTY) return;
    const target = this.targetOfMoment(at);
    this.countSyn(at, target);
    this.addToSpread(FLOOD_KIND.SYN, at, this.limits.syn, target);
  }

  onProductive(at: FlowMoment): void {
    this.spread.onProductive(at);
  }

  /** What goes to a target that is told by itself is no sign of a flood of its network. */
  private addToSpread(kind: number, at: FlowMoment, told: Limiter, target: number): void {
    if (told.isDue(target, at.nowUs) && this.spread.add(kind, at)) this.spread.report(kind, at);
  }

  private countSyn(at: FlowMoment, target: number): void {
    const { flows, slot, nowUs } = at;
    this.roll(target, nowUs);
    const rate = this.counts.addRolled(target, SYN, 1, nowUs);
    // Who and where to is of interest from a quarter of the threshold on.
    if (rate * 4 < this.options.synPerSec) return;
    this.note(target, at.src, flows.dstPort[slot]!);
    this.counts.addRolled(target, NOTED, 1, nowUs);
    if (rate < this.options.synPerSec || !this.limits.syn.isDue(target, nowUs)) return;
    // Spread over many ports it is a port scan, unless hardly a source comes twice; a window that has just begun cannot tell.
    const noted = this.counts.present(target, NOTED);
    if (noted * 4 < this.options.synPerSec || (this.ports.votes(target) * 2 < noted && !this.isFromMany(target, noted)))
      return;
    this.limits.syn.mark(target, nowUs);
    this.report(at, target, { entry: BEHAVIOURS.synFlood, rate, threshold: this.options.synPerSec, what: 'SYNs' });
  }

  onUdp(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction, isNew: boolean): void {
    if (direction === 0 && flows.packetsBwd[slot] === 0) this.onUnansweredUdp(p, flows, slot, isNew);
  }

  /** A question may still be answered: the first packet of a flow counts when the time for that is over. */
  private onUnansweredFlow(at: FlowMoment): void {
    const { flows, slot, nowUs } = at;
    const target = this.targetOfMoment(at);
    this.roll(target, nowUs);
    this.note(target, at.src, flows.dstPort[slot]!);
    this.counts.addRolled(target, UDP_FLOWS, 1, nowUs);
    this.counts.addRolled(target, UDP, 1, nowUs);
    this.judgeUdp(at, target);
    this.addToSpread(FLOOD_KIND.UDP, at, this.limits.udp, target);
  }

  /** More sources than a scan has: that many of them ask once or twice. */
  private isFromMany(target: number, noted: number): boolean {
    const sources = this.distinct.count(target);
    return sources >= this.options.networkSources && sources * 2 >= noted;
  }

  private onUnansweredUdp(p: DecodedPacket, flows: FlowColumns, slot: number, isNew: boolean): void {
    const isReflected = isReflectorPort(p.srcPort) && p.dstPort !== p.srcPort;
    if (isMulticast(p) || (isNew && !isReflected && techniqueOf(p, 0) === TECHNIQUE.UDP)) return;
    const at = this.momentOf(p, flows, slot);
    const target = this.cached(at, isNew);
    this.roll(target, p.tsUs);
    this.note(target, at.src, p.dstPort);
    if (isReflected) {
      const reflected = this.counts.addRolled(target, REFLECTED, 1, p.tsUs);
      if (reflected >= this.options.reflectedPerSec && this.limits.reflected.isDue(target, p.tsUs)) {
        this.onReflected(p, at, target, reflected);
      }
      this.addPacketToSpread(FLOOD_KIND.REFLECTED, at, this.limits.reflected, target);
    }
    const packets = this.counts.addRolled(target, UDP, 1, p.tsUs);
    if (packets >= this.options.udpPerSec) this.judgeUdp(at, target);
  }

  private judgeUdp(at: FlowMoment, target: number): void {
    const { udpPerSec, udpFlowsPerSec } = this.options;
    const packets = this.counts.value(target, UDP, at.nowUs);
    const flows = Math.max(this.counts.value(target, UDP_FLOWS, at.nowUs), this.earlyRate(target, at.nowUs));
    if (packets < udpPerSec && flows < udpFlowsPerSec) return;
    if (!this.limits.udp.isDue(target, at.nowUs) || !this.limits.reflected.isDue(target, at.nowUs)) return;
    this.limits.udp.mark(target, at.nowUs);
    const byFlows = packets < udpPerSec;
    this.report(at, target, {
      entry: BEHAVIOURS.udpFlood,
      rate: byFlows ? flows : packets,
      threshold: byFlows ? udpFlowsPerSec : udpPerSec,
      what: byFlows ? 'unanswered UDP flows' : 'UDP packets',
    });
  }

  /** UDP flows a second of a window that has begun; 0 when it is too young, or they go to many ports, as a scan does. */
  private earlyRate(target: number, nowUs: number): number {
    const secs = this.counts.presentSecs(target, nowUs);
    const flows = this.counts.present(target, UDP_FLOWS);
    return secs < EARLY_SECS || this.ports.votes(target) * 2 < flows ? 0 : flows / secs;
  }

  private onReflected(p: DecodedPacket, at: FlowMoment, target: number, rate: number): void {
    if (this.distinct.count(target) < this.options.reflectors) return;
    this.limits.reflected.mark(target, p.tsUs);
    const service = REFLECTOR_NAMES[p.srcPort]!;
    this.report(at, target, {
      entry: BEHAVIOURS.amplification,
      title: `Reflected amplification flood (${service})`,
      rate,
      threshold: this.options.reflectedPerSec,
      what: `unasked ${service} answers`,
    });
  }

  onIcmp(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): void {
    if (direction !== 0 || isMulticast(p)) return;
    const at = this.momentOf(p, flows, slot);
    const target = this.cached(at, false);
    this.roll(target, p.tsUs);
    this.note(target, at.src, p.icmpType);
    const { icmpPerSec, echoPerSec } = this.options;
    const rate = this.counts.addRolled(target, ICMP, 1, p.tsUs);
    const isEcho = p.icmpType === (p.proto === PROTO.ICMP ? ECHO_REQUEST_V4 : ECHO_REQUEST_V6);
    this.addPacketToSpread(FLOOD_KIND.ICMP, at, this.limits.icmp, target);
    const lasting = isEcho ? this.echoes.add(target, 0, 1, p.tsUs) / LASTING_SECS : 0;
    const isBurst = rate >= icmpPerSec;
    if ((!isBurst && lasting < echoPerSec) || !this.limits.icmp.isDue(target, p.tsUs)) return;
    this.limits.icmp.mark(target, p.tsUs);
    this.report(at, target, {
      entry: BEHAVIOURS.icmpFlood,
      rate: isBurst ? rate : lasting,
      threshold: isBurst ? icmpPerSec : echoPerSec,
      what: isBurst ? 'ICMP packets' : 'echo requests',
      ...(isBurst ? {} : { secs: LASTING_SECS }),
    });
  }

  /** The same for a packet that is judged at once. */
  private addPacketToSpread(kind: number, at: FlowMoment, told: Limiter, target: number): void {
    at.inside = insideOf(at, this.home);
    this.addToSpread(kind, at, told, target);
  }

  private roll(target: number, nowUs: number): void {
    if (!this.counts.roll(target, nowUs)) return;
    this.distinct.clear(target);
    this.ports.clear(target);
  }

  private note(target: number, sender: number, port: number): void {
    this.distinct.add(target, sender);
    this.ports.add(target, port);
  }

  private report(
    at: FlowMoment,
    target: number,
    found: { entry: BehaviourEntry; title?: string; rate: number; threshold: number; what: string; secs?: number },
  ): void {
    const ends = endpointsOf(at.flows, at.slot);
    const senders = this.distinct.count(target);
    const single = senders <= 2;
    const rate = Math.round(found.rate);
    const source = this.sources.ofMoment(at);
    const evidence: EvidenceItem[] = [
      {
        name: 'rate',
        value: rate,
        unit: '1/s',
        text: `${rate} ${found.what} ${found.secs === undefined ? 'in a second' : `a second for ${found.secs} s`} to ${ends.dstIp} from ${senders} source${senders === 1 ? '' : 's'}`,
      },
      { name: 'distinct_sources', value: senders, unit: 'hosts' },
      { name: 'threshold', value: found.threshold, unit: '1/s' },
    ];
    this.reporter.report({
      ...ends,
      entry: found.entry,
      ...(found.title === undefined ? {} : { title: found.title }),
      offender: ends.srcIp,
      victim: ends.dstIp,
      spoofable: !single || this.sources.isSpoofable(source),
      score: scoreOf(rate, found.threshold),
      confidence: 0.9,
      evidence,
      // Forged or many sources: blocking the one that came last helps nobody.
      ...(single ? {} : { noBlock: true, metadata: { scope: ['target'] } }),
      packetUs: at.packetUs,
      packetNumber: at.packetNumber,
      decidedUs: at.nowUs,
    });
  }

  private cached(at: FlowMoment, isNew: boolean): number {
    const { flows, slot, nowUs } = at;
    if (flows.capacity > this.targetOf.length) this.grow(flows.capacity);
    const known = this.targetOf[slot]!;
    if (!isNew && this.targetGeneration[slot] === this.targets.generation(known) && this.isOf(known, flows, slot)) {
      this.targets.touch(known, nowUs);
      return known;
    }
    const target = this.targetOfMoment(at);
    this.targetOf[slot] = target;
    this.targetGeneration[slot] = this.targets.generation(target);
    return target;
  }

  private isOf(target: number, flows: FlowColumns, slot: number): boolean {
    for (let w = 0; w < 4; w++) if (this.targets.word(target, w) !== flows.dstAddr[4 * slot + w]) return false;
    return true;
  }

  private targetOfMoment({ flows, slot, nowUs, dst }: FlowMoment): number {
    const a = 4 * slot;
    const d = flows.dstAddr;
    return this.targets.acquireTagged(dst, d[a]! | 0, d[a + 1]! | 0, d[a + 2]! | 0, d[a + 3]! | 0, nowUs);
  }

  /** A packet of a flow's source is judged at once. */
  private momentOf(p: DecodedPacket, flows: FlowColumns, slot: number): FlowMoment {
    setByPacket(this.at, p, flows, slot, 0);
    return this.at;
  }

  private grow(capacity: number): void {
    this.targetOf = new Int32Array(capacity);
    this.targetGeneration = new Uint32Array(capacity);
  }

  stats(): Record<string, number> {
    return { flood_targets_evicted: this.targets.evictions, ...this.spread.stats() };
  }
}
