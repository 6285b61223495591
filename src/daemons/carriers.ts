import { createDecoder, type Decoder } from '../decode/index.js';
import { blockOfOne, DecodedPacket, type Frame } from '../domain/packet.js';

/** More tunnels than any decoder follows. */
const DEEPEST = 8;

/**
 * What came around a packet: the packets that carry it in a tunnel, and the fragment that completed it. An address or a
 * protocol of theirs is as good a reason for an alert as one of the packet in them.
 */
export class Carriers {
  readonly #decoders: Decoder[] = [];
  readonly #packet = new DecodedPacket();
  readonly #block = blockOfOne();

  /** Calls with each of them, from the outermost on; the packet handed over is overwritten by the next one. */
  each(inner: DecodedPacket, visit: (carrier: DecodedPacket, index: number) => void): void {
    const { lastFragment, data, frameOffset: offset, capLen: length, linkType } = inner;
    let index = 0;
    if (lastFragment !== undefined) {
      const around = this.#decode(lastFragment, DEEPEST, inner).tunnelDepth;
      for (; index <= around; index++) visit(this.#decode(lastFragment, index, inner), index);
    }
    const frame: Frame = { data, offset, length, linkType };
    const before = index;
    const all = inner.tunnelDepth + (lastFragment === undefined ? 0 : 1);
    for (; index < all; index++) {
      const carrier = this.#decode(frame, index - before, inner);
      if (carrier.tunnelDepth === index - before) visit(carrier, index);
    }
  }

  /** @returns the packet of a frame around which there are so many tunnels. */
  #decode(frame: Frame, depth: number, inner: DecodedPacket): DecodedPacket {
    const block = this.#block;
    block.data = frame.data;
    block.offset[0] = frame.offset;
    block.capLen[0] = block.wireLen[0] = frame.length;
    block.tsUs[0] = inner.tsUs;
    block.linkType = frame.linkType;
    block.interfaceId = inner.interfaceId;
    const packet = this.#packet;
    (this.#decoders[depth] ??= createDecoder({ maxTunnelDepth: depth })).decode(block, 0, packet);
    packet.number = inner.number;
    return packet;
  }
}
