import { TCP_STATE, type Direction, type FlowColumns } from '../../domain/flow.js';
import { TCP, type DecodedPacket } from '../../domain/packet.js';
import { AddressTable } from './address-table.js';
import type { Baselines } from './baselines.js';
import { ascii, fnv1a, indexOfNoCase, startsWith, wordEnd } from './bytes.js';
import { BEHAVIOURS } from './catalogue.js';
import { hashAt } from './contacts.js';
import { DistinctSets } from './distinct-sets.js';
import { WANTS, type Detector, type Wanted } from './detector.js';
import { HttpSpreadFloods, TLS_SHARE, type Asking } from './http-flood-spread.js';
import { isHttpRequest, isMethodLetter } from './login-http.js';
import { Majority } from './majority.js';
import type { BehaviourOptions } from './options.js';
import { endpointsOf, scoreOf, type Limiter, type Reporter } from './reporter.js';
import { SlidingCounts } from './sliding-counts.js';
import { SlotColumn } from './slot-column.js';
import type { Sources } from './sources.js';

/** POST, PUT, PATCH and PROPFIND carry bodies. */
const LETTER_P = 0x50;
const HEADER_END = ascii('\r\n\r\n');
const CONTENT_LENGTH = ascii('content-length: ');
const CHUNKED = ascii('transfer-encoding: chunked');

/** Where a connection stands, in a slot's note. */
const IDLE = 0;
const HEADERS = 1;
const BODY = 2;
const SLOW = 3;
/** The request is complete; only a closed window is slow now. */
const WAITING = 4;
/** What the source sent was no request so far, once and twice; then it is given up. */
const IDLE_AGAIN = 5;
const NOT_HTTP = 7;
const STAGE = 0x07;
/** Beside the stage: the source's receive window is shut. */
const SHUT = 0x08;
const OPEN = WANTS.CLIENT | WANTS.ACKS;
/** What is to be seen of a flow at each stage. */
const WANTED: readonly Wanted[] = [
  WANTS.CLIENT,
  OPEN | WANTS.SERVER,
  OPEN | WANTS.SERVER,
  WANTS.NOTHING,
  OPEN,
  WANTS.CLIENT,
  WANTS.CLIENT,
  WANTS.NOTHING,
];

/** Requests of a source, those whose URI was looked at, when it or its server had many, and connections over TLS to such servers. */
const REQUESTS = 0;
const READ = 1;
const HELLOS = 2;
const COUNTERS = 3;
/** A record of TLS that holds a handshake (RFC 8446, section 5.1), and the first byte of its version. */
const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 0x03;

/** Kinds of slowness, as counters. */
const SLOW_HEADERS = 0;
const SLOW_BODY = 1;
const SLOW_READ = 2;
const SLOW_NAMES = ['headers', 'body', 'read'] as const;

/**
 * HTTP floods (requests of one source, mostly for one URI, over a window; {@link HttpSpreadFloods} of many) and slow HTTP: connections whose request comes
 * in drips (slowloris, slow POST) or that keep the answer waiting behind a closed window (slow read).
 */
export class HttpLoadDetector implements Detector {
  readonly name = 'http_load';
  private readonly flood: BehaviourOptions['httpFlood'];
  private readonly slow: BehaviourOptions['slowHttp'];
  private readonly sources: Sources;
  private readonly reporter: Reporter;
  private readonly requests: SlidingCounts;
  private readonly uris: Majority;
  private readonly spread: HttpSpreadFloods;
  private readonly asking: Asking = { source: 0, uri: undefined, votes: 0, secs: 0 };
  private readonly floodLimit: Limiter;
  private readonly slowCounts: SlidingCounts;
  private readonly slowLimit: Limiter;
  private readonly targets: AddressTable;
  private readonly targetCounts: SlidingCounts;
  private readonly targetSources: DistinctSets;
  private readonly targetLimit: Limiter;
  /** Per slot: where it stands; since when and how many drips, while in HEADERS or BODY; when the window closed. */
  private stage = new Uint8Array(0);
  private readonly since = new SlotColumn();
  private readonly drips = new SlotColumn();
  private readonly closedSince = new SlotColumn();

