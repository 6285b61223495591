import type { AppParser } from '../../domain/app-layer.js';
import { createMessageParser } from '../messages.js';
import type { AppLayerOptions } from '../options.js';
import type { FieldTransaction } from '../transaction.js';
import { readCip } from './cip.js';

/** The encapsulation header (CIP Vol. 2, 2-3), and where its items begin behind interface and timeout. */
const HEADER = 24;
const ITEMS = HEADER + 6;
const SEND_RR_DATA = 0x6f;
const SEND_UNIT_DATA = 0x70;
const CONNECTED_DATA = 0xb1;
const UNCONNECTED_DATA = 0xb2;
const SEQUENCE_BYTES = 2;
const MAX_ITEMS = 8;

const COMMANDS = new Set([0x00, 0x01, 0x04, 0x63, 0x64, 0x65, 0x66, 0x6f, 0x70, 0x72, 0x73]);
const u16 = (d: Uint8Array, at: number): number => (d[at] ?? 0) + (d[at + 1] ?? 0) * 256;

/** Whether a packet of EtherNet/IP begins here: a known command, and no options, of which there are none. */
export const looksLikeEnip = (d: Uint8Array): boolean =>
  d.length >= HEADER && COMMANDS.has(u16(d, 0)) && d.subarray(20, HEADER).every((byte) => byte === 0);

/** EtherNet/IP over TCP and UDP (CIP Vol. 2): each packet with its command and the requests of CIP in it. */
export function createEnipParser(options: AppLayerOptions, transport: 'tcp' | 'udp'): AppParser {
  return createMessageParser({
    proto: 'enip',
    options,
    transport,
    reader: ({ open }) => ({
      length: (d) => (d.length < HEADER ? 0 : HEADER + u16(d, 2)),
      message(d, direction) {
        if (d.length < HEADER) return;
        const tx = open(direction);
        tx.numbers[direction].set('enip.command', u16(d, 0));
        if (u16(d, 0) === SEND_RR_DATA || u16(d, 0) === SEND_UNIT_DATA) readItems(d, tx.numbers[direction]);
        tx.finish();
      },
    }),
  });
}

/** The Common Packet Format (CIP Vol. 2, 2-6): items, of which those with data hold CIP. */
function readItems(d: Uint8Array, numbers: FieldTransaction['numbers'][0]): void {
  const count = Math.min(u16(d, ITEMS), MAX_ITEMS);
  for (let n = 0, at = ITEMS + 2; n < count && at + 4 <= d.length; n++) {
    const type = u16(d, at);
    const data = d.subarray(at + 4, at + 4 + u16(d, at + 2));
    at += 4 + u16(d, at + 2);
    if (type === CONNECTED_DATA) describe(data.subarray(SEQUENCE_BYTES), numbers);
    else if (type === UNCONNECTED_DATA) describe(data, numbers);
  }
}

function describe(d: Uint8Array, numbers: FieldTransaction['numbers'][0]): void {
  for (const request of readCip(d)) {
    const service = `cip.service=${request.service}`;
    numbers.set(service, 1);
    if (request.class === undefined) continue;
    numbers.set(`${service},${request.class}`, 1);
    for (const attribute of request.attributes) {
      numbers.set(`${service},${request.class},${attribute}`, 1);
      numbers.set(`${service},${request.class},last`, attribute);
    }
  }
}
