import { inspect, stripVTControlCharacters } from 'node:util';

/** A failed test is told in at most this many lines of this many characters. */
const MAX_LINES = 15;
const MAX_CHARS = 240;
/** Lines at the end that are kept when a text is too long: the place, the summary of a checker. */
const TAIL_LINES = 4;
/** Errors within errors that are followed, and places that are told. */
const MAX_CAUSES = 3;
const MAX_PLACES = 3;

/**
 * What an error says: its message (of a comparison the lines that differ), the values compared, its causes, and the places in
 * the project it came through.
 * @param error whatever was thrown.
 */
export function errorText(error) {
  if (!isError(error)) return shorten(typeof error === 'string' ? error : inspect(error));
  return shorten([...messages(error, 0), ...places(error)].join('\n'));
}

/** Also true of errors that came from another process. */
const isError = (error) => typeof error === 'object' && error !== null && typeof error.message === 'string';

function messages(error, depth) {
  const code = typeof error.code === 'string' && error.code !== 'ERR_ASSERTION' ? ` [${error.code}]` : '';
  const lines = [differences(`${error.name ?? 'Error'}${code}: ${error.message}`)];
  // A message of the test's own does not say what was compared.
  if (error.generatedMessage === false && 'operator' in error && 'actual' in error) {
    lines.push(`actual (${error.operator}): ${brief(error.actual)}`, `expected: ${brief(error.expected)}`);
  }
  const inner = [error.cause, ...(Array.isArray(error.errors) ? error.errors : [])].filter(isError);
  if (depth < MAX_CAUSES)
    for (const cause of inner) lines.push(...messages(cause, depth + 1).map((text) => `caused by ${text}`));
  return lines;
}

const brief = (value) =>
  inspect(value, { depth: 3, maxArrayLength: 10, maxStringLength: MAX_CHARS, breakLength: Infinity, compact: true });

/** Of a comparison that is told in many lines, those that are not equal. */
function differences(message) {
  const lines = message.split('\n').filter((line) => line.trim() !== '');
  if (lines.length <= MAX_LINES / 2 || !message.includes('+ actual - expected')) return lines.join('\n');
  return lines.filter((line, i) => i < 2 || /^[+-]/.test(line)).join('\n');
}

function places(error) {
  const frames = String(error.stack ?? '').split('\n');
  const own = frames.filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line) && !/node:|node_modules/.test(line));
  return own.slice(0, MAX_PLACES).map((line) => line.trim());
}

/** A text in at most {@link MAX_LINES} lines: its beginning and its end, without colours and empty lines. */
export function shorten(text) {
  const lines = stripVTControlCharacters(text)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => (line.length > MAX_CHARS ? `${line.slice(0, MAX_CHARS)}...` : line));
  if (lines.length <= MAX_LINES) return lines.join('\n');
  const head = MAX_LINES - TAIL_LINES - 1;
  const left = `... ${lines.length - head - TAIL_LINES} lines left out`;
  return [...lines.slice(0, head), left, ...lines.slice(-TAIL_LINES)].join('\n');
}
