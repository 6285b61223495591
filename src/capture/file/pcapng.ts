import { createBlock } from '../block.js';
import { corruptCapture } from '../errors.js';
import { BLOCK_PACKETS, MAX_RECORD_BYTES, type FormatReader, type OnBlock, type Window } from './format.js';
import { parseInterface, type PcapngInterface } from './pcapng-interface.js';

/** Block types of draft-ietf-opsawg-pcapng that carry packets or what is needed to read them. */
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE = 1;
const OLD_PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const MAX_INTERFACES = 4096;

export function isPcapng(view: DataView, at: number): boolean {
  return view.getUint32(at) === SECTION_HEADER;
}

/** Reads a pcapng stream from its first section header on; several sections and interfaces are fine. */
export function createPcapngReader(onBlock: OnBlock): FormatReader {
  const block = createBlock(BLOCK_PACKETS);
  let le = true;
  let interfaces: PcapngInterface[] = [];
  let lastUs = 0;
  let packets = 0;

  const deliver = (window: Window): void => {
    if (block.count === 0) return;
    block.data = window.data;
    packets += block.count;
    onBlock(block);
    block.count = 0;
  };

  const fail = (window: Window, at: number, what: string): never => {
    deliver(window);
    throw corruptCapture(what, packets, window.streamOffset + at);
  };

  /** Appends a packet; a block has one link type and one interface, so a change of interface hands it over. */
  const add = (window: Window, at: number, id: number, capLen: number, wireLen: number): void => {
    const itf = interfaces[id];
    if (itf === undefined) return fail(window, at, `a packet of interface ${id}, which was not described`);
    if (block.count === block.room || block.interfaceId !== id || block.linkType !== itf.linkType) deliver(window);
    block.interfaceId = id;
    block.linkType = itf.linkType;
    const i = block.count++;
    block.offset[i] = at;
    block.capLen[i] = capLen;
    block.wireLen[i] = Math.max(capLen, wireLen | 0);
    block.tsUs[i] = lastUs;
  };

  const enhancedPacket = (window: Window, at: number, length: number): void => {
    const { view } = window;
    const isOld = view.getUint32(at, le) === OLD_PACKET;
    const id = isOld ? view.getUint16(at + 8, le) : view.getUint32(at + 8, le);
    const capLen = length >= 32 ? view.getUint32(at + 20, le) : -1;
    if (capLen < 0 || capLen > length - 32)
      return fail(window, at, `a packet block of ${length} bytes with ${capLen} bytes of data`);
    const itf = interfaces[id];
    if (itf !== undefined) {
      const ticks = view.getUint32(at + 12, le) * 4294967296 + view.getUint32(at + 16, le);
      lastUs = ticks / itf.ticksPerUs + itf.offsetUs;
    }
    add(window, at + 28, id, capLen, view.getUint32(at + 24, le));
  };

  const simplePacket = (window: Window, at: number, length: number): void => {
    const wireLen = window.view.getUint32(at + 8, le);
    const snapLen = interfaces[0]?.snapLen ?? 0;
    const capLen = Math.min(wireLen, length - 16, snapLen === 0 ? length : snapLen);
    add(window, at + 12, 0, capLen, wireLen);
  };

  return {
    get packets() {
      return packets;
    },
    read(window, from, to) {
      const { view } = window;
      let at = from;
      while (to - at >= 12) {
        const isSection = view.getUint32(at) === SECTION_HEADER;
        if (isSection) {
          le = view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC;
          if (!le && view.getUint32(at + 8) !== BYTE_ORDER_MAGIC)
            fail(window, at, 'a section header without byte order');
        }
        const type = view.getUint32(at, le);
        const length = view.getUint32(at + 4, le);
        if (length < 12 || length % 4 !== 0) fail(window, at, `a block of ${length} bytes`);
        const carriesPacket = type === ENHANCED_PACKET || type === OLD_PACKET || type === SIMPLE_PACKET;
        if (length > MAX_RECORD_BYTES) {
          if (carriesPacket || isSection || type === INTERFACE) fail(window, at, `a block of ${length} bytes`);
          deliver(window);
          return at - from + length;
        }
        if (to - at < length) break;
        if (view.getUint32(at + length - 4, le) !== length) fail(window, at, 'a block whose two lengths differ');
        if (isSection) {
          deliver(window);
          interfaces = [];
        } else if (type === INTERFACE) {
          if (interfaces.length >= MAX_INTERFACES) fail(window, at, `more than ${MAX_INTERFACES} interfaces`);
          interfaces.push(parseInterface(view, at, length, le));
        } else if (type === ENHANCED_PACKET || type === OLD_PACKET) enhancedPacket(window, at, length);
        else if (type === SIMPLE_PACKET && length >= 16) simplePacket(window, at, length);
        at += length;
      }
      deliver(window);
      return at - from;
    },
  };
}
