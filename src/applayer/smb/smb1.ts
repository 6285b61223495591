import type { Direction } from '../../domain/flow.js';
import { copy, latin1 } from '../http/bytes.js';
import { closeFile, narrow, openName, remember, rememberRead, shareOf, takeRead, transfer, u16, u32, type SmbSession } from './session.js'; // prettier-ignore

const CLOSE = 0x04;
const TRANS = 0x25;
const READ_ANDX = 0x2e;
const WRITE_ANDX = 0x2f;
const SESSION_SETUP_ANDX = 0x73;
const TREE_CONNECT_ANDX = 0x75;
const NT_CREATE_ANDX = 0xa2;
const WRITE = 0x0b;
const NEGOTIATE = 0x72;
const TREE_DISCONNECT = 0x71;
/** A call through a pipe and its answer in one (MS-CIFS 2.2.5.6). */
const TRANSACT_PIPE = 0x26;
const IS_REPLY = 0x80;
const MAX_CHAIN = 8;
const NO_ANDX = 0xff;
/** More data follows in another answer (MS-ERREF 2.3): what is here counts. */
const BUFFER_OVERFLOW = 0x80000005;

/** One SMB1 message: its commands, chained by AndX (MS-CIFS 2.2.3.4). */
export function readSmb1(d: Uint8Array, direction: Direction, session: SmbSession): void {
  const isUnicode = (u16(d, 10) & 0x8000) !== 0;
  const mid = `m${u16(d, 30)}`;
  const isReply = (d[9]! & IS_REPLY) !== 0;
  if (isReply !== (direction === 1)) {
    session.note(isReply ? 'response_to_server' : 'request_to_client', direction);
    return;
  }
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

const treeOf = (d: Uint8Array): string => `t${u16(d, 24)}`;

/** Dialects, each behind the number of its format and before a zero: one that has no name is odd. */
function negotiate(bytes: Uint8Array, session: SmbSession): void {
  const tx = session.negotiate(0);
  if (session.hasNegotiated1) tx?.note('duplicate_negotiate');
  session.hasNegotiated1 = true;
  for (let at = 0, end = bytes.indexOf(0); end >= 0; at = end + 1, end = bytes.indexOf(0, at)) {
    if (end - at < 2) tx?.note('negotiate_malformed_dialects');
  }
}

function request(m: Message, session: SmbSession): void {
  const { params, bytes, d } = m;
  switch (m.command) {
    case NEGOTIATE:
      negotiate(bytes, session);
      return;
    case TREE_DISCONNECT:
      session.pipes.disconnect(treeOf(d));
      return;
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
      if (u16(params, 28) !== TRANSACT_PIPE) return;
      const pipe = `f${u16(params, 30)}`;
      rememberRead(session, m.mid, pipe, 0);
      session.pipes.feed(pipe, 0, d.subarray(u16(params, 24), u16(params, 24) + u16(params, 22)));
      return;
    }
    case WRITE_ANDX: {
      const size = u16(params, 20) + u16(params, 18) * 65536;
      const offset = u16(params, 22);
      const place = u32(params, 6) + (params.length >= 28 ? u32(params, 24) * 0x100000000 : 0);
      const data = d.subarray(offset, offset + size);
      transfer(session, { direction: 0, id: `f${u16(params, 4)}`, tree: treeOf(d), place, data, size });
      return;
    }
    case WRITE: {
      const data = bytes.subarray(3, 3 + u16(bytes, 1));
      const place = u32(params, 4);
      transfer(session, { direction: 0, id: `f${u16(params, 0)}`, tree: treeOf(d), place, data, size: data.length });
      return;
    }
    case READ_ANDX:
      rememberRead(session, m.mid, `f${u16(params, 4)}`, u32(params, 6));
      return;
    case CLOSE:
      closeFile(session, `f${u16(params, 0)}`);
  }
}

function response(m: Message, session: SmbSession): void {
  const { params, d } = m;
  const status = u32(d, 5);
  if (status !== 0 && status !== BUFFER_OVERFLOW) return;
  switch (m.command) {
    case NEGOTIATE:
      session.negotiate(1);
      return;
    case NT_CREATE_ANDX: {
      const name = session.names.get(m.mid);
      if (name) remember(session, `f${u16(params, 5)}`, name);
      return;
    }
    case TREE_CONNECT_ANDX:
      session.pipes.connect(treeOf(d), latin1(m.bytes.subarray(0, 3)) === 'IPC');
      return;
    case TRANS: {
      const of = takeRead(session, m.mid);
      if (of) session.pipes.feed(of.id, 1, d.subarray(u16(params, 14), u16(params, 14) + u16(params, 12)));
      return;
    }
    case READ_ANDX: {
      const of = takeRead(session, m.mid);
      const size = u16(params, 10) + u16(params, 14) * 65536;
      const offset = u16(params, 12);
      const data = d.subarray(offset, offset + size);
      if (of) transfer(session, { direction: 1, id: of.id, tree: treeOf(d), place: of.place, data, size });
    }
  }
}
