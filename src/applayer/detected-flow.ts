import type { AppParser, AppProto, AppTransaction } from '../domain/app-layer.js';
import type { Direction } from '../domain/flow.js';
import type { AppFlow, FlowAddresses, FlowEnds } from './app-flow.js';
import type { Expectations } from './expectations.js';
import { concat, copy, NOTHING, part } from './http/bytes.js';
import type { AppLayerOptions } from './options.js';
import { createParser } from './parsers.js';
import { detectProtocol, type Detected } from './protocol.js';
import { finishedParser } from './recognized.js';
import { ProtocolSides } from './sides.js';

const NO_TRANSACTIONS: readonly AppTransaction[] = [];

/** What is known of a flow before its first byte. */
export interface FlowContext {
  transport: 'tcp' | 'udp';
  ports: { srcPort: number; dstPort: number };
  ends: FlowEnds;
  expectations: Expectations;
  count(name: string): void;
}

/** A flow speaks at most so many protocols one after the other. */
const MAX_HANDOVERS = 4;

/** Keeps the first bytes of each direction until they tell the protocol, then hands everything to its parser. */
export class DetectedFlow implements AppFlow {
  isDecided = false;
  isReversed = false;
  private parser: AppParser | undefined;
  private readonly held: [Uint8Array, Uint8Array] = [NOTHING, NOTHING];
  /** The bytes of a direction are of no known protocol. */
  private readonly isStrange = [false, false];
  private readonly isEnded = [false, false];
  /** Directions that are over, as bits. */
  private over = 0;
  /** The direction that spoke first. */
  private first: Direction = 0;
  /** Bytes lost after the ones that are held. */
  private readonly lost = [0, 0];
  private readonly options: AppLayerOptions;
  private readonly context: FlowContext;
  readonly sides = new ProtocolSides((bytes, direction) => {
    const found = detectProtocol(bytes, direction, this.context.transport, this.context.ports);
    return found === 'wait' ? undefined : found?.proto;
  });
  /** The protocol that both ends have agreed to go on in. */
  private expected: AppProto | undefined;
  /** Anomalies for the first transaction of that protocol. */
  private expectedEvents: readonly string[] = [];
  /** Gave way to another protocol; kept until its transactions are released. */
  private former: AppParser | undefined;
  private handovers = 0;

  constructor(options: AppLayerOptions, context: FlowContext) {
    this.options = options;
    this.context = context;
  }

  get proto(): AppProto | undefined {
    return this.parser?.proto;
  }

  get isEncrypted(): boolean {
    return this.parser?.isEncrypted ?? false;
  }

  get transactions(): readonly AppTransaction[] {
    const own = this.parser?.transactions ?? NO_TRANSACTIONS;
    return this.former === undefined ? own : [...this.former.transactions, ...own];
  }

  release(transaction: AppTransaction): void {
    this.parser?.release(transaction);
    if (this.former !== undefined) {
      this.former.release(transaction);
      if (this.former.transactions.length === 0) this.former = undefined;
    }
    this.forgetWhenOver();
  }

  /** The protocol is known before the first byte. */
  take(parser: AppParser): void {
    this.parser = parser;
    this.isDecided = true;
    this.sides.set(parser.proto);
    this.context.count(`flows_${parser.proto}`);
  }

  onData(direction: Direction, data: Uint8Array, offset: number, length: number, position: number, tsUs: number): void {
    if (this.parser !== undefined) {
      if (this.sides.known[direction] === undefined && length > 0) {
        this.sides.hear(this.parser.proto, direction, this.isReversed, part(data, offset, length));
      }
      const side = (direction ^ (this.isReversed ? 1 : 0)) as Direction;
      try {
        this.parser.onData(side, data, offset, length, position, tsUs);
      } catch {
        this.fail();
      }
      if (this.parser?.hasEnded === true) this.handOver(direction, position + length, tsUs);
      return;
    }
    if (length === 0) return;
    if (this.isDecided) {
      this.sides.wait(direction, length);
      return;
    }
    if (this.lost[direction]! > 0) {
      // What comes after a hole does not begin with the beginning of a message.
      this.lost[direction]! += length;
      return;
    }
    if (this.held[0].length + this.held[1].length === 0) this.first = direction;
    const held = this.held[direction];
    const fresh = part(data, offset, length);
    this.held[direction] = concat(held, fresh);
    const found = this.detect(direction);
    if (found === 'wait' || found === undefined) {
      if (held.length === 0) this.held[direction] = copy(fresh);
      this.isStrange[direction] = found === undefined;
      if (this.context.transport === 'udp') this.sides.known[direction] = 'failed';
      else this.sides.wait(direction, length);
      this.giveUpIfLong();
      return;
    }
    this.begin(found, tsUs);
  }

