import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { errorCode, errorMessage } from '../../util/errors.js';
import type { DestinationSettings } from '../settings.js';
import { failureKind, type createTlsFiles } from './tls-options.js';
import { DeliveryError } from './transport.js';

const KEEPALIVE_MS = 30_000;

/** One TCP or TLS connection and what was seen on it; waiting for something on it has one form: {@link Link.until}. */
export class Link {
  readonly socket: Socket;
  /** The other side has sent everything it will send. */
  ended = false;
  failure: DeliveryError | undefined;
  private isReady = false;
  /** When the connection, with TLS its handshake, was complete on our side. */
  readyAtMs = 0;
  private changed: () => void = () => undefined;

  private constructor(socket: Socket, onData: (data: Buffer) => void) {
    this.socket = socket;
    socket.setKeepAlive(true, KEEPALIVE_MS);
    socket.setNoDelay(true);
    socket.on('data', (data: Buffer) => {
      onData(data);
      this.changed();
    });
    socket.on('drain', () => this.changed());
    socket.on('end', () => {
      this.ended = true;
      if (!socket.writableEnded) this.fail(new DeliveryError('retry', 'the receiver closed the connection'));
      this.changed();
    });
    socket.on('error', (error) => {
      const code = errorCode(error);
      const text = errorMessage(error);
      this.fail(new DeliveryError(failureKind(error), code === '' || text.includes(code) ? text : `${code}: ${text}`));
    });
    socket.on('close', () => {
      if (!this.ended) this.fail(new DeliveryError('retry', 'the connection broke'));
      this.changed();
    });
  }

  /** Starts to connect; the caller holds the link at once and can destroy it while it waits. */
  static start(
    settings: Pick<DestinationSettings, 'host' | 'port'>,
    tlsFiles: ReturnType<typeof createTlsFiles> | undefined,
    onData: (data: Buffer) => void,
  ): Link {
    const base = { host: settings.host, port: settings.port, allowHalfOpen: true };
    const socket = tlsFiles ? connectTls({ ...base, ...tlsFiles().options }) : connectTcp(base);
    const link = new Link(socket, onData);
    socket.once(tlsFiles ? 'secureConnect' : 'connect', () => {
      link.isReady = true;
      link.readyAtMs = performance.now();
      link.changed();
    });
    return link;
  }

  /** Waits for the connection; a TLS handshake that succeeds still proves nothing about our own certificate (TLS 1.3). */
  async ready(timeoutMs: number): Promise<void> {
    if (this.isReady || (await this.until(() => this.isReady, timeoutMs))) return;
    this.socket.destroy();
    throw new DeliveryError('retry', `no connection within ${timeoutMs} ms`);
  }

  /** Writes and waits until our kernel has all of it; then a buffer may be used again. */
  async write(data: string | Buffer): Promise<void> {
    this.socket.write(data, () => this.changed());
    if (this.socket.writableLength > 0) await this.until(() => this.socket.writableLength === 0);
    this.throwIfBroken();
  }

  throwIfBroken(): void {
    if (!this.failure) return;
    this.socket.destroy();
    throw this.failure;
  }

  fail(error: DeliveryError): void {
    this.failure ??= error;
    this.changed();
  }

  /** Waits until `condition` holds. @returns false after the time limit. Throws when the connection fails. */
  until(condition: () => boolean, timeoutMs?: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const finish = (): void => {
        clearTimeout(timer);
        this.changed = () => undefined;
      };
      const check = (): void => {
        if (this.failure) {
          finish();
          this.socket.destroy();
          reject(this.failure);
        } else if (condition()) {
          finish();
          resolve(true);
        }
      };
      this.changed = check;
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
