import type { Direction } from '../../domain/flow.js';
import { Collected, copy } from '../http/bytes.js';
import type { FieldTransaction } from '../transaction.js';

/** Out-of-order parts of one file, in number, and their bytes, above which Suricata tells an anomaly (its defaults). */
const MAX_QUEUED_PARTS = 64;
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;

export type FileEvent = 'file_overlap' | 'queue_size_exceeded' | 'queue_cnt_exceeded';

/** A file that is written or read in parts, each with its place in the file. */
export class SmbFile {
  readonly tx: FieldTransaction;
  private readonly direction: Direction;
  private readonly data: Collected;
  private readonly maxBytes: number;
  /** Bytes from the beginning of the file that came without a hole. */
  private inOrder = 0;
  /** Parts behind a hole by their place; of each as much as is kept. */
  private readonly queued = new Map<number, { size: number; bytes: Uint8Array }>();
  private queuedBytes = 0;

  constructor(tx: FieldTransaction, direction: Direction, maxBytes: number) {
    this.tx = tx;
    this.direction = direction;
    this.maxBytes = maxBytes;
    this.data = new Collected(maxBytes);
  }

  /** A part of `size` bytes, of which `bytes` are here. @returns what is odd about it. */
  add(place: number, bytes: Uint8Array, size: number): FileEvent[] {
    const events: FileEvent[] = place < this.inOrder ? ['file_overlap'] : [];
    if (this.queuedBytes + size > MAX_QUEUED_BYTES) return ['queue_size_exceeded', ...events];
    if (this.queued.size >= MAX_QUEUED_PARTS) return ['queue_cnt_exceeded', ...events];
    if (place === this.inOrder) this.append(bytes, size);
    else if (place > this.inOrder && !this.queued.has(place)) {
      this.queued.set(place, { size, bytes: place < this.maxBytes ? copy(bytes.subarray(0, this.maxBytes)) : bytes.subarray(0, 0) }); // prettier-ignore
      this.queuedBytes += size;
    }
    return events;
  }

  private append(bytes: Uint8Array, size: number): void {
    let next: { size: number; bytes: Uint8Array } | undefined = { size, bytes };
    while (next !== undefined) {
      this.data.add(next.bytes);
      this.inOrder += next.size;
      next = this.queued.get(this.inOrder);
      if (next === undefined) break;
      this.queued.delete(this.inOrder);
      this.queuedBytes -= next.size;
    }
    this.tx.fields[this.direction].set('file.data', this.data.bytes);
  }
}
