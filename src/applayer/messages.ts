import type { AppParser, AppProto, AppTransaction } from '../domain/app-layer.js';
import type { Direction } from '../domain/flow.js';
import { concat, copy, NOTHING } from './http/bytes.js';
import type { AppLayerOptions } from './options.js';
import { FieldTransaction, TransactionList } from './transaction.js';

/** What a protocol of separate messages has of its own. */
export interface MessageReader {
  /**
   * Over TCP: bytes of the message that `d` begins with; 0 when more of it is needed to tell, -1 when `d` is none and the
   * direction cannot be read any more.
   */
  length?(d: Uint8Array, direction: Direction): number;
  /** One whole message, or its beginning when it is longer than is kept. Must not keep `d` itself. */
  message(d: Uint8Array, direction: Direction, tsUs: number): void;
  /** No more bytes of a direction. */
  end?(direction: Direction): void;
  /** The protocol that both sides have agreed to go on in. */
  next?(): AppProto | undefined;
}

/** Opens transactions; closed ones are kept until they are inspected. */
export interface Transactions {
  /** @param side when the transaction is one message by itself. */
  open(side?: Direction): FieldTransaction;
  readonly all: readonly FieldTransaction[];
}

export interface MessageParserInput {
  proto: AppProto;
  options: AppLayerOptions;
  transport: 'tcp' | 'udp';
  /** Bytes of one message that are kept; of a longer one the beginning is read. */
  maxMessageBytes?: number;
  /** What a transaction tells for which the oldest was given up. */
  tooMany?: string;
  reader(transactions: Transactions): MessageReader;
}

const MAX_MESSAGE_BYTES = 65_536;

/** A parser of messages: each datagram is one; over TCP they are cut out of the stream. */
export function createMessageParser(input: MessageParserInput): AppParser {
  return new MessageParser(input);
}

class MessageParser implements AppParser {
  readonly proto: AppProto;
  private readonly list: TransactionList<FieldTransaction>;
  private readonly reader: MessageReader;
  private readonly isTcp: boolean;
  private readonly max: number;
  private readonly held: [Uint8Array, Uint8Array] = [NOTHING, NOTHING];
  /** Bytes of a message whose beginning was read already. */
  private readonly skip = [0, 0];
  private readonly isLost = [false, false];

  constructor({ proto, options, transport, maxMessageBytes, tooMany, reader }: MessageParserInput) {
    this.proto = proto;
    this.isTcp = transport === 'tcp';
    this.max = maxMessageBytes ?? MAX_MESSAGE_BYTES;
    this.list = new TransactionList(options.maxTransactions);
    this.reader = reader({
      open: (side) => {
        const tx = this.list.open((id) => new FieldTransaction(proto, id, side));
        if (tooMany !== undefined && this.list.isFull) tx.note(tooMany);
        return tx;
      },
      all: this.list.all,
    });
  }

  get hasEnded(): boolean {
    return this.expects !== undefined;
  }

  get expects(): AppProto | undefined {
    return this.reader.next?.();
  }

  get transactions(): readonly FieldTransaction[] {
    return this.list.all;
  }

  release(transaction: AppTransaction): void {
    this.list.release(transaction);
  }

  onData(
    direction: Direction,
    data: Uint8Array,
    offset: number,
    length: number,
    _position: number,
    tsUs: number,
  ): void {
    if (this.isLost[direction]) return;
    const fresh = data.subarray(offset, offset + length);
    if (!this.isTcp) {
      this.reader.message(fresh, direction, tsUs);
      return;
    }
    let rest = concat(this.held[direction], fresh);
    while (rest.length > 0) {
      const skipped = Math.min(this.skip[direction]!, rest.length);
      this.skip[direction]! -= skipped;
      rest = rest.subarray(skipped);
      if (rest.length === 0) break;
      const size = this.reader.length?.(rest, direction) ?? rest.length;
      if (size < 0) {
        this.lose(direction);
        return;
      }
      if (size === 0 || rest.length < Math.min(size, this.max)) {
        if (rest.length > this.max) this.lose(direction);
        break;
      }
      this.reader.message(rest.subarray(0, Math.min(size, this.max)), direction, tsUs);
      this.skip[direction] = Math.max(0, size - rest.length);
      rest = rest.subarray(Math.min(size, rest.length));
    }
    this.held[direction] = rest.length > 0 && !this.isLost[direction] ? copy(rest) : NOTHING;
  }

  onGap(direction: Direction): void {
    this.lose(direction);
  }

  onEnd(direction: Direction): void {
    this.reader.end?.(direction);
    for (const tx of this.list.all) tx.finish(direction);
  }

  private lose(direction: Direction): void {
    this.isLost[direction] = true;
    this.held[direction] = NOTHING;
  }
}
