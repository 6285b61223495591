import type { FormatName } from '../options.js';
import { formatCef } from './cef.js';
import { formatEcs } from './ecs.js';
import { formatEve } from './eve.js';
import type { Formatter } from './fields.js';
import { formatJson } from './json.js';
import { formatLeef } from './leef.js';
import { formatOcsf } from './ocsf.js';
import { formatOtlp } from './otlp.js';
import { formatSplunkHec } from './splunk-hec.js';

/** Every format by name: a new one is its file, its test and one line here. */
export const FORMATTERS: Readonly<Record<FormatName, Formatter>> = {
  cef: formatCef,
  leef: formatLeef,
  ecs: formatEcs,
  ocsf: formatOcsf,
  eve: formatEve,
  'splunk-hec': formatSplunkHec,
  otlp: formatOtlp,
  json: formatJson,
};
