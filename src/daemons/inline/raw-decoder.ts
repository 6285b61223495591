import { createDecoder } from '../../decode/index.js';
import { blockOfOne, LINK, type DecodedPacket } from '../../domain/packet.js';
import { nowUs } from '../../util/clock.js';
import type { PipelineOptions } from '../pipeline.js';

/** Decodes single IP packets that have no link header, without allocating. */
export class RawDecoder {
  private readonly decoder;
  private readonly block = blockOfOne(LINK.RAW);

  constructor(options: PipelineOptions) {
    this.decoder = createDecoder(options.decode ?? {});
  }

  /**
   * @param fullLength bytes of the packet before it was cut to `length`.
   * @param atUs time of the packet.
   */
  decode(
    data: Uint8Array,
    offset: number,
    length: number,
    fullLength: number,
    into: DecodedPacket,
    atUs = nowUs(),
  ): void {
    const { block } = this;
    block.data = data;
    block.offset[0] = offset;
    block.capLen[0] = length;
    block.wireLen[0] = fullLength;
    block.tsUs[0] = atUs;
    this.decoder.decode(block, 0, into);
  }
}
