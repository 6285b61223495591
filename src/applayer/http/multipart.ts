import { Collected, latin1 } from './bytes.js';
import type { HttpTransaction } from './transaction.js';

const HYPHEN = 45;

/** Files in a `multipart/form-data` request body (RFC 7578): their bytes are `file.data`, the first one's name is `file.name`. */
export class Multipart {
  private readonly boundary: Buffer;
  private readonly tx: HttpTransaction;
  private readonly maxBytes: number;
  /** Where the search for the next part goes on. */
  private at = 0;
  /** Begin of the part's content, or -1 between parts; `isFile` for parts with a file name. */
  private contentAt = -1;
  private isFile = false;

  private constructor(boundary: string, tx: HttpTransaction, maxBytes: number) {
    this.boundary = Buffer.from(`--${boundary}`, 'latin1');
    this.tx = tx;
    this.maxBytes = maxBytes;
  }

  static from(contentType: string | undefined, tx: HttpTransaction, maxBytes: number): Multipart | undefined {
    const match = /^multipart\/form-data[^]*?boundary=(?:"([^"]*)"|([^\s;,]+))/i.exec(contentType ?? '');
    const boundary = match?.[1] ?? match?.[2];
    return boundary ? new Multipart(boundary, tx, maxBytes) : undefined;
  }

  /** @param body all of it so far. */
  push(body: Uint8Array): void {
    const data = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    for (;;) {
      if (this.contentAt < 0) {
        const begin = data.indexOf(this.boundary, this.at);
        const lineEnd = begin < 0 ? -1 : data.indexOf('\r\n', begin + this.boundary.length);
        const headEnd = lineEnd < 0 ? -1 : data.indexOf('\r\n\r\n', lineEnd);
        if (headEnd < 0) return;
        this.openPart(latin1(data.subarray(lineEnd, headEnd)));
        this.contentAt = this.at = headEnd + 4;
      }
      const end = data.indexOf(this.boundary, this.contentAt);
      if (this.isFile && end >= 0 && end < this.contentAt + 2) {
        // Not even the line end that belongs to the boundary.
        this.tx.note(
          end === this.contentAt && this.isLast(data, end) ? 'multipart_no_filedata' : 'multipart_generic_error',
        );
      }
      // The line end before a boundary belongs to the boundary.
      const stop = end < 0 ? Math.max(this.at, data.length - this.boundary.length - 2) : Math.max(this.at, end - 2);
      if (this.isFile) this.tx.file!.add(data.subarray(this.at, stop));
      this.at = stop;
      if (end < 0) return;
      this.at = end;
      this.contentAt = -1;
    }
  }

  private isLast(data: Uint8Array, at: number): boolean {
    const end = at + this.boundary.length;
    return data[end] === HYPHEN && data[end + 1] === HYPHEN;
  }

  private openPart(head: string): void {
    for (const line of head.split('\r\n')) {
      if (line !== '' && (!line.includes(':') || line.indexOf(':') === line.length - 1)) {
        this.tx.note('multipart_invalid_header');
      }
    }
    const name = /filename="?([^"\r\n;]*)/i.exec(head)?.[1];
    this.isFile = name !== undefined;
    if (name === undefined) return;
    this.tx.file ??= new Collected(this.maxBytes);
    this.tx.fileName ??= name;
  }
}