  onGap(direction: Direction, length: number, position: number, tsUs: number): void {
    if (this.parser === undefined) {
      this.lost[direction]! += length;
      this.giveUpIfLong();
      return;
    }
    this.guard(() => this.parser!.onGap((direction ^ (this.isReversed ? 1 : 0)) as Direction, length, position, tsUs));
  }

  onEnd(direction: Direction, tsUs: number): void {
    if (this.parser === undefined) {
      this.isEnded[direction] = true;
      if (this.expected === 'http2') this.checkExpected(undefined);
      this.giveUpIfLong();
      return;
    }
    this.guard(() => this.parser!.onEnd((direction ^ (this.isReversed ? 1 : 0)) as Direction, tsUs));
    this.over |= 1 << direction;
    this.forgetWhenOver();
  }

  /** A closed connection stays in the flow table for a while: its parser need not. */
  private forgetWhenOver(): void {
    if (this.over !== 3 || this.former !== undefined || this.parser === undefined) return;
    if (this.parser.transactions.length === 0) this.parser = finishedParser(this.parser);
  }

  /** What follows is of another protocol, which is looked for anew. */
  private handOver(direction: Direction, end: number, tsUs: number): void {
    if (++this.handovers > MAX_HANDOVERS) return;
    const rest = this.parser!.rest ?? NOTHING;
    const { isReversed } = this;
    this.expected = this.parser!.expects;
    this.expectedEvents = this.parser!.nextEvents ?? [];
    this.sides.reset();
    this.former = this.parser!.transactions.length > 0 ? this.parser : undefined;
    this.parser = undefined;
    this.isDecided = this.isReversed = false;
    this.lost[0] = this.lost[1] = 0;
    this.isStrange[0] = this.isStrange[1] = false;
    // Its frames have nothing that would tell them from other bytes.
    if (this.expected === 'websocket') this.begin({ proto: 'websocket', isReversed }, tsUs);
    if (rest.length > 0) this.onData(direction, rest, 0, rest.length, end - rest.length, tsUs);
  }

  private detect(direction: Direction): Detected | 'wait' | undefined {
    return detectProtocol(this.held[direction], direction, this.context.transport, this.context.ports);
  }

  private giveUpIfLong(): void {
    const isLong = (d: Direction): boolean =>
      this.isStrange[d]! || this.isEnded[d]! || this.lost[d]! > 0 || this.held[d].length >= this.options.maxProbeBytes;
    const isHuge = this.held[0].length + this.held[1].length > 4 * this.options.maxProbeBytes;
    if (!isHuge && (!isLong(0) || !isLong(1))) return;
    this.isDecided = true;
    this.held[0] = this.held[1] = NOTHING;
    this.context.count('flows_unknown');
  }

  private begin(found: Detected, tsUs: number): void {
    const { ends, expectations, transport } = this.context;
    this.isDecided = true;
    this.context.count(`flows_${found.proto}`);
    this.isReversed = found.isReversed;
    if (this.context.transport === 'udp') this.sides.set(found.proto);
    else this.sides.begin(found.proto, { direction: this.first, isReversed: this.isReversed });
    this.checkExpected(found.proto);
    const addresses: FlowAddresses = found.isReversed
      ? { client: ends.dst, server: ends.src }
      : { client: ends.src, server: ends.dst };
    const { expectedEvents: events } = this;
    this.expectedEvents = [];
    this.parser = createParser(found.proto, this.options, { transport, addresses, expectations, events });
    const [fwd, bwd] = this.held;
    this.held[0] = this.held[1] = NOTHING;
    const order: Direction[] = this.first === 0 ? [0, 1] : [1, 0];
    for (const d of order) {
      const bytes = d === 0 ? fwd : bwd;
      if (bytes.length > 0) this.onData(d, bytes, 0, bytes.length, 0, tsUs);
    }
    for (const d of order) {
      const { length } = d === 0 ? fwd : bwd;
      if (this.lost[d]! > 0) this.onGap(d, this.lost[d]!, length, tsUs);
      if (this.isEnded[d]) this.onEnd(d, tsUs);
    }
  }

  private checkExpected(found: AppProto | undefined): void {
    const { expected } = this;
    this.expected = undefined;
    if (expected === undefined || expected === found) return;
    this.sides.note('applayer_unexpected_protocol');
    if (expected === 'tls') this.sides.note('applayer_no_tls_after_starttls');
  }

  private guard(call: () => void): void {
    try {
      call();
    } catch {
      this.fail();
    }
  }

  /** A parser that throws has a defect; the flow goes on without it. */
  private fail(): void {
    this.context.count('flows_failed');
    this.parser = undefined;
  }
}
