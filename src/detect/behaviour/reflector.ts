import type { Direction, FlowColumns } from '../../domain/flow.js';
import type { DecodedPacket } from '../../domain/packet.js';
import { fnv1a } from './bytes.js';
import { BEHAVIOURS } from './catalogue.js';
import type { Detector } from './detector.js';
import { HomeNetworks } from './home-networks.js';
import { Majority } from './majority.js';
import type { BehaviourOptions } from './options.js';
import { isReflectorPort, REFLECTOR_NAMES } from './reflector-ports.js';
import { endpointsOf, scoreOf, type Limiter, type Reporter } from './reporter.js';
import { SlidingCounts } from './sliding-counts.js';
import type { Sources } from './sources.js';

const REQUESTS = 0;
const ASKED_BYTES = 1;
const ANSWERED_BYTES = 2;
const COUNTERS = 3;
const WINDOW_SECS = 1;
/** The number of a question comes first (DNS, memcached): it differs from one to the next. */
const NUMBER_BYTES = 2;
/** What is read of a request at most. */
const READ_BYTES = 128;

/**
 * Reflectors: somebody outside, whose address is forged, has an inside service flood the owner of that address. The same
 * small question comes over and over, and its answers are many times as large. A resolver that asks much asks for much
 * that is different, since it remembers the answers.
 */
export class ReflectorDetector implements Detector {
  readonly name = 'reflector';
  private readonly options: BehaviourOptions['reflector'];
  private readonly sources: Sources;
  private readonly reporter: Reporter;
  private readonly home: HomeNetworks;
  private readonly counts: SlidingCounts;
  private readonly questions: Majority;
  private readonly limit: Limiter;

  constructor(options: BehaviourOptions, sources: Sources, reporter: Reporter) {
    this.options = options.reflector;
    this.sources = sources;
    this.reporter = reporter;
    this.home = new HomeNetworks(options.homeNetworks);
    this.counts = new SlidingCounts(sources.table, COUNTERS, WINDOW_SECS);
    this.questions = new Majority(sources.table.capacity);
    this.limit = reporter.limiter(sources.table);
  }

  onUdp(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): void {
    if (!isReflectorPort(direction === 0 ? p.dstPort : p.srcPort)) return;
    const version = flows.ipVersion[slot]!;
    if (!this.home.contains(version, flows.dstAddr, slot) || this.home.contains(version, flows.srcAddr, slot)) return;
    const source = this.sources.ofFlow(flows, slot, p.tsUs);
    if (this.counts.roll(source, p.tsUs)) this.questions.clear(source);
    if (direction === 0) this.onRequest(p, source);
    else if (this.counts.add(source, ANSWERED_BYTES, p.payloadLen, p.tsUs) >= this.options.answerKibPerSec * 1024)
      this.judge(p, flows, slot, source);
  }

  private onRequest(p: DecodedPacket, source: number): void {
    this.counts.add(source, REQUESTS, 1, p.tsUs);
    this.counts.add(source, ASKED_BYTES, p.payloadLen, p.tsUs);
    const at = p.payloadOffset + NUMBER_BYTES;
    this.questions.add(source, fnv1a(p.data, at, p.payloadOffset + Math.min(p.payloadLen, READ_BYTES)));
  }

  private judge(p: DecodedPacket, flows: FlowColumns, slot: number, source: number): void {
    const nowUs = p.tsUs;
    const requests = Math.round(this.counts.value(source, REQUESTS, nowUs));
    const asked = this.counts.value(source, ASKED_BYTES, nowUs);
    const answered = this.counts.value(source, ANSWERED_BYTES, nowUs);
    const noted = this.counts.present(source, REQUESTS);
    if (requests < this.options.requestsPerSec || answered < asked * this.options.factor) return;
    // A window that has just begun cannot tell what most requests are.
    if (noted * 2 < this.options.requestsPerSec || this.questions.votes(source) * 2 < noted) return;
    if (!this.limit.isDue(source, nowUs)) return;
    this.limit.mark(source, nowUs);
    const ends = endpointsOf(flows, slot);
    const service = REFLECTOR_NAMES[flows.dstPort[slot]!]!;
    const kib = Math.round(answered / 1024);
    const times = Math.round(answered / Math.max(1, asked));
    this.reporter.report({
      ...ends,
      entry: BEHAVIOURS.reflector,
      title: `${BEHAVIOURS.reflector.title} (${service})`,
      // The source is the one that is flooded: its address is forged, and blocking it ends the service to it, not the attack.
      offender: ends.srcIp,
      victim: ends.dstIp,
      spoofable: true,
      noBlock: true,
      score: scoreOf(answered, this.options.answerKibPerSec * 1024),
      confidence: 0.8,
      evidence: [
        {
          name: 'answered',
          value: kib,
          unit: 'KiB/s',
          text: `${ends.dstIp} answers ${ends.srcIp} with ${kib} KiB a second, ${times} times what it is asked; most of ${requests} requests are the same`,
        },
        { name: 'factor', value: times },
        { name: 'requests', value: requests, unit: '1/s' },
        { name: 'threshold', value: this.options.answerKibPerSec, unit: 'KiB/s' },
      ],
      metadata: { service: [service] },
      packetUs: nowUs,
      packetNumber: p.number,
    });
  }
}
