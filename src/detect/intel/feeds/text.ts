import type { FoundIndicator, FeedContext } from './reader.js';

const COMMENT = /^(#|;|\/\/)/;
/** Where hosts files point a name to. */
const SINKHOLE = /^(0\.0\.0\.0|127\.0\.0\.1|::1?)$/;

/** One value a line; comments after `#`, `;` or `//`; lines of hosts files (`0.0.0.0 name`) too. */
export function* readList(text: string): Generator<FoundIndicator> {
  for (const [at, line] of lines(text)) {
    const words = line.split(/\s+/).filter((word) => word !== '');
    const end = words.findIndex((word) => COMMENT.test(word));
    const useful = end < 0 ? words : words.slice(0, end);
    const [first, second] = useful;
    if (first === undefined) continue;
    const isHosts = second !== undefined && SINKHOLE.test(first);
    yield { text: (isHosts ? second : first).replace(/[,;]+$/, ''), where: `line ${at}` };
  }
}

/** One column of comma-separated values (RFC 4180, one record a line); lines that start with `#` are comments. */
export function* readCsv(text: string, { feed }: FeedContext): Generator<FoundIndicator> {
  let isFirst = true;
  for (const [at, line] of lines(text)) {
    if (line === '' || line.startsWith('#')) continue;
    const value = splitRecord(line, feed.delimiter)[feed.column - 1]?.trim() ?? '';
    // A heading is no mistake of the feed.
    const isHeading = isFirst && /^[a-z_ -]*$/i.test(value);
    isFirst = false;
    if (!isHeading) yield { text: value, where: `line ${at}` };
  }
}

function* lines(text: string): Generator<[number, string]> {
  let number = 0;
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at);
    const stop = end < 0 ? text.length : end;
    yield [++number, text.slice(at, stop).trim()];
    at = stop + 1;
  }
}

function splitRecord(line: string, delimiter: string): string[] {
  if (!line.includes('"')) return line.split(delimiter);
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (quoted) {
      if (c !== '"') field += c;
      else if (line[i + 1] === '"') field += line[i++];
      else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === delimiter) {
      fields.push(field);
      field = '';
    } else field += c;
  }
  fields.push(field);
  return fields;
}
