/** What matters of a syslog message. */
export interface SyslogMessage {
  host: string;
  app: string;
  message: string;
}

const RFC5424 = /^<(\d{1,3})>1 (\S{1,64}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) /;
const RFC3164 = /^<(\d{1,3})>([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S{8,30}) (\S{1,255}) /;

/**
 * Takes the header off a message of RFC 5424, RFC 3164, or of neither. Its time is not used: clocks of senders differ,
 * and formats that carry a time of their own are read further in.
 */
export function parseSyslog(line: string): SyslogMessage {
  const modern = RFC5424.exec(line);
  if (modern) {
    const rest = skipStructuredData(line.slice(modern[0].length));
    return { host: modern[3]!, app: modern[4]!, message: rest.replace(/^\ufeff/, '') };
  }
  const old = RFC3164.exec(line);
  const rest = old ? line.slice(old[0].length) : line.replace(/^<\d{1,3}>/, '');
  const tag = /^([A-Za-z0-9_./-]{1,48})(?:\[\d{1,10}\])?: ?/.exec(rest);
  // `CEF:0|...` directly after the header is no program called CEF.
  if (!tag || tag[1] === 'CEF' || tag[1] === 'LEEF') return { host: old?.[3] ?? '', app: '', message: rest };
  return { host: old?.[3] ?? '', app: tag[1]!, message: rest.slice(tag[0].length) };
}

/** `-` or `[id k="v"]...`, then a blank (RFC 5424 6.3). */
function skipStructuredData(text: string): string {
  if (text.startsWith('-')) return text.slice(text.startsWith('- ') ? 2 : 1);
  let i = 0;
  while (text[i] === '[') {
    let inQuotes = false;
    for (i++; i < text.length; i++) {
      const c = text[i];
      if (c === '\\' && inQuotes) i++;
      else if (c === '"') inQuotes = !inQuotes;
      else if (c === ']' && !inQuotes) break;
    }
    i++;
  }
  return text.slice(text[i] === ' ' ? i + 1 : i);
}
