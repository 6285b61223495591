import type { Direction } from '../../domain/flow.js';
import { closeFile, isTooLong, MAX_TRANSFER, narrow, openName, remember, rememberRead, shareOf, takeRead, transfer, u16, u32, u64, type SmbSession } from './session.js'; // prettier-ignore

const NEGOTIATE = 0;
const SESSION_SETUP = 1;
const TREE_CONNECT = 3;
const TREE_DISCONNECT = 4;
const CREATE = 5;
const CLOSE = 6;
const READ = 8;
const WRITE = 9;
const IOCTL = 11;
const HEADER = 64;
const MAX_COMPOUND = 64;
const IS_RESPONSE = 1;
/** More data follows in another answer (MS-ERREF 2.3): what is here counts. */
const BUFFER_OVERFLOW = 0x80000005;
/** A call through a pipe and its answer in one (MS-FSCC 2.3.51). */
const PIPE_TRANSCEIVE = 0x0011c017;
const PIPE_SHARE = 2;

/** One SMB2 or SMB3 message and those compounded with it (MS-SMB2 2.2.1). */
export function readSmb2(d: Uint8Array, direction: Direction, session: SmbSession): void {
  let rest = d;
  for (let n = 0; n < MAX_COMPOUND && rest.length >= HEADER; n++) {
    const next = u32(rest, 20);
    const message = next > 0 ? rest.subarray(0, next) : rest;
    const id = `m${u32(message, 24)}`;
    const isResponse = (u32(message, 16) & IS_RESPONSE) !== 0;
    if (isResponse !== (direction === 1))
      session.note(isResponse ? 'response_to_server' : 'request_to_client', direction);
    else if (isResponse) response(message, id, session);
    else request(message, id, session);
    if (next < HEADER) return;
    rest = rest.subarray(next);
  }
}

const slice = (d: Uint8Array, offset: number, length: number): Uint8Array => d.subarray(offset, offset + length);
const fileId = (d: Uint8Array, at: number): string => `f${Buffer.from(d.subarray(at, at + 16)).toString('hex')}`;

const treeOf = (d: Uint8Array): string => `t${u32(d, 36)}`;

function request(d: Uint8Array, id: string, session: SmbSession): void {
  const b = HEADER;
  switch (u16(d, 12)) {
    case NEGOTIATE:
      session.negotiate(0);
      return;
    case SESSION_SETUP:
      session.authenticate(slice(d, u16(d, b + 12), u16(d, b + 14)));
      return;
    case TREE_CONNECT:
      shareOf(session, narrow(slice(d, u16(d, b + 4), u16(d, b + 6))));
      return;
    case TREE_DISCONNECT:
      session.pipes.disconnect(treeOf(d));
      return;
    case CREATE: {
      const name = narrow(slice(d, u16(d, b + 44), u16(d, b + 46)));
      openName(session, name);
      remember(session, id, name);
      return;
    }
    case WRITE: {
      const size = u32(d, b + 4);
      const data = slice(d, u16(d, b + 2), size);
      transfer(session, { direction: 0, id: fileId(d, b + 16), tree: treeOf(d), place: u64(d, b + 8), data, size });
      return;
    }
    case READ:
      if (isTooLong(u32(d, b + 4), session.maxRead)) session.note('read_request_too_large', 0);
      else rememberRead(session, id, fileId(d, b + 16), u64(d, b + 8));
      return;
    case IOCTL:
      if (u32(d, b + 4) !== PIPE_TRANSCEIVE) return;
      session.pipes.feed(fileId(d, b + 8), 0, slice(d, u32(d, b + 24), u32(d, b + 28)));
      return;
    case CLOSE:
      closeFile(session, fileId(d, b + 8));
  }
}

function response(d: Uint8Array, id: string, session: SmbSession): void {
  const b = HEADER;
  const status = u32(d, 8);
  if (status !== 0 && status !== BUFFER_OVERFLOW) return;
  switch (u16(d, 12)) {
    case NEGOTIATE:
      negotiated(d, session);
      return;
    case TREE_CONNECT:
      session.pipes.connect(treeOf(d), d[b + 2] === PIPE_SHARE);
      return;
    case CREATE: {
      const name = session.names.get(id);
      if (name) remember(session, fileId(d, b + 64), name);
      return;
    }
    case READ: {
      const of = takeRead(session, id);
      const size = u32(d, b + 4);
      const data = slice(d, d[b + 2] ?? 0, size);
      if (of) transfer(session, { direction: 1, id: of.id, tree: treeOf(d), place: of.place, data, size });
      else if (isTooLong(size, session.maxRead)) session.note('read_response_too_large', 1);
      return;
    }
    case IOCTL:
      if (u32(d, b + 4) !== PIPE_TRANSCEIVE) return;
      session.pipes.feed(fileId(d, b + 8), 1, slice(d, u32(d, b + 32), u32(d, b + 36)));
  }
}

/** The answer to a negotiation says how much may be read and written at once. */
function negotiated(d: Uint8Array, session: SmbSession): void {
  const tx = session.negotiate(1);
  if (d.length < HEADER + 64) return;
  session.maxRead = u32(d, HEADER + 32);
  session.maxWrite = u32(d, HEADER + 36);
  if (session.maxRead > MAX_TRANSFER) tx?.note('negotiate_max_read_size_too_large');
  if (session.maxWrite > MAX_TRANSFER) tx?.note('negotiate_max_write_size_too_large');
}
