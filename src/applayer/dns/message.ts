const HEADER_BYTES = 12;
const MAX_NAME_BYTES = 1025;
/** Labels and pointers of one name that are followed. */
const MAX_STEPS = 255;

export interface DnsRecord {
  name: Uint8Array;
  type: number;
  class: number;
  ttl: number;
  /** Offset and length of the data in the message. */
  at: number;
  length: number;
  /** The name that the data is or begins with, of types that have one; see `keepNamesInData`. */
  nameInData?: Uint8Array | undefined;
}

export interface DnsMessage {
  id: number;
  flags: number;
  isResponse: boolean;
  opcode: number;
  rcode: number;
  questions: { name: Uint8Array; type: number; class: number }[];
  answers: DnsRecord[];
  authorities: DnsRecord[];
  additionals: DnsRecord[];
  events: string[];
  /** Names or records were broken, or more than are kept. */
  isMalformed: boolean;
}

function u16(d: Uint8Array, at: number): number {
  return d[at]! * 256 + d[at + 1]!;
}

/**
 * Reads a name (RFC 1035 4.1.4) as dotted text. One that goes round in circles behind a pointer ends there, since where the
 * message goes on is known. @returns the offset after it, or -1.
 */
export function readName(d: Uint8Array, begin: number, out: number[], note: (event: string) => void): number {
  let at = begin;
  let after = -1;
  for (let steps = 1; ; steps++) {
    if (at >= d.length) return -1;
    const length = d[at]!;
    if (length === 0) return after < 0 ? at + 1 : after;
    if ((length & 0xc0) === 0xc0) {
      if (at + 1 >= d.length) return -1;
      const target = ((length & 0x3f) << 8) | d[at + 1]!;
      if (target >= d.length || (target === at && after < 0)) return -1;
      if (target === at) {
        note('infinite_loop');
        return after;
      }
      if (after < 0) after = at + 2;
      at = target;
    } else {
      if (length & 0xc0 || at + 1 + length > d.length) return -1;
      if (out.length > 0 && out.length < MAX_NAME_BYTES) out.push(46);
      for (let i = 1; i <= length && out.length < MAX_NAME_BYTES; i++) out.push(d[at + i]!);
      at += length + 1;
      if (out.length === MAX_NAME_BYTES) {
        note('name_too_long');
        if (after >= 0) return after;
      }
    }
    if (steps <= MAX_STEPS) continue;
    note('too_many_labels');
    return after;
  }
}

/** @returns true for an answer, false for a query, undefined when these bytes are no DNS message. */
export function looksLikeDns(d: Uint8Array, isPartial: boolean): boolean | undefined {
  if (d.length < HEADER_BYTES) return undefined;
  const flags = u16(d, 2);
  const isResponse = (flags & 0x8000) !== 0;
  const opcode = (flags >> 11) & 15;
  const questions = u16(d, 4);
  const records = u16(d, 6) + u16(d, 8) + u16(d, 10);
  if (flags & 0x40 || opcode > 6 || questions > 32 || records > 512) return undefined;
  if (questions === 0)
    return isResponse && records > 0 && d.length >= HEADER_BYTES + 11 ? hasName(d, isPartial, isResponse) : undefined;
  return hasName(d, isPartial, isResponse);
}

function hasName(d: Uint8Array, isPartial: boolean, isResponse: boolean): boolean | undefined {
  const after = readName(d, HEADER_BYTES, [], () => undefined);
  if (after < 0) return isPartial ? isResponse : undefined;
  if (after + 4 > d.length) return isPartial ? isResponse : undefined;
  const recordClass = u16(d, after + 2) & 0x7fff;
  return recordClass <= 4 || recordClass >= 254 ? isResponse : undefined;
}

/** Reads a message as far as it can be read. @returns undefined when there is no header. */
export function parseDns(d: Uint8Array, maxNames: number): DnsMessage | undefined {
  if (d.length < HEADER_BYTES) return undefined;
  const flags = u16(d, 2);
  const m: DnsMessage = {
    id: u16(d, 0),
    flags,
    isResponse: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 15,
    rcode: flags & 15,
    questions: [],
    answers: [],
    authorities: [],
    additionals: [],
    events: [],
    isMalformed: false,
  };
  const note = (event: string): void => {
    if (!m.events.includes(event)) m.events.push(event);
  };
  if (flags & 0x40) note('z_flag_set');
  if (m.opcode >= 7) note('invalid_opcode');
  let at = HEADER_BYTES;
  let names = 0;
  const malformed = (): DnsMessage => {
    m.isMalformed = true;
    return m;
  };
  for (let i = 0; i < u16(d, 4); i++) {
    const out: number[] = [];
    const after = names++ < maxNames ? readName(d, at, out, note) : -1;
    if (after < 0 || after + 4 > d.length) return malformed();
    m.questions.push({ name: Uint8Array.from(out), type: u16(d, after), class: u16(d, after + 2) });
    at = after + 4;
  }
  for (const [list, countAt] of [
    [m.answers, 6],
    [m.authorities, 8],
    [m.additionals, 10],
  ] as const) {
    for (let i = 0; i < u16(d, countAt); i++) {
      const out: number[] = [];
      const after = names++ < maxNames ? readName(d, at, out, note) : -1;
      if (after < 0 || after + 10 > d.length) return malformed();
      const length = u16(d, after + 8);
      const ttl = (u16(d, after + 4) * 65_536 + u16(d, after + 6)) >>> 0;
      const dataAt = after + 10;
      if (dataAt + length > d.length) return malformed();
      list.push({ name: Uint8Array.from(out), type: u16(d, after), class: u16(d, after + 2), ttl, at: dataAt, length });
      at = dataAt + length;
    }
  }
  return m;
}
