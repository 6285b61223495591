import type { Box } from './box.js';
import { parseSshdPorts, words } from './parsers.js';

/** What the configuration of sshd says of connections that nobody has logged in over. */
export interface SshdSettings {
  ports: number[];
  /** After so many milliseconds sshd ends them; Infinity: never (`LoginGraceTime 0`); undefined: not known. */
  graceMs: number | undefined;
}

const FOLDER = '/etc/ssh';
/** The second is where distributions keep theirs that leave `/etc` to the administrator. */
const FILES = [`${FOLDER}/sshd_config`, '/usr/etc/ssh/sshd_config'];
/** Options that the service gives to sshd. */
const SERVICE_FILES = ['/etc/default/ssh', '/etc/sysconfig/sshd'];
/** sshd_config(5). */
const DEFAULT_GRACE_SECS = 120;
/** As sshd itself (servconf.c). */
const MAX_DEPTH = 16;
const UNIT_SECS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Reads what sshd read when it started: its file with all that it includes. What cannot be read makes the time unknown. */
export function readSshdSettings(box: Box): SshdSettings {
  const path = FILES.find((file) => box.read(file) !== undefined);
  const { text, isWhole } = path === undefined ? { text: '', isWhole: false } : globalPart(box, path, 0);
  const ports = parseSshdPorts(text);
  const [first] = words(text, /^logingracetime$/i);
  const secs = first === undefined ? DEFAULT_GRACE_SECS : parseSshdTime(first[0] ?? '');
  // The first value counts: one that stands in a file that cannot be read may come before the one we see.
  const isKnown = isWhole && secs !== undefined && !isToldOtherwise(box);
  const graceMs = !isKnown ? undefined : secs === 0 ? Infinity : secs * 1000;
  return { ports: ports.length > 0 ? ports : [22], graceMs };
}

/** The text before the first `Match`, which holds for everybody, with the files that it includes in their places. */
function globalPart(box: Box, path: string, depth: number): { text: string; isWhole: boolean } {
  const content = box.read(path)?.toString('utf8');
  if (content === undefined || depth > MAX_DEPTH) return { text: '', isWhole: false };
  const out: string[] = [];
  let isWhole = true;
  for (const line of content.split('\n')) {
    const keyword = /^\s*(\w+)/.exec(line)?.[1]?.toLowerCase();
    if (keyword === 'match') break;
    if (keyword !== 'include') {
      out.push(line);
      continue;
    }
    for (const pattern of words(line, /^include$/i).flat()) {
      const files = matching(box, unquoted(pattern));
      if (files === undefined) isWhole = false;
      for (const file of files ?? []) {
        const part = globalPart(box, file, depth + 1);
        out.push(part.text);
        isWhole &&= part.isWhole;
      }
    }
  }
  return { text: out.join('\n'), isWhole };
}

/** Files that a pattern of `Include` names, in the order of sshd. @returns undefined where folders have wildcards too. */
function matching(box: Box, pattern: string): string[] | undefined {
  const full = pattern.startsWith('/') ? pattern : `${FOLDER}/${pattern}`;
  const slash = full.lastIndexOf('/');
  const [folder, name] = [full.slice(0, slash), full.slice(slash + 1)];
  if (/[*?[]/.test(folder)) return undefined;
  const escaped = name.replace(/[.+^${}()|\\]/g, '\\$&').replace(/\[!/g, '[^');
  let glob: RegExp;
  try {
    glob = new RegExp(`^(?!\\.)${escaped.replace(/\*/g, '.*').replace(/\?/g, '.')}$`);
  } catch {
    return undefined;
  }
  return box
    .list(folder)
    .filter((found) => glob.test(found))
    .sort()
    .map((found) => `${folder}/${found}`);
}

/** sshd_config(5), "TIME FORMATS". @returns seconds, or undefined for what sshd would not take */
export function parseSshdTime(text: string): number | undefined {
  const value = unquoted(text).toLowerCase();
  if (!/^(\d+[smhdw]?)+$/.test(value)) return undefined;
  let secs = 0;
  for (const [, count, unit] of value.matchAll(/(\d+)([smhdw]?)/g)) secs += Number(count) * UNIT_SECS[unit ?? '']!;
  return secs;
}

/** Another file, or a time of its own, on the command line (`-f`, `-g`, `-o`), as far as it can be seen. */
function isToldOtherwise(box: Box): boolean {
  const services = SERVICE_FILES.map(
    (path) =>
      box
        .read(path)
        ?.toString('utf8')
        .replace(/^\s*#.*$/gm, '') ?? '',
  );
  const running = box
    .list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => box.read(`/proc/${pid}/cmdline`)?.toString('utf8').replaceAll('\0', ' ') ?? '')
    .filter((title) => /^(sshd: )?\S*\/sshd\s/.test(title));
  return [...services, ...running].some((text) => /(^|[\s"'=])-(f|g|o\s*["']?LoginGraceTime)/i.test(text));
}

const unquoted = (text: string): string => text.replace(/^"(.*)"$/, '$1');