  constructor(options: BehaviourOptions, sources: Sources, reporter: Reporter, baselines?: Baselines) {
    this.flood = options.httpFlood;
    this.slow = options.slowHttp;
    this.sources = sources;
    this.reporter = reporter;
    this.requests = new SlidingCounts(sources.table, COUNTERS, options.httpFlood.windowSecs);
    this.uris = new Majority(sources.table.capacity);
    this.spread = new HttpSpreadFloods(options, sources.table, reporter, baselines);
    this.floodLimit = reporter.limiter(sources.table);
    this.slowCounts = new SlidingCounts(sources.table, SLOW_NAMES.length, options.slowHttp.windowSecs);
    this.slowLimit = reporter.limiter(sources.table);
    this.targets = new AddressTable(options.maxTargets);
    this.targetCounts = new SlidingCounts(this.targets, SLOW_NAMES.length, options.slowHttp.windowSecs);
    this.targetSources = new DistinctSets(this.targets.capacity);
    this.targetLimit = reporter.limiter(this.targets);
  }

  onTcpOpen(flows: FlowColumns, slot: number): Wanted {
    if (slot >= this.stage.length) {
      const bigger = new Uint8Array(flows.capacity);
      bigger.set(this.stage);
      this.stage = bigger;
    }
    this.stage[slot] = IDLE;
    return WANTS.CLIENT;
  }

  onTcp(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): Wanted {
    const stage = this.stage[slot]! & STAGE;
    if (direction === 0) {
      if (p.payloadLen > 0) this.onClient(p, flows, slot);
      else if (stage !== IDLE) this.onWindow(p, flows, slot);
    } else if (p.payloadLen > 0 && (stage === BODY || stage === HEADERS)) this.enter(WAITING, p, flows, slot);
    return WANTED[this.stage[slot]! & STAGE]!;
  }

  private onClient(p: DecodedPacket, flows: FlowColumns, slot: number): void {
    const { data } = p;
    const at = p.payloadOffset;
    const end = at + p.payloadLen;
    const stage = this.stage[slot]! & STAGE;
    if (stage === SLOW) return;
    if (isHttpRequest(p)) {
      this.begin(p, flows, slot);
      return;
    }
    if (stage >= IDLE_AGAIN) this.stage[slot] = stage === NOT_HTTP ? NOT_HTTP : stage + 1;
    // A connection that begins with no letter of a method is none of HTTP.
    else if (stage === IDLE) {
      this.stage[slot] = isMethodLetter(data[at]!) || isMidstream(flows, slot) ? IDLE_AGAIN : NOT_HTTP;
      if (data[at] === TLS_HANDSHAKE && data[at + 1] === TLS_MAJOR) this.countHello(p, flows, slot);
    }
    if (stage !== HEADERS && stage !== BODY) return;
    if (stage === HEADERS && indexOfNoCase(data, at, end, HEADER_END) >= 0) {
      this.enter(BODY, p, flows, slot);
      return;
    }
    this.onDrip(p, flows, slot, stage);
  }

  private begin(p: DecodedPacket, flows: FlowColumns, slot: number): void {
    const { data } = p;
    const at = p.payloadOffset;
    const end = at + p.payloadLen;
    this.countRequest(p, flows, slot);
    if (data[at] !== LETTER_P && startsWith(data, end - HEADER_END.length, end, HEADER_END)) {
      this.enter(WAITING, p, flows, slot);
      return;
    }
    const headerEnd = indexOfNoCase(data, at, end, HEADER_END);
    if (headerEnd < 0) this.enter(HEADERS, p, flows, slot);
    else this.enter(hasBody(data, at, headerEnd) ? BODY : WAITING, p, flows, slot);
  }

