import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '../backoff.js';
import type { DestinationSettings } from '../settings.js';
import { HttpClient, type HttpAnswer } from './http-client.js';
import { Recorder } from './recorder.js';
import { DeliveryError, type Exchange, type Message, type Rejected, type Transport } from './transport.js';

/** What an answer means for each message; a message in neither list was accepted. */
export interface Judgement {
  /** Send these again, soon. */
  retry: readonly Message[];
  /** Never send these again. */
  rejected: readonly Rejected[];
  reason?: string;
  retryAfterMs?: number;
}

/** How one product wants its requests and what its answers mean. */
export interface HttpDialect {
  url: URL;
  compress: boolean;
  policy: Transport['policy'];
  encode(messages: readonly Message[]): string;
  headers(body: string): Record<string, string>;
  /** Reads a 2xx answer, and the others that say something about single messages. `undefined`: the usual meaning. */
  judge(answer: HttpAnswer, messages: readonly Message[]): Judgement | undefined;
  /** Waits for a later acknowledgement, where there is one. */
  confirm?(client: HttpClient): Promise<void>;
  reset?(): void;
}

const MAX_ITEM_RETRIES = 5;

/** HTTP POST in batches; what the answer means is the dialect's business. */
export class HttpTransport implements Transport {
  readonly policy: Transport['policy'];
  readonly lingerMs: number;
  readonly overheadBytes = 300;
  readonly guarantee = 'at-least-once';
  private readonly settings: DestinationSettings;
  private readonly dialect: HttpDialect;
  private readonly recorder: Recorder;
  private readonly client: HttpClient;
  private rejected: Rejected[] = [];

  constructor(settings: DestinationSettings, dialect: HttpDialect, record: boolean) {
    this.settings = settings;
    this.dialect = dialect;
    this.policy = dialect.policy;
    this.lingerMs = settings.options.batch.linger_secs * 1000;
    this.recorder = new Recorder(record);
    this.client = new HttpClient(settings, this.recorder);
  }

  get warning(): string {
    return this.settings.tls?.skipVerify === true ? "the receiver's certificate is not checked" : '';
  }

  async write(messages: readonly Message[]): Promise<void> {
    await this.deliver(messages);
  }

  async confirm(): Promise<Rejected[]> {
    await this.dialect.confirm?.(this.client);
    const rejected = this.rejected;
    this.rejected = [];
    return rejected;
  }

  reset(): void {
    this.client.reset();
    this.dialect.reset?.();
    this.rejected = [];
  }

  close(): Promise<void> {
    this.reset();
    return Promise.resolve();
  }

  exchange(): Exchange {
    return this.recorder.exchange();
  }

  /** Sends until every message is accepted or refused for good; a batch that is too big or bad is halved. */
  private async deliver(messages: readonly Message[]): Promise<void> {
    const backoff = new Backoff();
    let left = messages;
    for (let attempt = 0; left.length > 0; attempt++) {
      const body = this.dialect.encode(left);
      const answer = await this.client.post(this.dialect.url, body, this.dialect.headers(body), this.dialect.compress);
      const judgement = this.dialect.judge(answer, left) ?? usualMeaning(answer);
      if (judgement === 'split') {
        if (left.length === 1) {
          this.rejected.push({ message: left[0]!, reason: `HTTP ${answer.status}: ${answer.body.slice(0, 300)}` });
          return;
        }
        const middle = Math.ceil(left.length / 2);
        await this.deliver(left.slice(0, middle));
        await this.deliver(left.slice(middle));
        return;
      }
      this.rejected.push(...judgement.rejected);
      if (judgement.retry.length === 0) return;
      if (attempt >= MAX_ITEM_RETRIES)
        throw new DeliveryError('retry', judgement.reason ?? 'messages are not accepted');
      if (judgement.retry.length === left.length || judgement.rejected.length === 0) {
        await this.pause(backoff.next(judgement.retryAfterMs));
      }
      left = judgement.retry;
    }
  }

  private async pause(ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { signal: this.client.signal });
    } catch {
      throw new DeliveryError('retry', 'interrupted');
    }
  }
}

/** RFC 9110 section 15: what a status means when the product adds nothing. */
export function usualMeaning(answer: HttpAnswer): Judgement | 'split' {
  const { status } = answer;
  if (status >= 200 && status < 300) return { retry: [], rejected: [] };
  const text = `HTTP ${status}: ${answer.body.slice(0, 300)}`;
  if (status === 400 || status === 413 || status === 422) return 'split';
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    throw new DeliveryError('retry', text, answer.retryAfterMs);
  }
  throw new DeliveryError('misconfigured', text);
}
