import type { FeatureDefinition } from '../domain/feature.js';
import { FWD, type Direction } from '../domain/flow.js';
import { PROTO, TCP, type DecodedPacket } from '../domain/packet.js';

/** Doubles this group keeps a flow: eight flag counts, windows, handshake, first reply. */
export const TCP_SIZE = 12;
const WINDOW = 8;
const HANDSHAKE = 10;
const REPLY = 11;

/** Steps of the handshake in `HANDSHAKE`. */
const SYN_SEEN = 1;
const SYN_ACK_SEEN = 2;
const COMPLETE = 3;

const FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr'] as const;

export const tcpFeatures: readonly FeatureDefinition[] = [
  ...FLAGS.map((flag) => ({
    name: `${flag}_count`,
    kind: 'numeric' as const,
    unit: 'packets',
    description: `TCP packets with ${flag.toUpperCase()} set, both ways; 0 for other protocols.`,
  })),
  {
    name: 'initial_window_fwd',
    kind: 'numeric',
    unit: 'bytes',
    description: 'Unscaled TCP window of the first packet from the source; 0 without.',
  },
  {
    name: 'initial_window_bwd',
    kind: 'numeric',
    unit: 'bytes',
    description: 'Unscaled TCP window of the first packet from the destination; 0 without.',
  },
  {
    name: 'handshake_complete',
    kind: 'flag',
    unit: '',
    description: '1 when SYN, SYN-ACK and the ACK of the source were all seen.',
  },
  {
    name: 'first_reply_delay',
    kind: 'numeric',
    unit: 's',
    description: 'Time from the first packet to the first packet of the destination; 0 while there is none.',
  },
  { name: 'replied', kind: 'flag', unit: '', description: '1 when the destination sent anything.' },
];

/** @param packetsOfSide packets seen in this direction, this one included. @param secs time since the first packet. */
export function updateTcp(
  s: Float64Array,
  b: number,
  p: DecodedPacket,
  side: { direction: Direction; packets: number; secs: number },
): void {
  if (side.direction !== FWD && side.packets === 1) s[b + REPLY] = side.secs;
  if (p.proto !== PROTO.TCP) return;
  const flags = p.tcpFlags;
  for (let bit = 0; bit < 8; bit++) s[b + bit]! += (flags >>> bit) & 1;
  if (side.packets === 1) s[b + WINDOW + side.direction] = p.window;
  const step = s[b + HANDSHAKE]!;
  const synAck = flags & (TCP.SYN | TCP.ACK);
  if (side.direction === FWD) {
    if (step === 0 && synAck === TCP.SYN) s[b + HANDSHAKE] = SYN_SEEN;
    else if (step === SYN_ACK_SEEN && (flags & (TCP.ACK | TCP.RST)) === TCP.ACK) s[b + HANDSHAKE] = COMPLETE;
  } else if (step === SYN_SEEN && synAck === (TCP.SYN | TCP.ACK)) s[b + HANDSHAKE] = SYN_ACK_SEEN;
}

/** Writes the group's values from `out[i]` on. @returns the index after the last. */
export function writeTcp(s: Float64Array, b: number, out: Float32Array, i: number, packetsBwd: number): number {
  for (let bit = 0; bit < 8; bit++) out[i++] = s[b + bit]!;
  out[i++] = s[b + WINDOW]!;
  out[i++] = s[b + WINDOW + 1]!;
  out[i++] = s[b + HANDSHAKE] === COMPLETE ? 1 : 0;
  out[i++] = s[b + REPLY]!;
  out[i++] = packetsBwd > 0 ? 1 : 0;
  return i;
}
