import type { FeatureDefinition } from '../domain/feature.js';
import type { FlowColumns } from '../domain/flow.js';
import { PROTO } from '../domain/packet.js';
import { mix32 } from './key-table.js';
import type { FlowFeatureOptions } from './options.js';
import { standardDeviation } from './statistics.js';
import { WindowTable } from './window-table.js';

const CONNECTIONS = 0;
const SYNS = 1;
const SYNS_ANSWERED = 2;
const RESETS = 3;
const ENDED = 4;
const SHORT = 5;
const PAYLOAD_FWD = 6;
const PAYLOAD_BWD = 7;
const GAPS = 8;
const GAP_SUM = 9;
const GAP_SQUARES = 10;

const PORTS = 0;
const HOSTS = 1;

/** A flow is short when it ends within this many seconds and packets. */
const SHORT_SECS = 1;
const SHORT_PACKETS = 10;
/** Gaps between connections needed before regularity says anything. */
const MIN_GAPS = 3;

const feature = (name: string, unit: string, description: string, kind: 'numeric' | 'ratio' = 'numeric') => ({
  name,
  kind,
  unit,
  description,
});

const FAILED = '(TCP connections without SYN-ACK or RST in answer + refused by RST) / connections';

/** "Short" and "long" windows are the options shortWindowSecs (10 s) and longWindowSecs (300 s). */
export const historyFeatures: readonly FeatureDefinition[] = [
  feature('src_short_connections', 'connections', 'Connections of the source in the short window.'),
  feature('src_short_ports', 'ports', 'Distinct destination ports of the source in the last one to two short windows.'),
  feature('src_short_hosts', 'hosts', 'Distinct destinations of the source in the last one to two short windows.'),
  feature(
    'src_short_syn_unanswered',
    'connections',
    'SYNs of the source in the short window that got no answer so far.',
  ),
  feature('src_short_resets', 'connections', 'Connections of the source refused by RST in the short window.'),
  feature('src_long_connections', 'connections', 'Connections of the source in the long window.'),
  feature('src_long_ports', 'ports', 'Distinct destination ports of the source in the last one to two long windows.'),
  feature('src_long_hosts', 'hosts', 'Distinct destinations of the source in the last one to two long windows.'),
  feature('src_long_failed_share', '', `${FAILED} of the source in the long window.`, 'ratio'),
  feature(
    'src_long_short_share',
    '',
    'Share of its ended flows shorter than 1 s and 10 packets, long window.',
    'ratio',
  ),
  feature(
    'src_long_payload_fwd',
    'bytes',
    'Mean payload sent in the flows of the source that ended in the long window.',
  ),
  feature('src_long_payload_bwd', 'bytes', 'Mean payload received in those flows.'),
  feature('pair_connections', 'connections', 'Connections from this source to this destination in the long window.'),
  feature('pair_ports', 'ports', 'Distinct destination ports between the two in the last one to two long windows.'),
  feature('pair_failed_share', '', `${FAILED} between the two in the long window.`, 'ratio'),
  feature('pair_short_share', '', 'Share of ended flows between the two shorter than 1 s and 10 packets.', 'ratio'),
  feature('pair_payload_fwd', 'bytes', 'Mean payload sent in ended flows between the two, long window.'),
  feature('pair_payload_bwd', 'bytes', 'Mean payload received in ended flows between the two, long window.'),
  feature('pair_start_gap', 's', 'Mean time between connection starts of the two in the long window; 0 below 3 gaps.'),
  feature('pair_regularity', '', '1 / (1 + std / mean) of those gaps: near 1 for a clock; 0 below 3 gaps.', 'ratio'),
  feature('dst_connections', 'connections', 'Connections to the destination in the short window.'),
  feature('dst_sources', 'hosts', 'Distinct sources to the destination in the last one to two short windows.'),
  feature(
    'dst_syn_unanswered',
    'connections',
    'SYNs to the destination in the short window that got no answer so far.',
  ),
  feature('dst_resets', 'connections', 'Connections that the destination refused by RST in the short window.'),
];

/** What one flow adds to its source's, its pair's and its destination's windows. */
export class FlowHistory {
  private readonly shortSource: WindowTable;
  private readonly longSource: WindowTable;
  private readonly pair: WindowTable;
  private readonly destination: WindowTable;
  private readonly pairLastUs: Float64Array;
  private shortAt = 0;
  private longAt = 0;
  private pairAt = 0;
  private destinationAt = 0;

