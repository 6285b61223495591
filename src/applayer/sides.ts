import type { AppProto } from '../domain/app-layer.js';
import type { Direction } from '../domain/flow.js';
import { concat, copy, latin1, NOTHING, part } from './http/bytes.js';

/** What a direction speaks, by its own first bytes; `failed` when they are of no protocol. */
export type Spoken = AppProto | 'failed';

/** Bytes after which nothing is recognised any more: as long as the longest beginning that Suricata knows, by role. */
export const DECISIVE_BYTES: readonly [number, number] = [17, 8];
const PROBE_BYTES = 512;
/** Bytes of one direction, with none of the other, after which the search is given up. */
const ONE_SIDED_BYTES = 100_000;

/**
 * By what Suricata knows a protocol in each direction (0 to the server), for those that it knows less generously than we do;
 * what is not here is known in both.
 */
const KNOWN_BY: Partial<Record<AppProto, readonly [RegExp, RegExp]>> = {
  http: [
    /^(GET|PUT|POST|HEAD|TRACE|OPTIONS|CONNECT|DELETE|PATCH|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|CHECKOUT|UNCHECKOUT|CHECKIN|UPDATE|LABEL|REPORT|MKWORKSPACE|MKACTIVITY|MERGE|INVALID|VERSION-CONTROL|BASELINE-CONTROL)[ \t]/i,
    /^HTTP\/(0\.9|1\.[01])/i,
  ],
  ssh: [/^SSH-/, /^SSH-/],
  smtp: [/^(EHLO|HELO|QUIT)/i, /(?!)/],
  ftp: [/^(USER |PASS |PORT |AUTH SSL|AUTH TLS|FEAT)/i, /^220 \(/],
  tls: [/^(?:[\x14-\x18]\x03|[\x80-\xff][^]\x01)/, /^(?:[\x14-\x18]\x03|[\x80-\xff][^][\x01\x04])/],
  smb: [/^\0[^]{3}[\xfd-\xff]SMB/, /^\0[^]{3}[\xfd-\xff]SMB/],
};
/** Protocols whose first word is the client's. */
const CLIENT_FIRST = new Set<AppProto>(['tls', 'modbus']);

/**
 * What each direction of a flow speaks, and what is odd about it: names of `app-layer-event` that are about no transaction.
 * Rules about packets are told what was known before the packet, since Suricata learns it from its acknowledgement.
 */
export class ProtocolSides {
  readonly known: [Spoken | undefined, Spoken | undefined] = [undefined, undefined];
  readonly settled: [Spoken | undefined, Spoken | undefined] = [undefined, undefined];
  /** What the flow began with: TLS behind STARTTLS does not change it. */
  original: Spoken | undefined;
  /** The packet at hand is the first of its direction of which it is known what is spoken. */
  isFirst = false;
  private readonly wasSeen = [false, false];
  private readonly probes: [Uint8Array, Uint8Array] = [NOTHING, NOTHING];
  private readonly bytes = [0, 0];
  private anomalies: string[] = [];
  private readonly detect: (bytes: Uint8Array, direction: Direction) => AppProto | undefined;

  /** @param detect the protocol of the first bytes of a direction. */
  constructor(detect: (bytes: Uint8Array, direction: Direction) => AppProto | undefined) {
    this.detect = detect;
  }

  /** A packet of this direction comes: what is known counts from here on. */
  settle(direction: Direction): void {
    this.settled[0] = this.known[0];
    this.settled[1] = this.known[1];
    this.isFirst = this.settled[direction] !== undefined && !this.wasSeen[direction];
    if (this.isFirst) this.wasSeen[direction] = true;
  }

  /** Anomalies since the last call. */
  take(): readonly string[] {
    const taken = this.anomalies;
    if (taken.length > 0) this.anomalies = [];
    return taken;
  }

  note(anomaly: string): void {
    this.anomalies.push(anomaly);
  }

  /** The protocol of the flow is known. @param first the direction that spoke first. */
  begin(proto: AppProto, first: { direction: Direction; isReversed: boolean }): void {
    this.original ??= proto;
    const client: Direction = first.isReversed ? 1 : 0;
    if (CLIENT_FIRST.has(proto) && first.direction !== client) this.note('applayer_wrong_direction_first_data');
  }

  /** Both directions are known to speak it. */
  set(proto: Spoken): void {
    this.original ??= proto;
    this.known.fill(proto);
  }

  /** Another protocol is looked for. */
  reset(): void {
    for (const d of [0, 1] as const) {
      this.known[d] = undefined;
      this.probes[d] = NOTHING;
      this.wasSeen[d] = false;
    }
  }

  /** Bytes of a direction of a flow whose protocol is known. */
  hear(proto: AppProto, direction: Direction, isReversed: boolean, data: Uint8Array): void {
    const known = KNOWN_BY[proto];
    if (known === undefined) {
      this.known[direction] = proto;
      return;
    }
    const side = (direction ^ (isReversed ? 1 : 0)) as Direction;
    const probe = concat(this.probes[direction], part(data, 0, Math.min(data.length, PROBE_BYTES)));
    if (known[side].test(latin1(probe))) this.known[direction] = proto;
    else if (probe.length < DECISIVE_BYTES[side]) {
      this.probes[direction] = copy(probe);
      return;
    } else this.disagree(proto, direction, probe);
    this.probes[direction] = NOTHING;
  }

  private disagree(proto: AppProto, direction: Direction, probe: Uint8Array): void {
    const other = this.detect(probe, direction);
    const isOther = other !== undefined && other !== proto;
    this.known[direction] = isOther ? other : 'failed';
    this.note(isOther ? 'applayer_mismatch_protocol_both_directions' : 'applayer_detect_protocol_only_one_direction');
  }

  /** Bytes of a direction of a flow whose protocol is not known (yet). */
  wait(direction: Direction, length: number): void {
    const before = this.bytes[direction]!;
    this.bytes[direction] = before + length;
    const [there, back] = this.bytes as [number, number];
    if (there >= DECISIVE_BYTES[0] && back >= DECISIVE_BYTES[1]) this.set('failed');
    const isOneSided =
      this.bytes[1 - direction] === 0 && before <= ONE_SIDED_BYTES && before + length > ONE_SIDED_BYTES;
    if (!isOneSided) return;
    this.note('applayer_proto_detection_skipped');
    this.set('failed');
  }
}
