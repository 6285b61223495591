import type { Logger } from '../util/logger.js';
import { VERSION } from '../util/version.js';
import type { FormatContext } from './formats/fields.js';
import type { DestinationSettings } from './settings.js';

export interface ForwarderDeps {
  /** Directory that a relative spool directory is in. */
  dataDir: string;
  log: Logger;
  /** Epoch milliseconds. */
  now(): number;
  hostName: string;
  /** Directory that certificate and token files are relative to; the data directory by default. */
  configDir?: string;
  /** Address of this box as receivers know it. */
  hostIp?: string;
}

/** What formats know about this box and the destination. */
export function formatContext(settings: DestinationSettings, deps: ForwarderDeps): FormatContext {
  const { options } = settings;
  return {
    productVersion: VERSION,
    hostName: deps.hostName,
    ...(deps.hostIp === undefined ? {} : { hostIp: deps.hostIp }),
    add: Object.entries(options.fields.add),
    cefVersion: options.cef_version,
    dataset: options.dataset,
    namespace: options.namespace,
    ...(options.index === undefined ? {} : { splunkIndex: options.index }),
    splunkSourcetype: options.sourcetype,
  };
}
