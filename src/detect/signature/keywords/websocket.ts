import { addNumber, codeRange, number, readFlags } from './numbers.js';
import type { Keyword } from './payload.js';

const WEBSOCKET = ['websocket'];

/** Kinds of frames and bits of their first byte (RFC 6455 5.2, RFC 7692 6). */
const OPCODES: Readonly<Record<string, number>> = {
  continuation: 0,
  text: 1,
  binary: 2,
  connection_close: 8,
  ping: 9,
  pong: 10,
};
const FLAGS: Readonly<Record<string, number>> = { fin: 0x80, comp: 0x40 };
const MAX_BYTE = 255;

/** `fin,!comp`, or a number, range or mask. */
const flags: Keyword = (b, value) => {
  if (!/^!?[a-z]/i.test(value)) {
    addNumber(b, 'websocket.flags', codeRange(value, {}, MAX_BYTE), WEBSOCKET);
    return;
  }
  const { mask, wanted } = readFlags(value, FLAGS);
  addNumber(b, 'websocket.flags', { operator: '&=', a: mask, b: wanted }, WEBSOCKET);
};

/** Keywords of WebSocket beside the payload. */
export const WEBSOCKET_KEYWORDS: Readonly<Record<string, Keyword>> = {
  'websocket.opcode': (b, value) => {
    addNumber(b, 'websocket.opcode', codeRange(value, OPCODES, MAX_BYTE), WEBSOCKET);
  },
  'websocket.mask': number('websocket.mask', WEBSOCKET, { max: 0xffffffff }),
  'websocket.flags': flags,
};
