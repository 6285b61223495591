import type { DecodedPacket } from '../../../domain/packet.js';
import { JOINED, type JoinedGroup } from '../group/joined-group.js';
import type { StreamWindow } from '../state/stream-window.js';

/** The bytes that came to the stream last are the payload of the packet, and nothing else of the stream is to be searched. */
export function isNewest(bytes: Uint8Array, { data, payloadOffset, payloadLen }: DecodedPacket, stream: StreamWindow) {
  return (
    bytes.length === payloadLen &&
    stream.length - stream.scanned === payloadLen &&
    bytes.byteOffset === data.byteOffset + payloadOffset &&
    bytes.buffer === data.buffer
  );
}

/** Searches the newest bytes of a stream for rules about packets, streams and bodies at once. */
export class JoinedSearch {
  /** The stream whose newest bytes were searched, until what was found is taken. */
  stream: StreamWindow | undefined;
  /** Rules about the stream whose pattern was found. */
  readonly streamHits: number[] = [];
  readonly #packetHits: number[] = [];
  #isBodyHit = false;

  /** @param hit gets the rules about packets; their patterns may be in bytes before the packet. */
  search({ prefilter, bodies }: JoinedGroup, stream: StreamWindow, hit: (ids: readonly number[]) => void): void {
    this.stream = stream;
    this.streamHits.length = this.#packetHits.length = 0;
    this.#isBodyHit = false;
    const from = Math.max(0, stream.scanned - prefilter.longest);
    if (prefilter.patterns > 0) prefilter.scan(stream.data, from, stream.length, stream.scanned, this.#sort);
    if (this.#packetHits.length > 0) hit(this.#packetHits);
    if (!this.#isBodyHit && bodies !== undefined) stream.markQuiet(from, bodies.prefilter.longest);
  }

  readonly #sort = (ids: readonly number[]): void => {
    for (const id of ids) {
      const kind = id & JOINED.MASK;
      if (kind === JOINED.PACKET) this.#packetHits.push(id >> JOINED.BITS);
      else if (kind === JOINED.STREAM) this.streamHits.push(id >> JOINED.BITS);
      else this.#isBodyHit = true;
    }
  };
}