  constructor(options: FlowFeatureOptions) {
    const capacity = options.maxHistoryKeys;
    const short = { capacity, keyWords: 4, counters: 8, sketches: 2, windowSecs: options.shortWindowSecs };
    this.shortSource = new WindowTable(short);
    this.longSource = new WindowTable({ ...short, windowSecs: options.longWindowSecs });
    this.pair = new WindowTable({
      capacity,
      keyWords: 8,
      counters: 11,
      sketches: 1,
      windowSecs: options.longWindowSecs,
    });
    this.destination = new WindowTable(short);
    this.pairLastUs = new Float64Array(this.pair.table.capacity);
  }

  get evictions(): number {
    return [this.shortSource, this.longSource, this.pair, this.destination].reduce((n, w) => n + w.table.evictions, 0);
  }

  private setKeys(flows: FlowColumns, slot: number): void {
    for (let w = 0; w < 4; w++) {
      const src = flows.srcAddr[4 * slot + w]!;
      const dst = flows.dstAddr[4 * slot + w]!;
      this.shortSource.table.key[w] = src;
      this.longSource.table.key[w] = src;
      this.pair.table.key[w] = src;
      this.pair.table.key[4 + w] = dst;
      this.destination.table.key[w] = dst;
    }
  }

  /** Finds the four entries of a flow; `add` then counts in all of them. */
  private touch(flows: FlowColumns, slot: number, nowUs: number): void {
    this.setKeys(flows, slot);
    this.shortAt = this.shortSource.touch(nowUs);
    this.longAt = this.longSource.touch(nowUs);
    this.pairAt = this.pair.touch(nowUs);
    this.destinationAt = this.destination.touch(nowUs);
  }

  private add(counter: number, amount: number): void {
    this.shortSource.add(this.shortAt, counter, amount);
    this.longSource.add(this.longAt, counter, amount);
    this.pair.add(this.pairAt, counter, amount);
    this.destination.add(this.destinationAt, counter, amount);
  }

  /**
   * A flow began. @param isSyn its first packet is a TCP SYN.
   * @returns how many flows its source had in the long window before; -1 when it had some before the short window, and so
   * is no newcomer.
   */
  opened(flows: FlowColumns, slot: number, nowUs: number, isSyn: boolean): number {
    this.touch(flows, slot, nowUs);
    const before = this.longSource.value(this.longAt, CONNECTIONS, nowUs);
    const isNew = before <= this.shortSource.value(this.shortAt, CONNECTIONS, nowUs);
    this.add(CONNECTIONS, 1);
    if (isSyn) this.add(SYNS, 1);
    const proto = flows.proto[slot]!;
    const dst = 4 * slot;
    const host = mix32(
      flows.dstAddr[dst]! ^
        mix32(flows.dstAddr[dst + 1]! ^ mix32(flows.dstAddr[dst + 2]! ^ mix32(flows.dstAddr[dst + 3]!))),
    );
    const from = mix32(
      flows.srcAddr[dst]! ^
        mix32(flows.srcAddr[dst + 1]! ^ mix32(flows.srcAddr[dst + 2]! ^ mix32(flows.srcAddr[dst + 3]!))),
    );
    const port = mix32(flows.dstPort[slot]! | (proto << 16));
    const hasPort = proto === PROTO.TCP || proto === PROTO.UDP;
    if (hasPort) {
      this.shortSource.mark(this.shortAt, PORTS, port);
      this.longSource.mark(this.longAt, PORTS, port);
      this.pair.mark(this.pairAt, PORTS, port);
    }
    this.shortSource.mark(this.shortAt, HOSTS, host);
    this.longSource.mark(this.longAt, HOSTS, host);
    this.destination.mark(this.destinationAt, HOSTS, from);
    this.addGap(this.pairAt, nowUs);
    return isNew ? before : -1;
  }

  private addGap(pair: number, nowUs: number): void {
    const connections = this.pair.value(pair, CONNECTIONS, nowUs);
    const gap = Math.max(0, (nowUs - this.pairLastUs[pair]!) / 1e6);
    this.pairLastUs[pair] = nowUs;
    if (connections <= 1) return;
    this.pair.add(pair, GAPS, 1);
    this.pair.add(pair, GAP_SUM, gap);
    this.pair.add(pair, GAP_SQUARES, gap * gap);
  }

