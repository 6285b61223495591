import { TCP_STATE } from '../../domain/flow.js';
import { PROTO, type DecodedPacket } from '../../domain/packet.js';
import type { Alerts } from './alerts.js';
import { isFirstOfDirection } from './about-addresses.js';
import type { ByPorts } from './group/by-ports.js';
import type { PatternGroup } from './group/pattern-group.js';
import type { RuleGroups } from './groups.js';
import { addressesMatch, headerMatches, packetMatches } from './header.js';
import { Candidates } from './match/candidates.js';
import { isNewest, JoinedSearch } from './match/joined-search.js';
import type { Inspector } from './match/inspect.js';
import { headerBytes, payloadLength } from './packet-buffers.js';
import type { Rule } from './rule.js';
import type { Scene } from './scene.js';
import { isFor, type Selection } from './selection.js';
import type { StreamWindow } from './state/stream-window.js';
import type { Place } from './transactions.js';

export interface PayloadDeps {
  rules: readonly Rule[];
  groups: RuleGroups;
  inspector: Inspector;
  alerts: Alerts;
}

const NONE: readonly number[] = [];
/** A stream remembers at most so many rules that wait for more of it. */
const MAX_PENDING = 64;

/** Rules about headers, the payload of packets, and streams. */
export class PayloadRules {
  evaluated = 0;
  readonly #deps: PayloadDeps;
  readonly #candidates: Candidates;
  #place: Place | undefined;
  readonly #joined = new JoinedSearch();

  /** The choice for a packet of a flow of which nothing is remembered. */
  readonly #passing: Selection;

