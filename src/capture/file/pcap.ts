import { createBlock } from '../block.js';
import { corruptCapture } from '../errors.js';
import { BLOCK_PACKETS, MAX_RECORD_BYTES, type FormatReader, type OnBlock, type Window } from './format.js';

export const PCAP_HEADER_BYTES = 24;

/** Magic numbers as the file's own byte order writes them. */
const MAGIC_MICRO = 0xa1b2c3d4;
const MAGIC_NANO = 0xa1b23c4d;
/** Kuznetzov's modified format: eight more bytes in each record header. */
const MAGIC_MODIFIED = 0xa1b2cd34;

export interface PcapHeader {
  littleEndian: boolean;
  nanoseconds: boolean;
  recordHeaderBytes: number;
  linkType: number;
}

/** @returns undefined when the bytes do not begin a pcap file. Needs {@link PCAP_HEADER_BYTES} bytes. */
export function parsePcapHeader(view: DataView, at: number): PcapHeader | undefined {
  for (const littleEndian of [true, false]) {
    const magic = view.getUint32(at, littleEndian);
    if (magic !== MAGIC_MICRO && magic !== MAGIC_NANO && magic !== MAGIC_MODIFIED) continue;
    return {
      littleEndian,
      nanoseconds: magic === MAGIC_NANO,
      recordHeaderBytes: magic === MAGIC_MODIFIED ? 24 : 16,
      // The upper bits say how long the frame check sequence is; IP's own length makes that superfluous.
      linkType: view.getUint32(at + 20, littleEndian) & 0xffff,
    };
  }
  return undefined;
}

/** Reads the records of a classic pcap file (draft-ietf-opsawg-pcap), the 24 header bytes already consumed. */
export function createPcapReader(header: PcapHeader, onBlock: OnBlock): FormatReader {
  const { littleEndian: le, recordHeaderBytes } = header;
  const fractionToUs = header.nanoseconds ? 1e-3 : 1;
  const block = createBlock(BLOCK_PACKETS);
  block.linkType = header.linkType;
  let packets = 0;

  const deliver = (window: Window): void => {
    if (block.count === 0) return;
    block.data = window.data;
    packets += block.count;
    onBlock(block);
    block.count = 0;
  };

  return {
    get packets() {
      return packets;
    },
    read(window, from, to) {
      const { view } = window;
      let at = from;
      while (to - at >= recordHeaderBytes) {
        const capLen = view.getUint32(at + 8, le);
        if (capLen > MAX_RECORD_BYTES) {
          deliver(window);
          throw corruptCapture(`a record of ${capLen} bytes`, packets, window.streamOffset + at);
        }
        if (to - at < recordHeaderBytes + capLen) break;
        const i = block.count++;
        block.offset[i] = at + recordHeaderBytes;
        block.capLen[i] = capLen;
        block.wireLen[i] = Math.max(capLen, view.getUint32(at + 12, le) | 0);
        block.tsUs[i] = view.getUint32(at, le) * 1e6 + view.getUint32(at + 4, le) * fractionToUs;
        at += recordHeaderBytes + capLen;
        if (block.count === block.room) deliver(window);
      }
      deliver(window);
      return at - from;
    },
  };
}