  /** The destination answered a SYN for the first time. @param refused by RST. */
  answered(flows: FlowColumns, slot: number, nowUs: number, refused: boolean): void {
    this.touch(flows, slot, nowUs);
    this.add(SYNS_ANSWERED, 1);
    if (refused) this.add(RESETS, 1);
  }

  /** A flow ended. */
  closed(
    flows: FlowColumns,
    slot: number,
    flow: { lastUs: number; durationSecs: number; packets: number; payloadFwd: number; payloadBwd: number },
  ): void {
    const short = flow.durationSecs < SHORT_SECS && flow.packets <= SHORT_PACKETS;
    this.touch(flows, slot, flow.lastUs);
    this.add(ENDED, 1);
    if (short) this.add(SHORT, 1);
    this.add(PAYLOAD_FWD, flow.payloadFwd);
    this.add(PAYLOAD_BWD, flow.payloadBwd);
  }

  /** Writes the group's values from `out[i]` on. @returns the index after the last. */
  write(flows: FlowColumns, slot: number, nowUs: number, out: Float32Array, i: number): number {
    this.setKeys(flows, slot);
    out.fill(0, i, i + historyFeatures.length);
    const short = this.shortSource.find(nowUs);
    if (short >= 0) writeShort(this.shortSource, short, nowUs, out, i, true);
    const long = this.longSource.find(nowUs);
    if (long >= 0) {
      out[i + 5] = this.longSource.value(long, CONNECTIONS, nowUs);
      out[i + 6] = this.longSource.distinct(long, PORTS);
      out[i + 7] = this.longSource.distinct(long, HOSTS);
      writeOutcome(this.longSource, long, nowUs, out, i + 8);
    }
    const pair = this.pair.find(nowUs);
    if (pair >= 0) {
      out[i + 12] = this.pair.value(pair, CONNECTIONS, nowUs);
      out[i + 13] = this.pair.distinct(pair, PORTS);
      writeOutcome(this.pair, pair, nowUs, out, i + 14);
      writeRhythm(this.pair, pair, nowUs, out, i + 18);
    }
    const destination = this.destination.find(nowUs);
    if (destination >= 0) writeShort(this.destination, destination, nowUs, out, i + 20, false);
    return i + historyFeatures.length;
  }
}

function unanswered(w: WindowTable, at: number, nowUs: number): number {
  return Math.max(0, w.value(at, SYNS, nowUs) - w.value(at, SYNS_ANSWERED, nowUs));
}

function writeShort(w: WindowTable, at: number, nowUs: number, out: Float32Array, i: number, withPorts: boolean): void {
  out[i++] = w.value(at, CONNECTIONS, nowUs);
  if (withPorts) out[i++] = w.distinct(at, PORTS);
  out[i++] = w.distinct(at, HOSTS);
  out[i++] = unanswered(w, at, nowUs);
  out[i] = w.value(at, RESETS, nowUs);
}

function writeOutcome(w: WindowTable, at: number, nowUs: number, out: Float32Array, i: number): void {
  const connections = w.value(at, CONNECTIONS, nowUs);
  const ended = w.value(at, ENDED, nowUs);
  const failed = unanswered(w, at, nowUs) + w.value(at, RESETS, nowUs);
  out[i] = connections > 0 ? Math.min(1, failed / connections) : 0;
  if (ended <= 0) return;
  out[i + 1] = w.value(at, SHORT, nowUs) / ended;
  out[i + 2] = w.value(at, PAYLOAD_FWD, nowUs) / ended;
  out[i + 3] = w.value(at, PAYLOAD_BWD, nowUs) / ended;
}

function writeRhythm(w: WindowTable, at: number, nowUs: number, out: Float32Array, i: number): void {
  const gaps = w.value(at, GAPS, nowUs);
  const sum = w.value(at, GAP_SUM, nowUs);
  if (gaps < MIN_GAPS || sum <= 0) return;
  const mean = sum / gaps;
  out[i] = mean;
  out[i + 1] = 1 / (1 + standardDeviation(gaps, sum, w.value(at, GAP_SQUARES, nowUs)) / mean);
}
