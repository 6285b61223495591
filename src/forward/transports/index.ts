import type { DestinationSettings } from '../settings.js';
import { createBulkDialect } from './bulk.js';
import { FileTransport } from './file.js';
import { createHecDialect } from './hec.js';
import { HttpTransport } from './http.js';
import { NatsTransport } from './nats.js';
import { createOtlpDialect } from './otlp.js';
import { RelpTransport } from './relp.js';
import { StdoutTransport } from './stdout.js';
import { StreamTransport } from './stream.js';
import type { Transport } from './transport.js';
import { UdpTransport } from './udp.js';
import { createWebhookDialect } from './webhook.js';

export interface TransportDeps {
  hostName: string;
  productVersion: string;
  /** Keep the bytes of the exchange for a test. */
  record: boolean;
}

/** The transport of a destination; nothing is opened before the first write. */
export function createTransport(settings: DestinationSettings, deps: TransportDeps): Transport {
  switch (settings.protocol) {
    case 'udp':
      return new UdpTransport(settings, deps);
    case 'tcp':
    case 'tls':
      return new StreamTransport(settings, deps);
    case 'relp':
    case 'relp-tls':
      return new RelpTransport(settings, deps);
    case 'hec':
      return new HttpTransport(settings, createHecDialect(settings), deps.record);
    case 'bulk':
      return new HttpTransport(settings, createBulkDialect(settings), deps.record);
    case 'otlp':
      return new HttpTransport(settings, createOtlpDialect(settings, deps), deps.record);
    case 'webhook':
      return new HttpTransport(settings, createWebhookDialect(settings), deps.record);
    case 'nats':
      return new NatsTransport(settings, deps);
    case 'file':
      return new FileTransport(settings, deps);
    case 'stdout':
      return new StdoutTransport(deps);
  }
}