  constructor(deps: PayloadDeps) {
    this.#deps = deps;
    const { groups } = deps;
    this.#passing = {
      groups,
      app: undefined,
      isReversed: false,
      header: NONE,
      protocol: NONE,
      payload: undefined,
      joined: undefined,
    };
    this.#candidates = new Candidates(deps.rules.length);
  }

  inspectPacket(scene: Scene): void {
    const candidates = this.#candidates;
    const packet = scene.packet!;
    candidates.clear();
    this.#joined.stream = undefined;
    const selection = this.#select(scene);
    this.#addFitting(selection.header, scene);
    const length = payloadLength(packet);
    if (length > 0 && scene.content!.isValid && !scene.app?.isEncrypted) this.#searchPayload(scene, packet, selection);
    if (selection.protocol.length > 0) this.#addProtocolRules(scene, selection.protocol);
    if (candidates.size > 0) this.#judgePacket(scene, packet, length);
  }

  /** Rules about headers alone. */
  inspectHeaders(scene: Scene): void {
    this.#candidates.clear();
    this.#addFitting(this.#select(scene).header, scene);
    if (this.#candidates.size > 0) this.#judgePacket(scene, scene.packet!, 0);
  }

  /** Apart from the search, which most packets end with: what compiles early stays small and is not compiled again for this. */
  #judgePacket(scene: Scene, packet: DecodedPacket, length: number): void {
    const candidates = this.#candidates;
    candidates.sort();
    let payload: Uint8Array | undefined;
    for (let i = 0; i < candidates.size; i++) {
      const rule = this.#deps.rules[candidates.at(i)]!;
      if (!appMatches(rule, scene) || !headerMatches(rule, scene)) continue;
      this.#begin();
      if (!packetMatches(rule, scene) || !this.headersMatch(rule, packet)) continue;
      if (rule.payload.length > 0) {
        payload ??= packet.data.subarray(packet.payloadOffset, packet.payloadOffset + length);
        if (!this.#inspect(rule, payload, 0, 'payload')) continue;
      }
      if (this.#deps.alerts.stateMatches(rule, scene)) this.#deps.alerts.add(rule, this.#place, scene);
    }
  }

  /** Looks at what came to a stream since the last time, and again at rules that wait for more. */
  inspectStream(scene: Scene, stream: StreamWindow): void {
    if (scene.app?.isEncrypted) {
      stream.pending?.clear();
      stream.scanned = stream.length;
      return;
    }
    const candidates = this.#candidates;
    candidates.clear();
    if (stream.pending) for (const id of stream.pending) candidates.add(id);
    const group = this.#groupOf(stream, scene);
    if (this.#joined.stream === stream) {
      this.#joined.stream = undefined;
      this.#addStreamHits(group, stream);
      stream.scanned = stream.length;
    } else if (stream.length > stream.scanned) {
      const from = Math.max(0, stream.scanned - group.prefilter.longest);
      this.#search(group, stream.data, from, stream.length, stream.scanned, -stream.start);
      stream.scanned = stream.length;
    }
    if (candidates.size > 0) this.#judgeStream(scene, stream);
  }

  #judgeStream(scene: Scene, stream: StreamWindow): void {
    const candidates = this.#candidates;
    candidates.sort();
    for (let i = 0; i < candidates.size; i++) {
      const id = candidates.at(i);
      const rule = this.#deps.rules[id]!;
      if (!appMatches(rule, scene) || !headerMatches(rule, scene)) continue;
      this.#begin();
      const position = Math.max(stream.start, stream.matched?.get(rule.index) ?? 0);
      if (!this.#inspect(rule, stream.from(position), position, 'stream', stream.ended)) {
        if ((stream.pending?.size ?? 0) < MAX_PENDING && rule.payload.some(isWanted))
          (stream.pending ??= new Set()).add(id);
        continue;
      }
      // What else the rule asks for counts now, and not once more bytes have come.
      stream.pending?.delete(id);
      if (packetMatches(rule, scene) && this.#deps.alerts.stateMatches(rule, scene)) {
        (stream.matched ??= new Map()).set(id, stream.start + stream.length);
        this.#deps.alerts.add(rule, this.#place, scene);
      }
    }
  }

  /** The rules that the stream is searched for; what they have not seen is searched again. */
  #groupOf(stream: StreamWindow, scene: Scene): PatternGroup {
    const { groups } = this.#deps;
    const { side } = scene;
    const app = scene.app?.proto;
    const known = stream.scannedFor;
    const isSame = stream.chosenFrom === groups && stream.chosenApp === app && stream.chosenSide === side;
    if (known !== undefined && isSame) return known;
    stream.chosenFrom = groups;
    stream.chosenApp = app;
    stream.chosenSide = side;
    const group = ofPorts(groups.stream(side, app), scene);
    if (known !== group) {
      // The application protocol is known now: its rules have seen nothing yet.
      if (known !== undefined) stream.scanned = 0;
      stream.scannedFor = group;
    }
    return group;
  }

  /** Contents without a buffer, in the stream or else in the packet, of a rule about transactions. */
  payloadMatches(rule: Rule, scene: Scene): boolean {
    const { inspector } = this.#deps;
    const stream = scene.state?.streams[scene.direction];
    if (stream) return inspector.run(rule.payload, stream.data.subarray(0, stream.length), stream.start, stream.ended);
    const p = scene.packet;
    return (
      p !== undefined && inspector.run(rule.payload, p.data.subarray(p.payloadOffset, p.payloadOffset + p.payloadLen))
    );
  }

  #begin(): void {
    this.evaluated++;
    this.#place = undefined;
    this.#deps.inspector.begin();
  }

  /** Rules for the packet at hand; chosen anew for each packet as long as nothing is remembered about its flow. */
  #select(scene: Scene): Selection {
    const { groups, rules } = this.#deps;
    const { app: known, state, direction } = scene;
    const last = state?.selections[direction];
    if (last !== undefined && isFor(last, groups, known)) return last;
    const app = known?.proto;
    const isReversed = known?.isReversed ?? false;
    const ids = ofPorts(groups.header(scene.proto), scene);
    const protocol = app === undefined ? NONE : groups.protocol(app);
    if (state === undefined) {
      const passing = this.#passing;
      passing.groups = groups;
      passing.app = app;
      passing.isReversed = isReversed;
      passing.header = ids;
      passing.protocol = protocol;
      passing.payload = passing.joined = undefined;
      return passing;
    }
    const header = ids.length === 0 ? NONE : ids.filter((id) => addressesMatch(rules[id]!, scene));
    const selection = { groups, app, isReversed, header, protocol, payload: undefined, joined: undefined };
    return (state.selections[direction] = selection);
  }

  #searchPayload(scene: Scene, packet: DecodedPacket, selection: Selection): void {
    const { groups } = this.#deps;
    const from = packet.payloadOffset;
    const to = from + packet.payloadLen;
    const { app } = selection;
    selection.payload ??= ofPorts(groups.packet(packet.proto, scene.flowless ? 2 : scene.side, app), scene);
    const { fed } = scene;
    if (fed !== undefined && this.#searchJoined(scene, fed, packet, selection)) return;
    this.#search(selection.payload, packet.data, from, to, from, from);
    // Without a stream its rules see single packets: connections picked up midway that are not followed.
    if (isLoose(scene)) this.#search(ofPorts(groups.stream(scene.side, app), scene), packet.data, from, to, from, from);
  }

  /** One search for the packet, its stream and the body in it, when the packet is just what came to the stream. */
  #searchJoined(scene: Scene, stream: StreamWindow, packet: DecodedPacket, selection: Selection): boolean {
    if (scene.state?.streams[scene.direction] !== stream) return false;
    const group = this.#groupOf(stream, scene);
    if (!isNewest(scene.fedBytes, packet, stream)) return false;
    const packetGroup = selection.payload!;
    selection.joined ??= this.#deps.groups.joined(packetGroup, group, { app: selection.app, side: scene.side });
    if (selection.joined === undefined) return false;
    this.#joined.search(selection.joined, stream, this.#hit);
    this.#addAlways(packetGroup);
    const { payloadOffset } = packet;
    const end = payloadOffset + Math.min(packet.payloadLen, packetGroup.shallowBytes);
    if (end > payloadOffset) packetGroup.shallow.scan(packet.data, payloadOffset, end, payloadOffset, this.#hit);
    return true;
  }

  /** What a joined search has found about the stream, and what is looked for in its beginning only. */
  #addStreamHits(group: PatternGroup, stream: StreamWindow): void {
    this.#addAlways(group);
    this.#hit(this.#joined.streamHits);
    this.#searchBeginning(group, stream.data, stream.length, stream.scanned, -stream.start);
  }

  /** Rules that ask for nothing but a protocol: each packet behind the one of a stream that told it, and each datagram. */
  #addProtocolRules(scene: Scene, ids: readonly number[]): void {
    if (scene.proto !== PROTO.TCP || isKnownBefore(scene)) this.#addFitting(ids, scene);
  }

  #addFitting(ids: readonly number[], scene: Scene): void {
    for (let i = 0; i < ids.length; i++) {
      const rule = this.#deps.rules[ids[i]!]!;
      if (rule.isAboutAddresses && !isFirstOfDirection(scene)) continue;
      if (headerMatches(rule, scene)) this.#candidates.add(ids[i]!);
    }
  }

  #search(group: PatternGroup, data: Uint8Array, from: number, to: number, fresh: number, begin: number): void {
    this.#addAlways(group);
    if (group.prefilter.patterns > 0) group.prefilter.scan(data, from, to, fresh, this.#hit);
    this.#searchBeginning(group, data, to, fresh, begin);
  }

  #addAlways(group: PatternGroup): void {
    for (let i = 0; i < group.always.length; i++) this.#candidates.add(group.always[i]!);
  }

  /** @param begin position of the first byte of the payload or stream, also when it is not kept any more. */
  #searchBeginning(group: PatternGroup, data: Uint8Array, to: number, fresh: number, begin: number): void {
    const end = Math.min(to, begin + group.shallowBytes);
    if (end > fresh) group.shallow.scan(data, Math.max(0, begin, fresh - group.shallow.longest), end, fresh, this.#hit);
  }

  readonly #hit = (ids: readonly number[]): void => {
    for (let i = 0; i < ids.length; i++) this.#candidates.add(ids[i]!);
  };

  /** What a rule looks for in headers, and nowhere else. */
  headersMatch(rule: Rule, packet: DecodedPacket): boolean {
    for (const inspection of rule.buffers) {
      if (inspection.buffer.source !== 'packet') return false;
      let data = headerBytes(inspection.buffer.name, packet);
      if (!data) return false;
      for (const transform of inspection.transforms) data = transform.apply(data);
      if (!this.#deps.inspector.run(inspection.matches, data)) return false;
      this.#remember(inspection.buffer.name, data);
    }
    return true;
  }

  #inspect(rule: Rule, data: Uint8Array, start: number, name: string, atEnd = true): boolean {
    if (!this.#deps.inspector.run(rule.payload, data, start, atEnd)) return false;
    this.#remember(name, data);
    return true;
  }

  #remember(buffer: string, data: Uint8Array): void {
    const { offset, length } = this.#deps.inspector.found;
    if (length > 0) this.#place = { buffer, data, offset, length };
  }
}

