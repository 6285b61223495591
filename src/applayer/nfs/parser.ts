import type { AppParser } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { createMessageParser, type MessageReader, type Transactions } from '../messages.js';
import type { AppLayerOptions } from '../options.js';
import type { FieldTransaction } from '../transaction.js';

const CALL = 0;
const NFS = 100_003;
const MAX_WAITING = 256;
const MARK = 4;

/** NFS version 2 to 4 in ONC RPC (RFC 1094, 1813, 7530; RFC 5531): version and procedure of each call. */
export function createNfsParser(options: AppLayerOptions, transport: 'tcp' | 'udp'): AppParser {
  return createMessageParser({
    proto: 'nfs',
    options,
    transport,
    tooMany: 'too_many_transactions',
    reader: (list) => new NfsReader(list, transport === 'tcp' ? MARK : 0),
  });
}

class NfsReader implements MessageReader {
  private readonly list: Transactions;
  /** Bytes of the record mark before each message (RFC 5531 11). */
  private readonly mark: number;
  private readonly waiting = new Map<number, FieldTransaction>();

  constructor(list: Transactions, mark: number) {
    this.list = list;
    this.mark = mark;
  }

  length(d: Uint8Array): number {
    return d.length < MARK ? 0 : MARK + (u32(d, 0) & 0x7fffffff);
  }

  message(record: Uint8Array, direction: Direction): void {
    const d = record.subarray(this.mark);
    if (d.length < 8) return;
    const id = u32(d, 0);
    if (direction === 1) {
      this.waiting.get(id)?.finish();
      this.waiting.delete(id);
      return;
    }
    if (d.length < 24 || u32(d, 4) !== CALL || u32(d, 12) !== NFS) return;
    const tx = this.list.open();
    for (const numbers of tx.numbers) {
      numbers.set('nfs.version', u32(d, 16));
      numbers.set('nfs.procedure', u32(d, 20));
    }
    tx.finish(0);
    this.waiting.get(id)?.finish();
    this.waiting.set(id, tx);
    if (this.waiting.size <= MAX_WAITING) return;
    const [oldest, old] = this.waiting.entries().next().value!;
    old.finish();
    this.waiting.delete(oldest);
  }
}

const u32 = (d: Uint8Array, at: number): number =>
  (d[at]! * 16_777_216 + d[at + 1]! * 65_536 + d[at + 2]! * 256 + d[at + 3]!) >>> 0;
