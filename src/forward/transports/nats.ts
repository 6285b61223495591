import type { JetStreamClient, PubAck } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { errorMessage } from '../../util/errors.js';
import type { DestinationSettings } from '../settings.js';
import { Recorder } from './recorder.js';
import { createTlsFiles } from './tls-options.js';
import { DeliveryError, type Exchange, type Message, type Rejected, type Transport } from './transport.js';

/** Messages of which the stream's acknowledgement is awaited at the same time. */
const WINDOW = 500;
const ACK_TIMEOUT_MS = 10_000;
const MAX_UNANSWERED = 3;

/**
 * NATS JetStream: each message is acknowledged by the stream that stores it. The event's id is the message id, so a
 * repeat within the stream's duplicate window is not stored twice.
 */
export class NatsTransport implements Transport {
  readonly policy = { maxEvents: 1000, maxMs: 1000, idleMs: 50 };
  readonly lingerMs = 0;
  readonly overheadBytes = 0;
  readonly guarantee = 'at-least-once';
  private readonly settings: DestinationSettings;
  private readonly recorder: Recorder;
  private readonly tlsFiles: ReturnType<typeof createTlsFiles> | undefined;
  private connection: NatsConnection | undefined;
  private stream: JetStreamClient | undefined;
  private outstanding: Promise<PubAck>[] = [];
  /** Times in a row that no stream answered: a server that is starting has none yet. */
  private unanswered = 0;

  constructor(settings: DestinationSettings, deps: { record: boolean }) {
    this.settings = settings;
    this.recorder = new Recorder(deps.record);
    this.tlsFiles = settings.tls && createTlsFiles(settings.tls, new URL(settings.url).hostname);
  }

  get warning(): string {
    return this.settings.tls?.skipVerify === true ? "the receiver's certificate is not checked" : '';
  }

  async write(messages: readonly Message[]): Promise<void> {
    const stream = this.stream ?? (await this.open());
    const { subject } = this.settings.options;
    for (const { event, body } of messages) {
      if (this.outstanding.length >= WINDOW) await this.settle();
      const to = `${subject}.${event.kind}`;
      this.recorder.recordSent(`PUB ${to} Nats-Msg-Id: ${event.id}\n${body}\n`);
      const ack = stream.publish(to, body, { msgID: event.id, timeout: ACK_TIMEOUT_MS });
      ack.catch(() => undefined);
      this.outstanding.push(ack);
    }
  }

  async confirm(): Promise<Rejected[]> {
    await this.settle();
    return [];
  }

  reset(): void {
    const connection = this.connection;
    this.connection = undefined;
    this.stream = undefined;
    this.outstanding = [];
    void connection?.close().catch(() => undefined);
  }

  close(): Promise<void> {
    this.reset();
    return Promise.resolve();
  }

  exchange(): Exchange {
    return this.recorder.exchange();
  }

  private async settle(): Promise<void> {
    const waiting = this.outstanding;
    this.outstanding = [];
    try {
      const acks = await Promise.all(waiting);
      this.unanswered = 0;
      const last = acks.at(-1);
      if (last) this.recorder.recordAnswer(`stream ${last.stream} has it as number ${last.seq}`);
    } catch (error) {
      throw this.toDeliveryError(error);
    }
  }

  /** The client is loaded when the first destination needs it. */
  private async open(): Promise<JetStreamClient> {
    const { url, token, options, connectTimeoutMs } = this.settings;
    const [{ connect }, { jetstream }] = await Promise.all([
      import('@nats-io/transport-node'),
      import('@nats-io/jetstream'),
    ]);
    const login = options.username === undefined ? { token } : { user: options.username, pass: token };
    const tls = this.tlsFiles?.().options;
    try {
      const connection = await connect({
        servers: url,
        name: 'portcullis',
        timeout: connectTimeoutMs,
        reconnect: false,
        ...(token === '' ? {} : login),
        // The client hands these on to tls.connect; its own type names only some of them.
        ...(tls === undefined ? {} : { tls: tls as object }),
      });
      this.connection = connection;
      this.stream = jetstream(connection);
      return this.stream;
    } catch (error) {
      throw this.toDeliveryError(error);
    }
  }

  /** Refused logins and rights, and a subject that no stream stores, need the operator. */
  private toDeliveryError(error: unknown): DeliveryError {
    const name = error instanceof Error ? error.name : '';
    const text = errorMessage(error);
    if (name === 'NoResponders' || name === 'JetStreamNotEnabled' || /no responders/.test(text)) {
      const kind = ++this.unanswered >= MAX_UNANSWERED ? 'misconfigured' : 'retry';
      return new DeliveryError(kind, `no JetStream stream stores ${this.settings.options.subject}.>: ${text}`);
    }
    const refused = /Authorization|Permission|certificate|self.signed|altname/i.test(`${name} ${text}`);
    return new DeliveryError(refused ? 'misconfigured' : 'retry', text);
  }
}
