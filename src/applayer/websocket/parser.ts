import type { AppParser } from '../../domain/app-layer.js';
import { copy } from '../http/bytes.js';
import { createMessageParser } from '../messages.js';
import type { AppLayerOptions } from '../options.js';
import { MAX_MESSAGE_BYTES, Messages } from './messages.js';

const FLAGS = 0xf0;
const MASKED = 0x80;
/** Frames with this bit stand between those of a message (RFC 6455 5.5). */
const CONTROL = 0x08;
/** WebSocket (RFC 6455, 7692), behind the upgrade of a connection of HTTP/1: each frame; the last one of a message has all of it. */
export function createWebsocketParser(options: AppLayerOptions): AppParser {
  const sides = [new Messages(), new Messages()] as const;
  return createMessageParser({
    proto: 'websocket',
    options,
    transport: 'tcp',
    maxMessageBytes: MAX_MESSAGE_BYTES,
    reader: ({ open }) => ({
      length: (d) => frameLength(d)?.all ?? 0,
      message(d, direction) {
        const { head, all } = frameLength(d)!;
        const tx = open(direction);
        const isMasked = (d[1]! & MASKED) !== 0;
        const numbers = tx.numbers[direction];
        numbers.set('websocket.opcode', d[0]! & 15);
        numbers.set('websocket.flags', d[0]! & FLAGS);
        if (isMasked) numbers.set('websocket.mask', Buffer.from(d.subarray(head - 4, head)).readUInt32BE());
        if (all > d.length) tx.note('skip_end_of_payload');
        const data = d.subarray(head);
        const own = isMasked ? unmask(data, d.subarray(head - 4, head)) : copy(data);
        const isControl = (d[0]! & CONTROL) !== 0;
        const payload = isControl ? own : sides[direction].add(d[0]!, own);
        if (!isControl && sides[direction].isCut) tx.note('reassembly_limit_reached');
        if (payload.length > 0) tx.fields[direction].set('websocket.payload', payload);
        tx.finish();
      },
    }),
  });
}

/** Bytes of the header and of the whole frame, -1 when it is too long to be one; undefined when more are needed to tell. */
function frameLength(d: Uint8Array): { head: number; all: number } | undefined {
  if (d.length < 2) return undefined;
  const short = d[1]! & 127;
  const width = short === 126 ? 2 : short === 127 ? 8 : 0;
  const head = 2 + width + ((d[1]! & MASKED) !== 0 ? 4 : 0);
  if (d.length < head) return undefined;
  let length = width === 0 ? short : 0;
  for (let i = 0; i < width; i++) length = length * 256 + d[2 + i]!;
  return { head, all: Number.isSafeInteger(length) ? head + length : -1 };
}

function unmask(data: Uint8Array, mask: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = data[i]! ^ mask[i & 3]!;
  return out;
}
