import { MALFORMED, type Parsed } from '../finding.js';
import type { SyslogMessage } from '../syslog.js';
import { parseCef } from './cef.js';
import { parseEve } from './eve.js';
import { parseFilterlog, parseFortigate, parseNetfilter } from './firewall.js';
import { parseLeef } from './leef.js';

/** Recognises what another firewall says by its text; the sender's claim to be a product counts for nothing. */
export function parseMessage({ app, message }: SyslogMessage): Parsed {
  if (/CEF:\s?\d\|/.test(message.slice(0, 512))) return parseCef(message);
  if (/LEEF:[12]\.0\|/.test(message.slice(0, 512))) return parseLeef(message);
  if (/\bIN=\S{0,15} OUT=/.test(message.slice(0, 512))) return parseNetfilter(message);
  if (app === 'filterlog') return parseFilterlog(message);
  if (/\blogid=/.test(message.slice(0, 512)) && /\btype=/.test(message.slice(0, 512))) return parseFortigate(message);
  const brace = message.indexOf('{');
  if (brace >= 0 && message.includes('"event_type"', brace)) return parseEve(message.slice(brace));
  return MALFORMED;
}

export { parseEve };
