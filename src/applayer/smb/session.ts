import type { Direction } from '../../domain/flow.js';
import { Collected } from '../http/bytes.js';
import type { FieldTransaction } from '../transaction.js';

/** A file being written or read. */
export interface SmbFile {
  tx: FieldTransaction;
  data: Collected;
}

/** What the messages of both dialects do to a session. */
export interface SmbSession {
  open(): FieldTransaction;
  /** A security blob that may hold an NTLMSSP message. */
  authenticate(blob: Uint8Array): void;
  readonly maxFileBytes: number;
  /** Files being written or read, by file id and direction. */
  readonly files: Map<string, SmbFile>;
  /** Names of open files by their id; requests to open by message id, until they are answered. */
  readonly names: Map<string, Uint8Array>;
}

const MAX_NAMES = 256;

export function remember(session: SmbSession, key: string, name: Uint8Array): void {
  if (session.names.size >= MAX_NAMES) session.names.delete(session.names.keys().next().value!);
  session.names.set(key, name);
}

export const u16 = (d: Uint8Array, at: number): number => (d[at] ?? 0) | ((d[at + 1] ?? 0) << 8);
export const u32 = (d: Uint8Array, at: number): number => (u16(d, at) | (u16(d, at + 2) << 16)) >>> 0;

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

/** Bytes written to or read from a file: one transaction a file. */
export function fileBytes(session: SmbSession, id: string, direction: Direction, data: Uint8Array): void {
  if (data.length === 0) return;
  const key = `${id}/${direction}`;
  let file = session.files.get(key);
  if (!file) {
    if (session.files.size >= MAX_NAMES) {
      const [oldest, old] = session.files.entries().next().value!;
      old.tx.finish();
      session.files.delete(oldest);
    }
    file = { tx: session.open(), data: new Collected(session.maxFileBytes) };
    session.files.set(key, file);
    const name = session.names.get(id);
    if (name) file.tx.fields[direction].set('file.name', name);
  }
  file.data.add(data);
  file.tx.fields[direction].set('file.data', file.data.bytes);
}

export function closeFile(session: SmbSession, id: string): void {
  for (const direction of [0, 1]) {
    const key = `${id}/${direction}`;
    session.files.get(key)?.tx.finish();
    session.files.delete(key);
  }
  session.names.delete(id);
}
