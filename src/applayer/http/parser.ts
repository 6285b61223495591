import type { AppParser, AppTransaction } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import type { AppLayerOptions } from '../options.js';
import { RequestReader } from './request.js';
import type { Upgrade } from './response-framing.js';
import { ResponseReader } from './response.js';
import { HTTP_PROGRESS, HttpTransaction } from './transaction.js';

/** HTTP/1 and HTTP/0.9. */
export function createHttpParser(options: AppLayerOptions): AppParser {
  return new HttpParser(options);
}

class HttpParser implements AppParser {
  readonly proto = 'http';
  readonly transactions: HttpTransaction[] = [];
  private readonly unanswered: HttpTransaction[] = [];
  private readonly options: AppLayerOptions;
  private readonly requests: RequestReader;
  private readonly responses: ResponseReader;
  private readonly noise = { told: 0 };
  private nextId = 0;
  private readonly over = [false, false];

  constructor(options: AppLayerOptions) {
    this.options = options;
    this.requests = new RequestReader(options, {
      open: () => {
        const tx = this.create();
        if (this.over[1]) tx.step(1, HTTP_PROGRESS.DONE);
        else this.unanswered.push(tx);
        return tx;
      },
    });
    this.responses = new ResponseReader(options, {
      next: () => this.unanswered.shift() ?? this.withoutLine() ?? this.withoutRequest(),
      refused: () => {
        this.requests.refused();
      },
      tunnel: () => {
        this.requests.tunnel();
      },
    });
  }

  onData(direction: Direction, data: Uint8Array, offset: number, length: number, position: number): void {
    if (direction === 0) this.requests.feed(data, offset, length);
    else this.responses.feed(data, offset, length, position);
  }

  get hasEnded(): boolean {
    return this.responses.handsOver;
  }

  get expects(): Upgrade | undefined {
    return this.responses.upgrade;
  }

  get nextEvents(): readonly string[] {
    return this.responses.upgradeEvents;
  }

  get rest(): Uint8Array {
    return this.responses.rest;
  }

  onGap(direction: Direction, length: number): void {
    if (direction === 0) this.requests.gap(length);
    else this.responses.gap(length);
  }

  onEnd(direction: Direction): void {
    this.over[direction] = true;
    if (direction === 0) this.requests.end();
    else this.responses.end();
    if (!this.over[1]) return;
    // Nothing more comes from the server: requests without an answer stay so.
    for (const tx of this.unanswered) tx.step(1, HTTP_PROGRESS.DONE);
    if (this.over[0]) for (const tx of this.transactions) tx.step(0, HTTP_PROGRESS.DONE);
  }

  release(transaction: AppTransaction): void {
    const at = this.transactions.indexOf(transaction as HttpTransaction);
    if (at >= 0) this.transactions.splice(at, 1)[0]!.close();
  }

  private create(): HttpTransaction {
    const { options } = this;
    const tx = new HttpTransaction(
      this.nextId++,
      {
        header: options.httpHeaderKiB * 1024,
        request: options.httpRequestBodyKiB * 1024,
        response: options.httpResponseBodyKiB * 1024,
      },
      this.noise,
    );
    this.transactions.push(tx);
    if (this.transactions.length > options.maxTransactions) {
      const oldest = this.transactions.shift()!;
      const at = this.unanswered.indexOf(oldest);
      if (at >= 0) this.unanswered.splice(at, 1);
    }
    return tx;
  }

  /** The answer comes before the first line of its request is complete. */
  private withoutLine(): HttpTransaction | undefined {
    if (this.requests.begin() === undefined) return undefined;
    const tx = this.unanswered.shift();
    tx?.note('request_line_incomplete');
    return tx;
  }

  private withoutRequest(): HttpTransaction {
    const tx = this.create();
    tx.note('unable_to_match_response_to_request');
    tx.step(0, HTTP_PROGRESS.DONE);
    return tx;
  }
}
