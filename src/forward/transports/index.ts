import type { DestinationSettings } from '../settings.js';
import { StreamTransport } from './stream.js';
import type { Transport } from './transport.js';
import { UdpTransport } from './udp.js';

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
    default:
      throw new Error(`no transport for ${settings.protocol}`);
  }
}
