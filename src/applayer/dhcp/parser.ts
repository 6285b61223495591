import type { AppParser } from '../../domain/app-layer.js';
import { createMessageParser } from '../messages.js';
import type { AppLayerOptions } from '../options.js';

const HEADER = 240;
const PAD = 0;
const END = 255;
/** Options (RFC 2132 9) whose seconds rules compare. */
const TIMES: Readonly<Record<number, string>> = {
  51: 'dhcp.leasetime',
  58: 'dhcp.renewal_time',
  59: 'dhcp.rebinding_time',
};

/** DHCP (RFC 2131): times of leases, and options that are not sound. */
export function createDhcpParser(options: AppLayerOptions): AppParser {
  return createMessageParser({
    proto: 'dhcp',
    options,
    transport: 'udp',
    reader: ({ open }) => ({
      message(d, direction) {
        const tx = open(direction);
        tx.finish();
        let at = HEADER;
        while (at < d.length && d[at] !== END) {
          if (d[at] === PAD) {
            at++;
            continue;
          }
          const length = d[at + 1];
          if (length === undefined || at + 2 + length > d.length) {
            tx.note('truncated_options');
            return;
          }
          const name = TIMES[d[at]!];
          if (name !== undefined && length === 4) {
            const v = d[at + 2]! * 16_777_216 + d[at + 3]! * 65_536 + d[at + 4]! * 256 + d[at + 5]!;
            tx.numbers[direction].set(name, v);
          } else if (name !== undefined || (d[at] === 53 && length !== 1)) tx.note('malformed_options');
          at += 2 + length;
        }
        if (at >= d.length) tx.note('truncated_options');
      },
    }),
  });
}
