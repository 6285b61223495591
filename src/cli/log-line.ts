import { plain } from './print.js';

/** Fields that every line has and a person does not need. */
const DULL = new Set(['level', 'time', 'daemon', 'msg', 'pid', 'hostname']);
const LEVELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'WARN', 50: 'ERROR', 60: 'FATAL' };

/** Prints a daemon's JSON log line for a person at a terminal; other text as it is. */
export function printLogLine(line: string): void {
  process.stdout.write(`${plain(formatLogLine(line))}\n`);
}

/** `14:03:11 server    info  A policy was saved. name=scan` */
export function formatLogLine(line: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const fields = Object.entries(entry)
    .filter(([key]) => !DULL.has(key))
    .map(([key, value]) => `${key}=${describe(value)}`)
    .join(' ');
  const time = String(entry['time'] ?? '').slice(11, 19);
  const level = LEVELS[Number(entry['level'])] ?? '';
  return `${time} ${String(entry['daemon'] ?? '').padEnd(9)} ${level.padEnd(5)} ${String(entry['msg'] ?? '')} ${fields}`.trimEnd();
}

function describe(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'message' in value) return String(value.message);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
