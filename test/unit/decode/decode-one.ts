import { createDecoder, type DecodeInput } from '../../../src/decode/index.js';
import { DecodedPacket, LINK, type PacketBlock } from '../../../src/domain/packet.js';

/** Bytes around the frame that no decoder may look at; a read there would show in the decoded fields. */
const MARGIN = 64;
const POISON = 0xee;

export function blockOf(frame: Uint8Array, linkType: number = LINK.ETHERNET, tci = -1): PacketBlock {
  const data = new Uint8Array(frame.length + 2 * MARGIN).fill(POISON);
  data.set(frame, MARGIN);
  return {
    data,
    count: 1,
    offset: Int32Array.of(MARGIN),
    capLen: Int32Array.of(frame.length),
    wireLen: Int32Array.of(frame.length),
    tsUs: Float64Array.of(1e15),
    linkType,
    interfaceId: 0,
    ...(tci >= 0 ? { vlanTci: Int32Array.of(tci) } : {}),
  };
}

export function decodeOne(
  frame: Uint8Array,
  options: { linkType?: number; tci?: number; decoder?: DecodeInput } = {},
): { packet: DecodedPacket; stats: Record<string, number>; payload: string } {
  const decoder = createDecoder(options.decoder);
  const packet = new DecodedPacket();
  decoder.decode(blockOf(frame, options.linkType, options.tci), 0, packet);
  const stats = Object.fromEntries(Object.entries(decoder.stats()).filter(([name, n]) => n > 0 && name !== 'packets'));
  const payload = new TextDecoder('latin1').decode(
    packet.data.subarray(packet.payloadOffset, packet.payloadOffset + packet.payloadLen),
  );
  return { packet, stats, payload };
}