  private enter(stage: number, p: DecodedPacket, flows: FlowColumns, slot: number): void {
    this.stage[slot] = stage;
    if (stage === WAITING) return;
    this.since.set(slot, p.tsUs, flows.capacity);
    this.drips.set(slot, 0, flows.capacity);
  }

  private onDrip(p: DecodedPacket, flows: FlowColumns, slot: number, stage: number): void {
    if (p.payloadLen > this.slow.dripBytes) {
      this.since.set(slot, p.tsUs, flows.capacity);
      this.drips.set(slot, 0, flows.capacity);
      return;
    }
    const drips = this.drips.get(slot) + 1;
    this.drips.set(slot, drips, flows.capacity);
    const secs = (p.tsUs - this.since.get(slot)) / 1e6;
    if (secs < this.slow.stallSecs || secs < drips * this.slow.dripSecs) return;
    this.onSlow(p, flows, slot, stage === HEADERS ? SLOW_HEADERS : SLOW_BODY);
  }

  /** A client that keeps its window shut holds the server's answer. */
  private onWindow(p: DecodedPacket, flows: FlowColumns, slot: number): void {
    const note = this.stage[slot]!;
    const stage = note & STAGE;
    if ((p.tcpFlags & (TCP.RST | TCP.FIN)) !== 0 || stage > WAITING || stage === SLOW) return;
    if (p.window > this.slow.closedWindow) {
      if (note !== stage) this.stage[slot] = stage;
    } else if (note === stage) {
      this.stage[slot] = stage | SHUT;
      this.closedSince.set(slot, p.tsUs, flows.capacity);
    } else if (p.tsUs - this.closedSince.get(slot) >= this.slow.stallSecs * 1e6) this.onSlow(p, flows, slot, SLOW_READ);
  }

  private onSlow(p: DecodedPacket, flows: FlowColumns, slot: number, kind: number): void {
    this.stage[slot] = SLOW;
    if (!this.slow.enabled) return;
    const source = this.sources.ofFlow(flows, slot, p.tsUs);
    const count = this.slowCounts.add(source, kind, 1, p.tsUs);
    const target = this.targets.acquireAt(flows.dstAddr, slot, p.tsUs);
    if (this.targetCounts.roll(target, p.tsUs)) this.targetSources.clear(target);
    const atTarget = this.targetCounts.add(target, kind, 1, p.tsUs);
    this.targetSources.add(target, hashAt(flows.srcAddr, slot));
    const isShared = this.targetSources.count(target) >= this.slow.targetSources;
    const bySource = count >= this.slow.connections && this.slowLimit.isDue(source, p.tsUs);
    const byTarget = isShared && atTarget >= this.slow.targetConnections && this.targetLimit.isDue(target, p.tsUs);
    if (!bySource && !byTarget) return;
    if (bySource) this.slowLimit.mark(source, p.tsUs);
    else this.targetLimit.mark(target, p.tsUs);
    const ends = endpointsOf(flows, slot);
    const n = Math.round(bySource ? count : atTarget);
    const what = SLOW_NAMES[kind]!;
    this.reporter.report({
      ...ends,
      entry: BEHAVIOURS.slowHttp,
      title: `${BEHAVIOURS.slowHttp.title} (${what})`,
      offender: ends.srcIp,
      victim: ends.dstIp,
      spoofable: this.sources.isSpoofable(source),
      score: scoreOf(n, bySource ? this.slow.connections : this.slow.targetConnections),
      confidence: 0.9,
      appProto: 'http',
      ...(bySource ? {} : { noBlock: true }),
      evidence: [
        {
          name: 'slow_connections',
          value: n,
          unit: 'connections',
          text: `${n} connections to ${ends.dstIp}:${ends.dstPort} kept open by slow ${what}`,
        },
        { name: 'threshold', value: bySource ? this.slow.connections : this.slow.targetConnections },
      ],
      metadata: { kind: [what], ...(bySource ? {} : { scope: ['target'] }) },
      packetUs: p.tsUs,
      packetNumber: p.number,
    });
  }

