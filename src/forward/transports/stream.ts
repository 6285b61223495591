import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { errorCode, errorMessage } from '../../util/errors.js';
import type { DestinationSettings } from '../settings.js';
import { frameMessage } from '../syslog/framing.js';
import { createSyslogHeader, MAX_SEQUENCE_ID } from '../syslog/header.js';
import { Recorder } from './recorder.js';
import { connectionOf, kernelTcpState, TCP_STATES, type Connection } from './tcp-state.js';
import { createTlsFiles, failureKind } from './tls-options.js';
import { DeliveryError, type Exchange, type Message, type Rejected, type Transport } from './transport.js';

/** A connection with what was seen on it. */
interface Link {
  socket: Socket;
  ended: boolean;
  failure: DeliveryError | undefined;
  /** Called at every change of `ended` and `failure`, and on drain. */
  changed: () => void;
}

export interface StreamDeps {
  hostName: string;
  record: boolean;
}

const KEEPALIVE_MS = 30_000;
const MAX_CLOSE_TIMEOUTS = 3;
/** After so many closes in a row that the kernel cannot vouch for, its view is no longer asked (e.g. no TIME_WAIT kept). */
const MAX_STRANGE_CLOSES = 3;
const WAITING_STATES: ReadonlySet<number> = new Set([TCP_STATES.FIN_WAIT1, TCP_STATES.FIN_WAIT2, TCP_STATES.CLOSING]);

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
  private readonly tlsFiles: ReturnType<typeof createTlsFiles> | undefined;
  private link: Link | undefined;
  private sequence = 0;
  private closeTimeouts = 0;
  private degraded = false;
  private strangeCloses = 0;

  constructor(settings: DestinationSettings, deps: StreamDeps) {
    this.settings = settings;
    this.recorder = new Recorder(deps.record);
    this.tlsFiles = settings.tls && createTlsFiles(settings.tls, settings.host);
    this.header = createSyslogHeader({ ...settings, hostName: deps.hostName, procId: String(process.pid) });
    this.policy = { maxEvents: settings.rotateEvents, maxMs: settings.rotateMs, idleMs: 1000 };
    this.overheadBytes = 160 + Math.min(255, deps.hostName.length) + settings.appName.length;
  }

  get guarantee(): 'at-least-once' | 'best-effort' {
    return this.settings.confirm === 'close' && !this.degraded ? 'at-least-once' : 'best-effort';
  }

  get warning(): string {
    if (this.degraded) return 'the receiver never closes its side: delivery is no longer confirmed until restart';
    return this.settings.tls?.skipVerify === true ? "the receiver's certificate is not checked" : '';
  }

  async write(messages: readonly Message[]): Promise<void> {
    const link = await this.connected();
    let text = '';
    for (const message of messages) {
      this.sequence = this.sequence >= MAX_SEQUENCE_ID ? 1 : this.sequence + 1;
      text += frameMessage(this.header(message.event, this.sequence) + message.body, this.settings.framing);
    }
    this.recorder.recordSent(text);
    if (!link.socket.write(text)) await this.until(link, () => !link.socket.writableNeedDrain);
    this.throwIfBroken(link);
  }

  async confirm(): Promise<Rejected[]> {
    const link = this.link;
    if (!link) return [];
    if (this.guarantee === 'best-effort') {
      await this.until(link, () => link.socket.writableLength === 0);
      this.throwIfBroken(link);
      this.recorder.recordAnswer('written to the connection; not confirmed');
      return [];
    }
    this.link = undefined;
    const startedMs = performance.now();
    const connection = connectionOf(link.socket);
    this.throwIfBroken(link);
    link.socket.end();
    const answered = await this.until(link, () => link.ended, this.settings.closeTimeoutMs);
    if (!answered) {
      link.socket.destroy();
      this.noteCloseTimeout();
      throw new DeliveryError('retry', `no confirmation within ${this.settings.closeTimeoutMs} ms after half-close`);
    }
    await this.checkAcknowledged(link, connection);
    this.closeTimeouts = 0;
    this.strangeCloses = 0;
    this.recorder.recordAnswer(
      `receiver closed its side cleanly after ${Math.round(performance.now() - startedMs)} ms: everything was read`,
    );
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
   * The receiver's close may have crossed our data on the wire; then its kernel answers the data with a reset. Our
   * kernel tells: TIME_WAIT proves that our FIN, and so everything before it, was acknowledged before the receiver
   * closed. Where /proc cannot be read the clean close has to do.
   */
  private async checkAcknowledged(link: Link, connection: Connection | undefined): Promise<void> {
    const deadlineMs = performance.now() + this.settings.closeTimeoutMs;
    for (let waitMs = 1; connection && this.strangeCloses < MAX_STRANGE_CLOSES; waitMs = Math.min(20, waitMs * 2)) {
      const state = kernelTcpState(connection);
      if (state === undefined || state === TCP_STATES.TIME_WAIT) break;
      if (!WAITING_STATES.has(state) || performance.now() > deadlineMs) {
        this.strangeCloses++;
        link.socket.destroy();
        throw link.failure ?? new DeliveryError('retry', 'the receiver closed before our data reached it');
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    link.socket.destroy();
  }

  private noteCloseTimeout(): void {
    this.closeTimeouts++;
    if (this.closeTimeouts >= MAX_CLOSE_TIMEOUTS) this.degraded = true;
  }

  private async connected(): Promise<Link> {
    if (this.link) {
      this.throwIfBroken(this.link);
      return this.link;
    }
    const { host, port, connectTimeoutMs } = this.settings;
    const base = { host, port, allowHalfOpen: true };
    const socket = this.tlsFiles ? connectTls({ ...base, ...this.tlsFiles().options }) : connectTcp(base);
    const link: Link = { socket, ended: false, failure: undefined, changed: () => undefined };
    const readyEvent = this.tlsFiles ? 'secureConnect' : 'connect';
    let ready = false;
    socket.setKeepAlive(true, KEEPALIVE_MS);
    socket.setNoDelay(true);
    socket.once(readyEvent, () => {
      ready = true;
      link.changed();
    });
    this.watch(link);
    const inTime = await this.until(link, () => ready, connectTimeoutMs);
    if (!inTime) {
      socket.destroy();
      throw new DeliveryError('retry', `no connection to ${host}:${port} within ${connectTimeoutMs} ms`);
    }
    this.throwIfBroken(link);
    this.link = link;
    return link;
  }

  private watch(link: Link): void {
    const { socket } = link;
    const fail = (error: DeliveryError): void => {
      link.failure ??= error;
      link.changed();
    };
    socket.on('data', (data: Buffer) => this.recorder.recordAnswer(data.toString('latin1')));
    socket.on('drain', () => link.changed());
    socket.on('end', () => {
      link.ended = true;
      if (!socket.writableEnded) fail(new DeliveryError('retry', 'the receiver closed the connection'));
      link.changed();
    });
    socket.on('error', (error) => {
      const code = errorCode(error);
      fail(
        new DeliveryError(failureKind(error), code === '' ? errorMessage(error) : `${code}: ${errorMessage(error)}`),
      );
    });
    socket.on('close', () => {
      if (!link.ended) fail(new DeliveryError('retry', 'the connection broke'));
      link.changed();
    });
  }

  private throwIfBroken(link: Link): void {
    if (!link.failure) return;
    link.socket.destroy();
    if (this.link === link) this.link = undefined;
    throw link.failure;
  }

  /** Waits until `condition` holds. @returns false after the time limit. Throws when the link fails. */
  private until(link: Link, condition: () => boolean, timeoutMs?: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const finish = (): void => {
        clearTimeout(timer);
        link.changed = () => undefined;
      };
      const check = (): void => {
        if (link.failure) {
          finish();
          link.socket.destroy();
          if (this.link === link) this.link = undefined;
          reject(link.failure);
        } else if (condition()) {
          finish();
          resolve(true);
        }
      };
      link.changed = check;
      if (timeoutMs !== undefined) {
        timer = setTimeout(() => {
          finish();
          resolve(false);
        }, timeoutMs);
      }
      check();
    });
  }
}
