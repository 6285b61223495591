import type { DestinationSettings } from '../settings.js';
import { FrameWriter } from '../syslog/framing.js';
import { createSyslogHeader, MAX_SEQUENCE_ID } from '../syslog/header.js';
import { HeldSocket, judgeClose } from './held-socket.js';
import { Link } from './link.js';
import { Recorder } from './recorder.js';
import { createTlsFiles } from './tls-options.js';
import { DeliveryError, type Exchange, type Message, type Rejected, type Transport } from './transport.js';

/** A receiver that refuses our certificate says so within this time after the handshake, milliseconds. */
const REFUSAL_MS = 400;
const MAX_CLOSE_TIMEOUTS = 3;

/**
 * Syslog over TCP or TLS that knows what arrived, without a protocol extension: write, half-close, wait for the
 * receiver's own clean close. A receiver that goes away with data unread makes its kernel answer with a reset, so
 * a clean close after ours means that the receiving process has read everything (RFC 9293 3.6, 3.10.7).
 */
export class StreamTransport implements Transport {
  readonly policy: { maxEvents: number; maxMs: number; idleMs: number };
  readonly lingerMs = 0;
  readonly overheadBytes: number;
  private readonly settings: DestinationSettings;
  private readonly header: ReturnType<typeof createSyslogHeader>;
  private readonly recorder: Recorder;
  private readonly frames: FrameWriter;
  private readonly tlsFiles: ReturnType<typeof createTlsFiles> | undefined;
  private link: Link | undefined;
  private sequence = 0;
  private closeTimeouts = 0;
  private degraded = false;

  constructor(settings: DestinationSettings, deps: { hostName: string; record: boolean }) {
    this.settings = settings;
    this.recorder = new Recorder(deps.record);
    this.frames = new FrameWriter(settings.framing);
    this.tlsFiles = settings.tls && createTlsFiles(settings.tls, settings.host);
    this.header = createSyslogHeader({ ...settings, hostName: deps.hostName, procId: String(process.pid) });
    this.policy = { maxEvents: settings.rotateEvents, maxMs: settings.rotateMs, idleMs: 1000 };
    this.overheadBytes = syslogOverhead(deps.hostName, settings.appName);
  }

  get guarantee(): 'at-least-once' | 'best-effort' {
    return this.settings.confirm === 'close' && !this.degraded ? 'at-least-once' : 'best-effort';
  }

  get warning(): string {
    if (this.degraded) return 'the receiver never closes its side: delivery is no longer confirmed until restart';
    return this.settings.tls?.skipVerify === true ? "the receiver's certificate is not checked" : '';
  }

  async write(messages: readonly Message[]): Promise<void> {
    this.link?.throwIfBroken();
    this.link ??= Link.start(this.settings, this.tlsFiles, (data) =>
      this.recorder.recordAnswer(data.toString('latin1')),
    );
    const link = this.link;
    await link.ready(this.settings.connectTimeoutMs);
    const { frames } = this;
    frames.clear();
    for (const message of messages) {
      this.sequence = this.sequence >= MAX_SEQUENCE_ID ? 1 : this.sequence + 1;
      frames.add(this.header(message.event, this.sequence) + message.body);
    }
    if (this.recorder.isOn) this.recorder.recordSent(frames.bytes().toString());
    await link.write(frames.bytes());
  }

  async confirm(): Promise<Rejected[]> {
    const link = this.link;
    if (!link) return [];
    if (this.guarantee === 'best-effort') {
      await link.until(() => link.socket.writableLength === 0);
      this.recorder.recordAnswer('written to the connection; not confirmed');
      return [];
    }
    this.link = undefined;
    const startedMs = performance.now();
    if (this.tlsFiles) await this.outlastRefusal(link);
    link.throwIfBroken();
    const held = HeldSocket.of(link.socket);
    try {
      link.socket.end();
      if (!(await link.until(() => link.ended, this.settings.closeTimeoutMs))) {
        this.closeTimeouts++;
        this.degraded = this.closeTimeouts >= MAX_CLOSE_TIMEOUTS;
        throw new DeliveryError('retry', `no confirmation within ${this.settings.closeTimeoutMs} ms after half-close`);
      }
      if (held) await this.checkAcknowledged(link, held);
    } finally {
      link.socket.destroy();
      held?.release();
    }
    this.closeTimeouts = 0;
    const tookMs = Math.round(performance.now() - startedMs);
    this.recorder.recordAnswer(`receiver closed its side cleanly after ${tookMs} ms: everything was read`);
    return [];
  }

  reset(): void {
    this.link?.socket.destroy();
    this.link = undefined;
  }

  close(): Promise<void> {
    this.reset();
    return Promise.resolve();
  }

  exchange(): Exchange {
    return this.recorder.exchange();
  }

  /**
   * With TLS 1.3 our handshake is complete before the receiver has looked at our certificate. One that refuses it closes the
   * connection cleanly a moment later, data unread; were our half-close on its way by then, that would look like a
   * confirmation. So a young connection is not half-closed yet.
   */
  private async outlastRefusal(link: Link): Promise<void> {
    const restMs = link.readyAtMs + REFUSAL_MS - performance.now();
    if (restMs > 0) await link.until(() => link.ended, restMs);
  }

  /**
   * The receiver's close may have crossed our data on the wire; then its kernel answers the data with a reset. Our
   * kernel knows which it was. Where its view cannot be had the clean close has to do.
   */
  private async checkAcknowledged(link: Link, held: HeldSocket): Promise<void> {
    const deadlineMs = performance.now() + this.settings.closeTimeoutMs;
    for (let waitMs = 1; ; waitMs = Math.min(20, waitMs * 2)) {
      const verdict = judgeClose(held.view());
      if (verdict === 'delivered' && !link.failure) return;
      if (verdict !== 'undecided' || performance.now() > deadlineMs)
        throw link.failure ?? new DeliveryError('retry', 'the receiver closed before our data reached it');
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

/** Longest header and frame in front of a message: PRI, date, tokens, structured data, length. */
export function syslogOverhead(hostName: string, appName: string): number {
  return 110 + Math.min(255, hostName.length) + appName.length;
}
