import syslogClient, { type Client } from 'syslog-client';
import { errorMessage } from '../../util/errors.js';
import { SEVERITY_FIELDS } from '../formats/fields.js';
import type { DestinationSettings } from '../settings.js';
import { syslogToken } from '../syslog/header.js';
import { Recorder } from './recorder.js';
import { DeliveryError, type Exchange, type Message, type Rejected, type Transport } from './transport.js';

/**
 * Syslog over UDP (RFC 5426) through `syslog-client`. Best effort: nothing confirms a datagram. The package neither
 * checks header tokens nor its own errors, so tokens are cleaned here and there is always an error listener.
 */
export class UdpTransport implements Transport {
  readonly policy = { maxEvents: 500, maxMs: 0, idleMs: 0 };
  readonly lingerMs = 0;
  readonly overheadBytes: number;
  readonly guarantee = 'best-effort';
  readonly warning = '';
  private readonly settings: DestinationSettings;
  private readonly hostName: string;
  private readonly recorder: Recorder;
  private client: Client | undefined;
  private failure = '';

  constructor(settings: DestinationSettings, deps: { hostName: string; record: boolean }) {
    this.settings = settings;
    this.hostName = syslogToken(deps.hostName, 255);
    this.recorder = new Recorder(deps.record);
    this.overheadBytes = 90 + this.hostName.length + settings.appName.length;
  }

  async write(messages: readonly Message[]): Promise<void> {
    const client = this.connected();
    for (const message of messages) await this.send(client, message);
    if (this.failure !== '') {
      const reason = this.failure;
      this.failure = '';
      throw new DeliveryError('retry', reason);
    }
  }

  confirm(): Promise<Rejected[]> {
    this.recorder.recordAnswer('sent; UDP gives no answer');
    return Promise.resolve([]);
  }

  reset(): void {
    if (!this.client) return;
    this.client.close();
    this.client = undefined;
  }

  close(): Promise<void> {
    this.reset();
    return Promise.resolve();
  }

  exchange(): Exchange {
    return this.recorder.exchange();
  }

  private connected(): Client {
    if (this.client) return this.client;
    const client = syslogClient.createClient(this.settings.host, {
      port: this.settings.port,
      transport: syslogClient.Transport.Udp,
      syslogHostname: this.hostName,
      appName: syslogToken(this.settings.appName, 48),
    });
    client.on('error', (error: unknown) => {
      this.failure = errorMessage(error);
      this.client = undefined;
    });
    this.client = client;
    return client;
  }

  private send(client: Client, message: Message): Promise<void> {
    const { header, tag, facility, appName } = this.settings;
    const rfc3164 = header === 'rfc3164';
    const body = rfc3164 && tag ? `${appName}: ${message.body}` : message.body;
    this.recorder.recordSent(`${body}\n`);
    return new Promise((resolve, reject) => {
      const options = {
        facility,
        severity: SEVERITY_FIELDS[message.event.severity].syslog,
        rfc3164,
        timestamp: new Date(message.event.tsMs),
        msgid: message.event.kind,
      };
      client.log(body, options, (error) => {
        if (error) reject(new DeliveryError('retry', error.message));
        else resolve();
      });
    });
  }
}
