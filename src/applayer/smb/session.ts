import { latin1 } from '../http/bytes.js';
import type { Direction } from '../../domain/flow.js';
import type { FieldTransaction } from '../transaction.js';
import { SmbFile } from './file.js';
import type { SmbPipes } from './pipes.js';

/** What the messages of both dialects do to a session. */
export interface SmbSession {
  open(): FieldTransaction;
  /** An anomaly, told by the transaction that was opened last, as in Suricata. */
  note(event: string, direction: Direction): void;
  /** The dialects are negotiated from the request (0) to the answer (1). */
  negotiate(direction: Direction): FieldTransaction | undefined;
  /** Dialects were offered in a message of SMB1, which is to come once (MS-CIFS 3.3.5.42). */
  hasNegotiated1: boolean;
  /** A security blob that may hold an NTLMSSP message. */
  authenticate(blob: Uint8Array): void;
  readonly maxFileBytes: number;
  /** Files being written or read, by file id and direction. */
  readonly files: Map<string, SmbFile>;
  /** Names of open files by their id; requests to open by message id, until they are answered. */
  readonly names: Map<string, Uint8Array>;
  readonly pipes: SmbPipes;
  /** Most bytes of one read or write that the server has agreed to; 0 when it is not known. */
  maxRead: number;
  maxWrite: number;
}

/** Most bytes of one read or write, whatever was agreed to: what Suricata takes for too large by default. */
export const MAX_TRANSFER = 16 * 1024 * 1024;

const MAX_NAMES = 256;

export function remember(session: SmbSession, key: string, name: Uint8Array): void {
  if (session.names.size >= MAX_NAMES) session.names.delete(session.names.keys().next().value!);
  session.names.set(key, name);
}

export const u16 = (d: Uint8Array, at: number): number => (d[at] ?? 0) | ((d[at + 1] ?? 0) << 8);
export const u32 = (d: Uint8Array, at: number): number => (u16(d, at) | (u16(d, at + 2) << 16)) >>> 0;

/** As far as a number of JavaScript is exact; what is larger stays larger than any file. */
export const u64 = (d: Uint8Array, at: number): number => u32(d, at) + u32(d, at + 4) * 0x100000000;

/** UTF-16LE as Latin-1 bytes, as far as it is. */
export function narrow(d: Uint8Array): Uint8Array {
  const out = new Uint8Array(d.length >> 1);
  for (let i = 0; i < out.length; i++) out[i] = d[2 * i + 1] === 0 ? d[2 * i]! : 63;
  return out;
}

/** Share of a tree connect, and what kind of a name it is. */
export function shareOf(session: SmbSession, path: Uint8Array): void {
  if (path.length === 0) return;
  const tx = session.open();
  tx.fields[0].set('smb.share', path);
  tx.finish();
}

/** A file or pipe is opened. */
export function openName(session: SmbSession, name: Uint8Array): void {
  if (name.length === 0) return;
  const tx = session.open();
  tx.fields[0].set('smb.named_pipe', name);
  tx.finish();
}

/** Bytes written to (0) or read from (1) a file or pipe. */
export interface Transfer {
  direction: Direction;
  /** Of the file. */
  id: string;
  /** Of the share. */
  tree: string;
  place: number;
  data: Uint8Array;
  /** Bytes of it in all, of which `data` may be the beginning. */
  size: number;
}

/** One transaction a file; what goes through a pipe are calls. */
export function transfer(session: SmbSession, t: Transfer): void {
  const isTooLarge = t.direction === 0 ? isTooLong(t.size, session.maxWrite) : isTooLong(t.size, session.maxRead);
  if (isTooLarge) {
    session.note(t.direction === 0 ? 'write_request_too_large' : 'read_response_too_large', t.direction);
    return;
  }
  if (t.data.length === 0 || session.pipes.take(t)) return;
  const key = `${t.id}/${t.direction}`;
  let file = session.files.get(key);
  if (!file) {
    if (session.files.size >= MAX_NAMES) {
      const [oldest, old] = session.files.entries().next().value!;
      old.tx.finish();
      session.files.delete(oldest);
    }
    file = new SmbFile(session.open(), t.direction, session.maxFileBytes);
    session.files.set(key, file);
    const name = session.names.get(t.id);
    if (name) file.tx.fields[t.direction].set('file.name', name);
  }
  for (const event of file.add(t.place, t.data, t.size)) {
    session.note(event === 'file_overlap' ? event : `${t.direction === 0 ? 'write' : 'read'}_${event}`, t.direction);
  }
}

/** Whether a read or write is longer than the server has agreed to (0: not known), or than anybody needs. */
export const isTooLong = (size: number, agreed: number): boolean =>
  size > MAX_TRANSFER || (agreed > 0 && size > agreed);

/** Where a file is read: kept until the answer comes. */
export function rememberRead(session: SmbSession, message: string, id: string, place: number): void {
  remember(session, `r${message}`, Buffer.from(`${place} ${id}`, 'latin1'));
}

export function takeRead(session: SmbSession, message: string): { id: string; place: number } | undefined {
  const known = session.names.get(`r${message}`);
  if (known === undefined) return undefined;
  const [place, id] = latin1(known).split(' ') as [string, string];
  return { id, place: Number(place) };
}

export function closeFile(session: SmbSession, id: string): void {
  for (const direction of [0, 1]) {
    const key = `${id}/${direction}`;
    session.files.get(key)?.tx.finish();
    session.files.delete(key);
  }
  session.names.delete(id);
  session.pipes.close(id);
}
