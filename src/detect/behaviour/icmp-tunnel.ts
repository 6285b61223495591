import type { Direction, FlowColumns } from '../../domain/flow.js';
import { PROTO, type DecodedPacket } from '../../domain/packet.js';
import { fnv1a } from './bytes.js';
import { BEHAVIOURS } from './catalogue.js';
import type { Detector } from './detector.js';
import { DistinctSets } from './distinct-sets.js';
import type { BehaviourOptions } from './options.js';
import { endpointsOf, scoreOf, type Limiter, type Reporter } from './reporter.js';
import { SlidingCounts } from './sliding-counts.js';
import { SlotColumn } from './slot-column.js';
import type { Sources } from './sources.js';

const ECHO_REQUEST_V4 = 8;
const ECHO_REPLY_V4 = 0;
const ECHO_REQUEST_V6 = 128;
const ECHO_REPLY_V6 = 129;
/** Ping programs put the time into the first bytes and a constant pattern behind. */
const PING_STAMP = 24;
const MISMATCHES = 0;
const BYTES = 1;

/**
 * ICMP tunnels. An echo reply repeats the request's data (RFC 792); a tunnel's does not. And a ping program sends the
 * same pattern each time, while a tunnel sends something new.
 */
export class IcmpTunnelDetector implements Detector {
  readonly name = 'icmp_tunnel';
  private readonly options: BehaviourOptions['icmpTunnel'];
  private readonly sources: Sources;
  private readonly reporter: Reporter;
  private readonly counts: SlidingCounts;
  private readonly patterns: DistinctSets;
  private readonly limit: Limiter;
  private readonly asked = new SlotColumn();

  constructor(options: BehaviourOptions, sources: Sources, reporter: Reporter) {
    this.options = options.icmpTunnel;
    this.sources = sources;
    this.reporter = reporter;
    this.counts = new SlidingCounts(sources.table, 2, options.icmpTunnel.windowSecs);
    this.patterns = new DistinctSets(sources.table.capacity);
    this.limit = reporter.limiter(sources.table);
  }

  onIcmp(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): void {
    if (p.payloadLen === 0) return;
    const isRequest = p.icmpType === (p.proto === PROTO.ICMP ? ECHO_REQUEST_V4 : ECHO_REQUEST_V6);
    const isReply = p.icmpType === (p.proto === PROTO.ICMP ? ECHO_REPLY_V4 : ECHO_REPLY_V6);
    if (!isRequest && !isReply) return;
    const end = p.payloadOffset + p.payloadLen;
    const print = fnv1a(p.data, p.payloadOffset, end) * 65_536 + p.icmpSeq;
    const source = this.sources.ofFlow(flows, slot, p.tsUs);
    if (this.counts.roll(source, p.tsUs)) this.patterns.clear(source);
    this.counts.add(source, BYTES, p.payloadLen, p.tsUs);
    if (isRequest && direction === 0) this.asked.set(slot, print, flows.capacity);
    const asked = this.asked.get(slot);
    const isOther = isReply && asked % 65_536 === p.icmpSeq && asked !== print;
    if (isOther) this.counts.add(source, MISMATCHES, 1, p.tsUs);
    if (p.payloadLen > PING_STAMP + 8) this.patterns.add(source, fnv1a(p.data, p.payloadOffset + PING_STAMP, end));
    this.judge(p, flows, slot, source);
  }

  private judge(p: DecodedPacket, flows: FlowColumns, slot: number, source: number): void {
    const mismatches = this.counts.value(source, MISMATCHES, p.tsUs);
    const patterns = this.patterns.count(source);
    if (mismatches < this.options.mismatches && patterns < this.options.patterns) return;
    if (!this.limit.isDue(source, p.tsUs)) return;
    this.limit.mark(source, p.tsUs);
    const ends = endpointsOf(flows, slot);
    const bytes = Math.round(this.counts.value(source, BYTES, p.tsUs));
    this.reporter.report({
      ...ends,
      entry: BEHAVIOURS.icmpTunnel,
      offender: ends.srcIp,
      victim: ends.dstIp,
      spoofable: this.sources.isSpoofable(source),
      score: scoreOf(Math.max(mismatches, patterns), this.options.mismatches),
      confidence: 0.85,
      evidence: [
        {
          name: 'distinct_patterns',
          value: patterns,
          text: `${patterns} different echo contents, ${Math.round(mismatches)} replies unlike their request, ${bytes} bytes`,
        },
        { name: 'mismatched_replies', value: Math.round(mismatches), unit: 'packets' },
        { name: 'payload', value: bytes, unit: 'bytes' },
      ],
      packetUs: p.tsUs,
      packetNumber: p.number,
    });
  }
}
