import type { AppParser, AppTransaction } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { concat, copy, NOTHING } from '../http/bytes.js';
import type { AppLayerOptions } from '../options.js';
import { FieldTransaction, TransactionList } from '../transaction.js';
import type { SmbFile } from './file.js';
import { readNtlmssp } from './ntlmssp.js';
import { SmbPipes } from './pipes.js';
import type { SmbSession } from './session.js';
import { readSmb1 } from './smb1.js';
import { readSmb2 } from './smb2.js';

/** A frame larger than this is let through without being put together. */
const MAX_HELD = 128 * 1024;

const SMB1_HEADER = 32;
const SMB2_HEADER = 64;
/** First byte of a message that is encrypted or compressed (MS-SMB2 2.2.41). */
const ENCRYPTED = 0xfd;

/** SMB over TCP (MS-CIFS, MS-SMB2), as far as rules look: shares, pipes, users, files. */
export function createSmbParser(options: AppLayerOptions): AppParser {
  return new SmbParser(options);
}

class SmbParser implements AppParser, SmbSession {
  readonly proto = 'smb';
  readonly list: TransactionList<FieldTransaction>;
  readonly maxFileBytes: number;
  readonly files = new Map<string, SmbFile>();
  readonly names = new Map<string, Uint8Array>();
  readonly pipes = new SmbPipes(() => this.open());
  private negotiation: FieldTransaction | undefined;
  /** Of the message at hand: 1, or 2 for both 2 and 3. */
  private version = 0;
  hasNegotiated1 = false;
  maxRead = 0;
  maxWrite = 0;
  private readonly held: [Uint8Array, Uint8Array] = [NOTHING, NOTHING];
  /** Bytes of a frame that is too large to be kept. */
  private readonly skip = [0, 0];
  private readonly isLost = [false, false];

  constructor(options: AppLayerOptions) {
    this.list = new TransactionList(options.maxTransactions);
    this.maxFileBytes = options.smbFileKiB * 1024;
  }

  get transactions(): readonly FieldTransaction[] {
    return this.list.all;
  }

  release(transaction: AppTransaction): void {
    this.list.release(transaction);
    for (const [key, { tx }] of this.files) if (tx === transaction) this.files.delete(key);
  }

  open(): FieldTransaction {
    const tx = this.list.open((id) => new FieldTransaction('smb', id));
    for (const numbers of tx.numbers) numbers.set('smb.version', this.version);
    if (this.list.isFull) tx.note('too_many_transactions');
    return tx;
  }

  note(event: string, direction: Direction): void {
    this.list.tell(event, (id) => new FieldTransaction('smb', id, direction));
  }

  negotiate(direction: Direction): FieldTransaction | undefined {
    if (direction === 0) this.negotiation ??= this.open();
    const tx = this.negotiation;
    tx?.finish(direction);
    if (direction === 1) this.negotiation = undefined;
    return tx;
  }

  authenticate(data: Uint8Array): void {
    const found = readNtlmssp(data);
    if (!found) return;
    const tx = this.open();
    if (found === 'malformed') {
      tx.note('malformed_ntlmssp_request');
      tx.finish();
      return;
    }
    if (found.user.length > 0) tx.fields[0].set('smb.ntlmssp_user', found.user);
    if (found.domain.length > 0) tx.fields[0].set('smb.ntlmssp_domain', found.domain);
    tx.finish();
  }

  onData(direction: Direction, data: Uint8Array, offset: number, length: number): void {
    if (this.isLost[direction]) return;
    let rest = concat(this.held[direction], data.subarray(offset, offset + length));
    for (;;) {
      if (this.skip[direction]! > 0) {
        const n = Math.min(this.skip[direction]!, rest.length);
        this.skip[direction]! -= n;
        rest = rest.subarray(n);
      }
      if (rest.length < 4) break;
      const size = (rest[1]! << 16) | (rest[2]! << 8) | rest[3]!;
      if (rest[0] === 0 && size > MAX_HELD) {
        // The beginning of a large write is looked at, the rest let through.
        if (rest.length < MAX_HELD) break;
        this.frame(direction, rest.subarray(4, MAX_HELD));
        this.skip[direction] = size + 4 - MAX_HELD;
        rest = rest.subarray(MAX_HELD);
        continue;
      }
      if (rest.length < 4 + size) break;
      if (rest[0] === 0) this.frame(direction, rest.subarray(4, 4 + size));
      if (this.isLost[direction]) return;
      rest = rest.subarray(4 + size);
    }
    this.held[direction] = rest.length > 0 ? copy(rest) : NOTHING;
  }

  onGap(direction: Direction): void {
    this.isLost[direction] = true;
    this.held[direction] = NOTHING;
  }

  onEnd(direction: Direction): void {
    for (const tx of this.list.all) tx.finish(direction);
  }

  /** One message of the session service; what is no SMB ends the reading of its direction. */
  private frame(direction: Direction, d: Uint8Array): void {
    const isSmb = d.length >= 4 && d[1] === 0x53 && d[2] === 0x4d && d[3] === 0x42;
    this.version = d[0] === 0xff ? 1 : 2;
    if (isSmb && d[0] === 0xff && d.length >= SMB1_HEADER) readSmb1(d, direction, this);
    else if (isSmb && d[0] === 0xfe && d.length >= SMB2_HEADER) readSmb2(d, direction, this);
    else if (!isSmb || d[0] !== ENCRYPTED) {
      this.note('malformed_data', direction);
      this.onGap(direction);
    }
  }
}
