import type { Direction } from '../../domain/flow.js';
import { copy, latin1 } from '../http/bytes.js';
import { closeFile, fileBytes, narrow, openName, remember, shareOf, u16, u32, type SmbSession } from './session.js';

const CLOSE = 0x04;
const TRANS = 0x25;
const READ_ANDX = 0x2e;
const WRITE_ANDX = 0x2f;
const SESSION_SETUP_ANDX = 0x73;
const TREE_CONNECT_ANDX = 0x75;
const NT_CREATE_ANDX = 0xa2;
const WRITE = 0x0b;
const MAX_CHAIN = 8;
const NO_ANDX = 0xff;

/** One SMB1 message: its commands, chained by AndX (MS-CIFS 2.2.3.4). */
export function readSmb1(d: Uint8Array, direction: Direction, session: SmbSession): void {
  const isUnicode = (u16(d, 10) & 0x8000) !== 0;
  const mid = `m${u16(d, 30)}`;
  let command = d[4]!;
  let at = 32;
  for (let n = 0; n < MAX_CHAIN; n++) {
    const words = (d[at] ?? 0) * 2;
    const params = d.subarray(at + 1, at + 1 + words);
    const bytesAt = at + 1 + words + 2;
    const bytes = d.subarray(bytesAt, bytesAt + u16(d, at + 1 + words));
    if (at >= d.length) return;
    const message = { command, params, bytes, bytesAt, d, isUnicode, mid };
    if (direction === 0) request(message, session);
    else response(message, session);
    const next = params[0];
    const offset = u16(params, 2);
    const chains = [READ_ANDX, WRITE_ANDX, SESSION_SETUP_ANDX, TREE_CONNECT_ANDX, NT_CREATE_ANDX].includes(command);
    if (!chains || next === undefined || next === NO_ANDX || offset <= at) return;
    command = next;
    at = offset;
  }
}

interface Message {
  command: number;
  params: Uint8Array;
  bytes: Uint8Array;
  bytesAt: number;
  d: Uint8Array;
  isUnicode: boolean;
  mid: string;
}

/** A string in the bytes of a message, aligned to two bytes when it is wide. */
function text(m: Message, from: number): Uint8Array {
  if (!m.isUnicode) {
    const end = m.bytes.indexOf(0, from);
    return copy(m.bytes.subarray(from, end < 0 ? m.bytes.length : end));
  }
  const begin = from + ((m.bytesAt + from) % 2);
  let end = begin;
  while (end + 1 < m.bytes.length && (m.bytes[end] !== 0 || m.bytes[end + 1] !== 0)) end += 2;
  return narrow(m.bytes.subarray(begin, end));
}

function request(m: Message, session: SmbSession): void {
  const { params, bytes, d } = m;
  switch (m.command) {
    case TREE_CONNECT_ANDX:
      shareOf(session, text(m, u16(params, 6)));
      return;
    case SESSION_SETUP_ANDX:
      session.authenticate(bytes);
      return;
    case NT_CREATE_ANDX: {
      const name = text(m, 0);
      openName(session, name);
      remember(session, m.mid, name);
      return;
    }
    case TRANS: {
      const name = text(m, 0);
      if (/^\\PIPE\\/i.test(latin1(name))) openName(session, name);
      return;
    }
    case WRITE_ANDX: {
      const size = u16(params, 20) + u16(params, 18) * 65536;
      const offset = u16(params, 22);
      fileBytes(session, `f${u16(params, 4)}`, 0, d.subarray(offset, offset + size));
      return;
    }
    case WRITE:
      fileBytes(session, `f${u16(params, 0)}`, 0, bytes.subarray(3, 3 + u16(bytes, 1)));
      return;
    case READ_ANDX:
      remember(session, `r${m.mid}`, Buffer.from(`f${u16(params, 4)}`));
      return;
    case CLOSE:
      closeFile(session, `f${u16(params, 0)}`);
  }
}

function response(m: Message, session: SmbSession): void {
  const { params, d } = m;
  if (u32(d, 5) !== 0) return;
  if (m.command === NT_CREATE_ANDX) {
    const name = session.names.get(m.mid);
    if (name) remember(session, `f${u16(params, 5)}`, name);
  } else if (m.command === READ_ANDX) {
    const id = session.names.get(`r${m.mid}`);
    const size = u16(params, 10) + u16(params, 14) * 65536;
    const offset = u16(params, 12);
    if (id) fileBytes(session, latin1(id), 1, d.subarray(offset, offset + size));
  }
}
