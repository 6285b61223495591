import type { Direction } from '../../domain/flow.js';
import { latin1 } from '../http/bytes.js';
import { closeFile, fileBytes, narrow, openName, remember, shareOf, u16, u32, type SmbSession } from './session.js';

const SESSION_SETUP = 1;
const TREE_CONNECT = 3;
const CREATE = 5;
const CLOSE = 6;
const READ = 8;
const WRITE = 9;
const HEADER = 64;
const MAX_COMPOUND = 64;

/** One SMB2 or SMB3 message and those compounded with it (MS-SMB2 2.2.1). */
export function readSmb2(d: Uint8Array, direction: Direction, session: SmbSession): void {
  let rest = d;
  for (let n = 0; n < MAX_COMPOUND && rest.length >= HEADER; n++) {
    const next = u32(rest, 20);
    const message = next > 0 ? rest.subarray(0, next) : rest;
    const id = `m${u32(message, 24)}`;
    if (direction === 0) request(message, id, session);
    else response(message, id, session);
    if (next < HEADER) return;
    rest = rest.subarray(next);
  }
}

const slice = (d: Uint8Array, offset: number, length: number): Uint8Array => d.subarray(offset, offset + length);
const fileId = (d: Uint8Array, at: number): string => `f${Buffer.from(d.subarray(at, at + 16)).toString('hex')}`;

function request(d: Uint8Array, id: string, session: SmbSession): void {
  const b = HEADER;
  switch (u16(d, 12)) {
    case SESSION_SETUP:
      session.authenticate(slice(d, u16(d, b + 12), u16(d, b + 14)));
      return;
    case TREE_CONNECT:
      shareOf(session, narrow(slice(d, u16(d, b + 4), u16(d, b + 6))));
      return;
    case CREATE: {
      const name = narrow(slice(d, u16(d, b + 44), u16(d, b + 46)));
      openName(session, name);
      remember(session, id, name);
      return;
    }
    case WRITE:
      fileBytes(session, fileId(d, b + 16), 0, slice(d, u16(d, b + 2), u32(d, b + 4)));
      return;
    case READ:
      remember(session, `r${id}`, Buffer.from(fileId(d, b + 16), 'latin1'));
      return;
    case CLOSE:
      closeFile(session, fileId(d, b + 8));
  }
}

function response(d: Uint8Array, id: string, session: SmbSession): void {
  const b = HEADER;
  if (u32(d, 8) !== 0) return;
  switch (u16(d, 12)) {
    case CREATE: {
      const name = session.names.get(id);
      if (name) remember(session, fileId(d, b + 64), name);
      return;
    }
    case READ: {
      const of = session.names.get(`r${id}`);
      if (of) fileBytes(session, latin1(of), 1, slice(d, d[b + 2] ?? 0, u32(d, b + 4)));
    }
  }
}
