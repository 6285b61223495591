import type { AppLayerOptions } from '../options.js';
import { isBadRange } from './content-range.js';
import { BodyDecoder, parseEncodings } from './decode-body.js';
import { HTTP_PROGRESS, type HttpTransaction } from './transaction.js';

/** Room made for a body because a length says so; more only when the bytes are there. */
const MAX_RESERVED = 32_768;

/** Undoes the content encodings of a response's body, and keeps account of where in the stream it lies. */
export class ResponseBody {
  private decoder: BodyDecoder | undefined;
  private readonly options: AppLayerOptions;

  constructor(options: AppLayerOptions) {
    this.options = options;
  }

  /** The header is there: what it says about the body holds from now on. */
  begin(tx: HttpTransaction): void {
    this.decoder = undefined;
    const value = tx.response.headers.text('content-encoding');
    if (value === undefined) return;
    const found = parseEncodings(value, this.options.httpContentEncodings);
    if (found.isAbnormal) tx.note('abnormal_ce_header');
    if (found.isTooMany) tx.note('too_many_encoding_layers');
    if (found.encodings.length === 0) return;
    this.decoder = new BodyDecoder(found.encodings, this.options.httpMaxExpansion, {
      emit: (data) => {
        tx.response.body.add(data);
      },
      note: (event) => {
        tx.note(event);
      },
    });
  }

  /** So many bytes will come. */
  expect(tx: HttpTransaction, bytes: number): void {
    if (this.decoder === undefined) tx.response.body.reserve(Math.min(bytes, MAX_RESERVED));
  }

  /** @param position in the stream of the first byte. */
  add(tx: HttpTransaction, data: Uint8Array, position: number): void {
    const m = tx.response;
    if (m.bodyBytes === 0) {
      const range = m.headers.text('content-range');
      if (range !== undefined && isBadRange(range)) tx.note('range_invalid');
      tx.checkFileName(1);
      m.bodyAt = this.decoder === undefined ? position : -1;
    } else if (m.bodyAt >= 0 && m.bodyAt + m.bodyBytes !== position) m.bodyAt = -1;
    m.bodyBytes += data.length;
    if (tx.progress[1] < HTTP_PROGRESS.BODY) tx.progress[1] = HTTP_PROGRESS.BODY;
    if (m.body.isFull) return;
    if (this.decoder === undefined) m.body.add(data);
    else this.decoder.push(data);
  }

  /** The body is over: what its decoders still hold goes out. */
  end(): void {
    this.decoder?.end();
  }

  /** So is the response: nothing more is decoded. */
  close(): void {
    this.end();
    this.decoder = undefined;
  }
}
