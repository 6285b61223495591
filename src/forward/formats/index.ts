import type { FormatName } from '../options.js';
import { formatCef } from './cef.js';
import type { Formatter } from './fields.js';
import { formatJson } from './json.js';

/** Every format by name: a new one is its file, its test and one line here. */
export const FORMATTERS: Partial<Record<FormatName, Formatter>> = {
  cef: formatCef,
  json: formatJson,
};
