import { splitList } from './address.js';

/** Ports that match: one bit a port (8 KiB), shared by equal texts; undefined means any port. */
export type PortSet = Uint32Array | undefined;

/**
 * Reads a port part of a rule: `any`, ports, `1024:`, `:1023`, `80:90`, `$VARIABLES`, `!negation`, `[lists]`.
 * @throws {Error} with a sentence for people.
 */
export function parsePorts(text: string, variables: ReadonlyMap<string, string>): PortSet {
  const set = parseMember(text.trim(), variables, 0);
  if (set.every((word) => word === 0xffffffff)) return undefined;
  if (set.every((word) => word === 0)) throw new Error(`"${text}" leaves no port`);
  return set;
}

export function inPorts(set: PortSet, port: number): boolean {
  return set === undefined || ((set[port >>> 5]! >>> (port & 31)) & 1) === 1;
}

const WORDS = 2048;

function parseMember(text: string, variables: ReadonlyMap<string, string>, depth: number): Uint32Array {
  if (depth > 16) throw new Error('port variables refer to each other in a circle');
  if (text.startsWith('!')) return invert(parseMember(text.slice(1).trim(), variables, depth + 1));
  if (text.startsWith('[')) {
    if (!text.endsWith(']')) throw new Error(`"${text}" is not closed`);
    return parseList(splitList(text.slice(1, -1)), variables, depth + 1);
  }
  if (text.startsWith('$')) {
    const value = variables.get(text.slice(1));
    if (value === undefined) throw new Error(`the port variable ${text} is not defined`);
    return parseMember(value.trim(), variables, depth + 1);
  }
  const set = new Uint32Array(WORDS);
  if (text === 'any') return set.fill(0xffffffff);
  const m = /^(\d{1,5})?(:)?(\d{1,5})?$/.exec(text);
  if (!m || (m[1] === undefined && m[3] === undefined))
    throw new Error(`"${text}" is not a port, range, variable or list`);
  const from = Number(m[1] ?? 0);
  const to = m[2] === undefined ? from : Number(m[3] ?? 65535);
  if (from > 65535 || to > 65535 || from > to) throw new Error(`"${text}" is not a port range`);
  for (let port = from; port <= to; port++) set[port >>> 5]! |= 1 << (port & 31);
  return set;
}

function parseList(members: readonly string[], variables: ReadonlyMap<string, string>, depth: number): Uint32Array {
  const positive = members.filter((m) => !m.startsWith('!'));
  const set = new Uint32Array(WORDS).fill(positive.length === 0 ? 0xffffffff : 0);
  for (const m of positive) {
    const other = parseMember(m, variables, depth);
    for (let i = 0; i < WORDS; i++) set[i]! |= other[i]!;
  }
  for (const m of members.filter((x) => x.startsWith('!'))) {
    const other = parseMember(m.slice(1).trim(), variables, depth);
    for (let i = 0; i < WORDS; i++) set[i]! &= ~other[i]!;
  }
  return set;
}

function invert(set: Uint32Array): Uint32Array {
  for (let i = 0; i < WORDS; i++) set[i] = ~set[i]!;
  return set;
}