  private countRequest(p: DecodedPacket, flows: FlowColumns, slot: number): void {
    if (!this.flood.enabled) return;
    const source = this.sources.ofPacket(p, 0);
    if (this.requests.roll(source, p.tsUs)) this.uris.clear(source);
    const count = this.requests.addRolled(source, REQUESTS, 1, p.tsUs);
    const target = this.spread.count(p, TLS_SHARE);
    const isMany = count * 2 >= this.flood.requests;
    if (!isMany && target < 0) return;
    const uri = requestLine(p);
    this.uris.add(source, uri);
    this.requests.addRolled(source, READ, 1, p.tsUs);
    if (isMany) this.judge(source, count, p, flows, slot);
    if (target < 0) return;
    const { asking } = this;
    asking.uri = uri;
    asking.votes = this.uris.votes(source);
    this.onBusy(target, source, p, flows, slot);
  }

  private onBusy(target: number, source: number, p: DecodedPacket, flows: FlowColumns, slot: number): void {
    this.asking.source = source;
    this.asking.secs = this.requests.presentSecs(source, p.tsUs);
    this.spread.onBusy(target, this.asking, p, flows, slot);
  }

  /** Nobody can read what is asked over TLS; that somebody connects is seen. */
  private countHello(p: DecodedPacket, flows: FlowColumns, slot: number): void {
    if (!this.flood.enabled) return;
    const target = this.spread.count(p, 1);
    if (target < 0) return;
    const source = this.sources.ofPacket(p, 0);
    if (this.requests.roll(source, p.tsUs)) this.uris.clear(source);
    this.requests.addRolled(source, HELLOS, 1 / TLS_SHARE, p.tsUs);
    const { asking } = this;
    asking.uri = undefined;
    asking.votes = this.requests.present(source, HELLOS);
    this.onBusy(target, source, p, flows, slot);
  }

  stats(): Record<string, number> {
    return this.spread.stats();
  }

  private judge(source: number, count: number, p: DecodedPacket, flows: FlowColumns, slot: number): void {
    if (count < this.flood.requests || !this.floodLimit.isDue(source, p.tsUs)) return;
    // A mirror or a crawler asks for many things; a flood asks for one.
    const read = this.requests.present(source, READ);
    if (read * 8 < this.flood.requests || this.uris.votes(source) * 2 < read) return;
    this.floodLimit.mark(source, p.tsUs);
    const ends = endpointsOf(flows, slot);
    const n = Math.round(count);
    this.reporter.report({
      ...ends,
      entry: BEHAVIOURS.httpFlood,
      offender: ends.srcIp,
      victim: ends.dstIp,
      spoofable: this.sources.isSpoofable(source),
      score: scoreOf(n, this.flood.requests),
      confidence: 0.85,
      appProto: 'http',
      evidence: [
        {
          name: 'requests',
          value: n,
          unit: 'requests',
          text: `${n} requests in ${this.flood.windowSecs} s, most of them for one URI`,
        },
        { name: 'threshold', value: this.flood.requests, unit: 'requests' },
      ],
      packetUs: p.tsUs,
      packetNumber: p.number,
    });
  }
}

/** Hash of method and URI. */
function requestLine(p: DecodedPacket): number {
  const at = p.payloadOffset;
  const end = at + p.payloadLen;
  return fnv1a(p.data, at, wordEnd(p.data, wordEnd(p.data, at, end) + 1, end));
}

function hasBody(data: Uint8Array, at: number, headerEnd: number): boolean {
  return indexOfNoCase(data, at, headerEnd, CONTENT_LENGTH) >= 0 || indexOfNoCase(data, at, headerEnd, CHUNKED) >= 0;
}

/** The connection was under way when it was first seen. */
function isMidstream(flows: FlowColumns, slot: number): boolean {
  return flows.tcpState[slot] === TCP_STATE.MIDSTREAM;
}
