import { PROTO } from '../domain/packet.js';

/** Query and reply types that belong together, as the community id specification lists them. */
const PAIRS_V4: readonly (readonly [number, number])[] = [
  [8, 0],
  [10, 9],
  [13, 14],
  [15, 16],
  [17, 18],
];
const PAIRS_V6: readonly (readonly [number, number])[] = [
  [128, 129],
  [130, 131],
  [133, 134],
  [135, 136],
  [139, 140],
  [144, 145],
];

function counterparts(pairs: readonly (readonly [number, number])[]): Int16Array {
  const table = new Int16Array(256).fill(-1);
  for (const [query, reply] of pairs) {
    table[query] = reply;
    table[reply] = query;
  }
  return table;
}

const COUNTERPART_V4 = counterparts(PAIRS_V4);
const COUNTERPART_V6 = counterparts(PAIRS_V6);

/** The type that answers, or is answered by, an ICMP type; -1 for one-way messages such as "unreachable". */
export function icmpCounterpart(proto: number, type: number): number {
  return (proto === PROTO.ICMPV6 ? COUNTERPART_V6 : COUNTERPART_V4)[type & 255]!;
}
