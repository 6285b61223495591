import type { Direction } from '../../domain/flow.js';
import { PROTO } from '../../domain/packet.js';
import { ByPorts } from './group/by-ports.js';
import { JoinedGroups, type JoinedGroup } from './group/joined-group.js';
import { makePatternGroup, type PatternGroup } from './group/pattern-group.js';
import { PortClasses } from './group/port-classes.js';
import { makeTransactionGroup, type SharedBuffers, type TransactionGroup } from './group/transaction-group.js';
import { Scanner } from './match/wasm/scanner.js';
import type { Rule } from './rule.js';
import { atOnce, finish, type Steps } from './steps.js';

/** Towards the server, towards the client, or unknown. */
export type Side = Direction | 2;

/** Protocols whose payload rules look at; others see the rules for any protocol. */
const PAYLOAD_PROTOS = [1, 6, 17, 58, 132];
const SIDES = 3;
/** Beyond these, ports share their tables. */
const MAX_TABLE_BYTES = 64 * 1_048_576;

/** What almost every network carries. */
const USUAL: readonly (readonly [proto: number, port: number, app: string | undefined])[] = [
  [PROTO.TCP, 80, 'http'],
  [PROTO.TCP, 443, 'tls'],
  [PROTO.TCP, 443, undefined],
  [PROTO.TCP, 22, 'ssh'],
  [PROTO.UDP, 53, 'dns'],
];
const CLIENT_PORT = 50_000;
/** Protocols whose transactions know where their bodies are in the stream. */
const WITH_BODIES = new Set(['http']);

/** All rules, sorted by where they are looked at; groups are made when they are needed first. */
export class RuleGroups {
  readonly #rules: readonly Rule[];
  readonly #ports;
  readonly #scanner = new Scanner();
  readonly #joined = new JoinedGroups(this.#scanner, () => this.#ports.hasRoom());
  readonly #apps = new Map<string | undefined, number>();
  readonly #headers: (ByPorts<readonly number[]> | undefined)[] = [];
  readonly #packets: (ByPorts<PatternGroup> | undefined)[] = [];
  readonly #streams: (ByPorts<PatternGroup> | undefined)[] = [];
  readonly #transactions = new Map<string, [TransactionGroup?, TransactionGroup?]>();
  readonly #protocols = new Map<string, readonly number[]>();

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    this.#ports = {
      src: new PortClasses(),
      dst: new PortClasses(),
      hasRoom: () => this.#scanner.tableBytes < MAX_TABLE_BYTES,
    };
  }

  /** Bytes of the scanner's tables. */
  get tableBytes(): number {
    return this.#scanner.tableBytes;
  }

  /**
   * To be done before anything is asked for: makes the groups that ordinary traffic needs at once, in small steps. Others are
   * made when a packet asks for them.
   */
  *prepare(): Steps<void> {
    yield* this.#ports.src.split(this.#rules.map((rule) => rule.srcPorts));
    yield* this.#ports.dst.split(this.#rules.map((rule) => rule.dstPorts));
    const apps = new Set(this.#rules.flatMap((r) => (r.kind === 'transaction' ? (r.appProtos ?? []) : [])));
    for (const app of apps) {
      for (const direction of [0, 1] as const) {
        yield* this.#makeTransaction(app, direction);
        yield;
      }
    }
    for (const [proto, port, app] of USUAL) {
      for (const side of [0, 1] as const) {
        const [src, dst] = side === 0 ? [CLIENT_PORT, port] : [port, CLIENT_PORT];
        const packet = yield* this.packet(proto, side, app).make(src, dst);
        yield;
        if (proto !== PROTO.TCP) continue;
        const stream = yield* this.stream(side, app).make(src, dst);
        yield;
        yield* this.#joined.make(packet, stream, this.#bodies(app, side));
        yield;
      }
    }
  }

  /** Rules about headers only. */
  header(proto: number): ByPorts<readonly number[]> {
    return (this.#headers[proto] ??= new ByPorts(
      this.#rules.filter((r) => r.kind === 'packet' && (r.ipProtos?.includes(proto) ?? true)),
      this.#ports,
      (some) => atOnce(some.map((r) => r.index)),
    ));
  }

  /** Rules about the payload of single packets. @param app the application protocol, as far as it is known. */
  packet(proto: number, side: Side, app: string | undefined): ByPorts<PatternGroup> {
    const kind = 1 + PAYLOAD_PROTOS.indexOf(proto);
    const key = (this.#appIndex(app) * (1 + PAYLOAD_PROTOS.length) + kind) * SIDES + side;
    return (this.#packets[key] ??= this.#payload(
      side,
      app,
      (r) =>
        (r.inPacket || proto !== PROTO.TCP) && (r.ipProtos === undefined || (kind > 0 && r.ipProtos.includes(proto))),
    ));
  }

  /** Rules about streams. */
  stream(side: Side, app: string | undefined): ByPorts<PatternGroup> {
    const key = this.#appIndex(app) * SIDES + side;
    return (this.#streams[key] ??= this.#payload(side, app, (r) => r.inStream));
  }

  /** Rules about transactions of an application protocol. */
  transaction(proto: string, direction: Direction): TransactionGroup {
    return this.#transactions.get(proto)?.[direction] ?? finish(this.#makeTransaction(proto, direction));
  }

  /** One search for both groups and the bodies of the protocol; undefined when it is not worth it (yet). */
  joined(
    packet: PatternGroup,
    stream: PatternGroup,
    { app, side }: { app: string | undefined; side: Direction },
  ): JoinedGroup | undefined {
    return this.#joined.of(packet, stream, this.#bodies(app, side));
  }

  /** Rules that ask for nothing but an application protocol. */
  protocol(app: string): readonly number[] {
    let found = this.#protocols.get(app);
    if (!found) {
      found = this.#rules.filter((r) => r.kind === 'protocol' && r.appProtos?.includes(app)).map((r) => r.index);
      this.#protocols.set(app, found);
    }
    return found;
  }

  *#makeTransaction(proto: string, direction: Direction): Steps<TransactionGroup> {
    let pair = this.#transactions.get(proto);
    if (pair === undefined) this.#transactions.set(proto, (pair = []));
    const rules = this.#rules.filter(
      (r) => r.kind === 'transaction' && ((r.towards >> direction) & 1) === 1 && r.appProtos?.includes(proto),
    );
    return (pair[direction] ??= yield* makeTransactionGroup(rules, direction, this.#scanner));
  }

  #bodies(app: string | undefined, side: Direction): SharedBuffers | undefined {
    return app !== undefined && WITH_BODIES.has(app) ? this.transaction(app, side).shared : undefined;
  }

  #appIndex(app: string | undefined): number {
    let index = this.#apps.get(app);
    if (index === undefined) this.#apps.set(app, (index = this.#apps.size));
    return index;
  }

  #payload(side: Side, app: string | undefined, fits: (rule: Rule) => boolean): ByPorts<PatternGroup> {
    const rules = this.#rules.filter(
      (r) =>
        r.kind === 'payload' &&
        fits(r) &&
        (side === 2 || ((r.towards >> side) & 1) === 1) &&
        (r.appProtos === undefined || (app !== undefined && r.appProtos.includes(app))),
    );
    return new ByPorts(rules, this.#ports, (some) => makePatternGroup(some, this.#scanner));
  }
}
