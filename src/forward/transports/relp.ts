import type { DestinationSettings } from '../settings.js';
import { createSyslogHeader, MAX_SEQUENCE_ID } from '../syslog/header.js';
import { Link } from './link.js';
import { Recorder } from './recorder.js';
import { syslogOverhead } from './stream.js';
import { createTlsFiles } from './tls-options.js';
import { DeliveryError, type Exchange, type Message, type Rejected, type Transport } from './transport.js';

/** Messages in flight; the value that librelp itself uses is 128, more hides the round trip. */
const WINDOW = 1024;
/** Transaction numbers go from 1 to this and start again (RELP specification, RELP header). */
const MAX_TXNR = 999_999_999;
const OFFER = 'relp_version=0\nrelp_software=portcullis\ncommands=syslog';

/** Frame: `TXNR SP COMMAND SP LENGTH [SP DATA] LF`. */
export function relpFrame(txnr: number, command: string, data: string): string {
  const length = Buffer.byteLength(data);
  return `${txnr} ${command} ${length}${length > 0 ? ` ${data}` : ''}\n`;
}

/** Takes whole frames from the front of a buffer. @returns what is left. */
export function takeRelpFrames(buffer: Buffer, onFrame: (txnr: number, command: string, data: string) => void): Buffer {
  let rest = buffer;
  for (;;) {
    const head = /^(\d{1,9}) ([a-z]{1,32}) (\d{1,9})([ \n])/.exec(rest.subarray(0, 64).toString('latin1'));
    if (!head) {
      if (rest.length >= 64) throw new DeliveryError('retry', 'the receiver does not speak RELP');
      return rest;
    }
    const length = Number(head[3]);
    const start = head[0].length;
    const end = length === 0 ? (head[4] === '\n' ? start - 1 : start) : start + length;
    if (rest.length < end + 1) return rest;
    onFrame(Number(head[1]), head[2]!, rest.toString('utf8', start, Math.max(start, end)));
    rest = rest.subarray(end + 1);
  }
}

/** Reliable Event Logging Protocol: every message is acknowledged by the receiver by its number. */
export class RelpTransport implements Transport {
  readonly policy = { maxEvents: 1000, maxMs: 1000, idleMs: 100 };
  readonly lingerMs = 0;
  readonly overheadBytes: number;
  readonly guarantee = 'at-least-once';
  private readonly settings: DestinationSettings;
  private readonly header: ReturnType<typeof createSyslogHeader>;
  private readonly recorder: Recorder;
  private readonly tlsFiles: ReturnType<typeof createTlsFiles> | undefined;
  private link: Link | undefined;
  private received: Buffer = Buffer.alloc(0);
  private readonly outstanding = new Map<number, Message | undefined>();
  private readonly rejected: Rejected[] = [];
  private txnr = 0;
  private sequence = 0;

  constructor(settings: DestinationSettings, deps: { hostName: string; record: boolean }) {
    this.settings = settings;
    this.recorder = new Recorder(deps.record);
    this.tlsFiles = settings.tls && createTlsFiles(settings.tls, settings.host);
    this.header = createSyslogHeader({ ...settings, hostName: deps.hostName, procId: String(process.pid) });
    this.overheadBytes = syslogOverhead(deps.hostName, settings.appName) + 30;
  }

  get warning(): string {
    return this.settings.tls?.skipVerify === true ? "the receiver's certificate is not checked" : '';
  }

  async write(messages: readonly Message[]): Promise<void> {
    const link = await this.connected();
    let text = '';
    for (const message of messages) {
      this.sequence = this.sequence >= MAX_SEQUENCE_ID ? 1 : this.sequence + 1;
      const line = this.header(message.event, this.sequence) + message.body;
      text += this.command('syslog', line, message);
      if (this.outstanding.size >= WINDOW) {
        await this.send(link, text);
        text = '';
        await this.acknowledged(link, WINDOW / 2);
      }
    }
    if (text !== '') await this.send(link, text);
  }

  async confirm(): Promise<Rejected[]> {
    if (this.link) await this.acknowledged(this.link, 0);
    return this.rejected.splice(0);
  }

  reset(): void {
    this.link?.socket.destroy();
    this.link = undefined;
    this.outstanding.clear();
    this.rejected.length = 0;
    this.received = Buffer.alloc(0);
  }

  async close(): Promise<void> {
    if (this.link && !this.link.failure) await this.link.write(this.command('close', '')).catch(() => undefined);
    this.reset();
  }

  exchange(): Exchange {
    return this.recorder.exchange();
  }

  private async connected(): Promise<Link> {
    this.link?.throwIfBroken();
    if (this.link) return this.link;
    this.reset();
    const link = Link.start(this.settings, this.tlsFiles, (data) => this.receive(data));
    this.link = link;
    await link.ready(this.settings.connectTimeoutMs);
    this.txnr = 0;
    await this.send(link, this.command('open', OFFER));
    await this.acknowledged(link, 0);
    return link;
  }

  private command(name: string, data: string, message?: Message): string {
    this.txnr = this.txnr >= MAX_TXNR ? 1 : this.txnr + 1;
    this.outstanding.set(this.txnr, message);
    return relpFrame(this.txnr, name, data);
  }

  private async send(link: Link, text: string): Promise<void> {
    this.recorder.recordSent(text);
    await link.write(text);
  }

  private receive(data: Buffer): void {
    this.recorder.recordAnswer(data.toString('latin1'));
    try {
      this.received = takeRelpFrames(Buffer.concat([this.received, data]), (txnr, command, text) =>
        this.onFrame(txnr, command, text),
      );
    } catch (error) {
      this.link?.fail(error instanceof DeliveryError ? error : new DeliveryError('retry', String(error)));
    }
  }

  private onFrame(txnr: number, command: string, text: string): void {
    if (command === 'serverclose') {
      this.link?.fail(new DeliveryError('retry', 'the receiver closed the RELP session'));
    } else if (command === 'rsp') {
      const message = this.outstanding.get(txnr);
      this.outstanding.delete(txnr);
      if (text.startsWith('200')) return;
      if (message) this.rejected.push({ message, reason: `RELP answer: ${text.slice(0, 200)}` });
      else this.link?.fail(new DeliveryError('retry', `the receiver refused the RELP session: ${text.slice(0, 200)}`));
    }
  }

  private async acknowledged(link: Link, atMost: number): Promise<void> {
    if (await link.until(() => this.outstanding.size <= atMost, this.settings.closeTimeoutMs)) return;
    throw new DeliveryError('retry', `no acknowledgement within ${this.settings.closeTimeoutMs} ms`);
  }
}