const isWanted = (m: Rule['payload'][number]): boolean => m.kind === 'content' && !m.negated;

function ofPorts<T>(groups: ByPorts<T>, scene: Scene): T {
  const { proto } = scene;
  const hasPorts = proto === PROTO.TCP || proto === PROTO.UDP || proto === PROTO.SCTP;
  return hasPorts ? groups.get(scene.port(true), scene.port(false)) : groups.all;
}

function appMatches(rule: Rule, scene: Scene): boolean {
  if (rule.appProtos === undefined) return true;
  const app = scene.app?.proto;
  return app !== undefined && rule.appProtos.includes(app);
}

/** What the connection speaks was known before this packet, or is with what it acknowledges. */
function isKnownBefore({ app, direction }: Scene): boolean {
  const { settled, known } = app!.sides;
  return settled[0] !== undefined || settled[1] !== undefined || known[1 - direction] !== undefined;
}

/** A TCP packet whose connection is not followed. */
function isLoose(scene: Scene): boolean {
  if (scene.proto !== PROTO.TCP || !scene.flows) return false;
  if (scene.slot < 0) return true;
  const isMidstream = scene.flows.tcpState[scene.slot] === TCP_STATE.MIDSTREAM;
  return isMidstream && scene.state?.streams[scene.direction] === undefined;
}
