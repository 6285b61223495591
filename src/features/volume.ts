import type { FeatureDefinition } from '../domain/feature.js';
import type { Direction } from '../domain/flow.js';
import type { DecodedPacket } from '../domain/packet.js';

/** Doubles this group keeps a flow. */
export const VOLUME_SIZE = 10;
const PACKETS = 0;
const BYTES = 2;
const PAYLOAD = 4;
const PAYLOAD_PACKETS = 6;
const HEADER = 8;

/** Rates of flows younger than this are taken over this many seconds, so that one packet is not "a million a second". */
const MIN_RATE_SECS = 0.001;

const numeric = (name: string, unit: string, description: string): FeatureDefinition => ({
  name,
  kind: 'numeric',
  unit,
  description,
});

export const volumeFeatures: readonly FeatureDefinition[] = [
  numeric('packets_fwd', 'packets', 'Packets from the source.'),
  numeric('packets_bwd', 'packets', 'Packets from the destination.'),
  numeric('bytes_fwd', 'bytes', 'Bytes of IP packets from the source.'),
  numeric('bytes_bwd', 'bytes', 'Bytes of IP packets from the destination.'),
  numeric('payload_fwd', 'bytes', 'Transport payload from the source.'),
  numeric('payload_bwd', 'bytes', 'Transport payload from the destination.'),
  numeric('payload_packets_fwd', 'packets', 'Packets with payload from the source.'),
  numeric('payload_packets_bwd', 'packets', 'Packets with payload from the destination.'),
  numeric('payload_mean_fwd', 'bytes', 'Mean payload of the packets from the source that carry any; 0 without.'),
  numeric('payload_mean_bwd', 'bytes', 'Mean payload of the packets from the destination that carry any; 0 without.'),
  numeric('header_bytes_fwd', 'bytes', 'Bytes of IP and transport headers from the source.'),
  numeric('header_bytes_bwd', 'bytes', 'Bytes of IP and transport headers from the destination.'),
  numeric('down_up_ratio', '', 'bytes_bwd / bytes_fwd.'),
  numeric('packets_per_sec', '1/s', 'Packets both ways / duration (at least 1 ms).'),
  numeric('bytes_per_sec', 'bytes/s', 'Bytes both ways / duration (at least 1 ms).'),
  numeric('packets_fwd_per_sec', '1/s', 'packets_fwd / duration (at least 1 ms).'),
  numeric('packets_bwd_per_sec', '1/s', 'packets_bwd / duration (at least 1 ms).'),
];

export function updateVolume(s: Float64Array, b: number, p: DecodedPacket, d: Direction): void {
  s[b + PACKETS + d]! += 1;
  const payload = wirePayload(p);
  s[b + BYTES + d]! += p.ipTotalLen;
  s[b + PAYLOAD + d]! += payload;
  if (payload > 0) s[b + PAYLOAD_PACKETS + d]! += 1;
  s[b + HEADER + d]! += p.ipTotalLen - payload;
}

/** Transport payload as it was on the wire: a short snap length must not change features. */
export function wirePayload(p: DecodedPacket): number {
  return p.payloadLen + p.ipTotalLen - p.ipLen;
}

/** Packets seen in one direction. */
export function packetsOf(s: Float64Array, b: number, d: Direction): number {
  return s[b + PACKETS + d]!;
}

export function bytesOf(s: Float64Array, b: number, d: Direction): number {
  return s[b + BYTES + d]!;
}

export function payloadOf(s: Float64Array, b: number, d: Direction): number {
  return s[b + PAYLOAD + d]!;
}

/** Writes the group's values from `out[i]` on. @returns the index after the last. */
export function writeVolume(s: Float64Array, b: number, out: Float32Array, i: number, durationSecs: number): number {
  const secs = Math.max(MIN_RATE_SECS, durationSecs);
  const packetsFwd = s[b + PACKETS]!;
  const packetsBwd = s[b + PACKETS + 1]!;
  const bytesFwd = s[b + BYTES]!;
  const bytesBwd = s[b + BYTES + 1]!;
  out[i++] = packetsFwd;
  out[i++] = packetsBwd;
  out[i++] = bytesFwd;
  out[i++] = bytesBwd;
  out[i++] = s[b + PAYLOAD]!;
  out[i++] = s[b + PAYLOAD + 1]!;
  out[i++] = s[b + PAYLOAD_PACKETS]!;
  out[i++] = s[b + PAYLOAD_PACKETS + 1]!;
  out[i++] = s[b + PAYLOAD]! / Math.max(1, s[b + PAYLOAD_PACKETS]!);
  out[i++] = s[b + PAYLOAD + 1]! / Math.max(1, s[b + PAYLOAD_PACKETS + 1]!);
  out[i++] = s[b + HEADER]!;
  out[i++] = s[b + HEADER + 1]!;
  out[i++] = bytesBwd / Math.max(1, bytesFwd);
  out[i++] = (packetsFwd + packetsBwd) / secs;
  out[i++] = (bytesFwd + bytesBwd) / secs;
  out[i++] = packetsFwd / secs;
  out[i++] = packetsBwd / secs;
  return i;
}
