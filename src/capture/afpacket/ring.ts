import { unknownInterface, unsupportedLink } from '../errors.js';
import { hardwareType, interfaceIndex, interfaceNames, linkTypeOfHardware } from '../interfaces.js';
import type { AfpacketOptions } from '../options.js';
import * as C from './constants.js';
import { Doorbell } from './doorbell.js';
import { ints, littleEndian, openPacketSocket, type PacketSocket } from './packet-socket.js';

/** An open TPACKET_V3 socket with its receive ring mapped into this process. */
export interface Ring {
  fd: number;
  memory: ArrayBuffer;
  blockBytes: number;
  blocks: number;
  linkType: number;
  ifIndex: number;
  /** Tells of each packet while few arrive; undefined when it is not wanted. */
  doorbell: Doorbell | undefined;
  /** Error the socket was given since the last call (`ENETDOWN` when the interface went down), or ''. */
  takeError(): string;
  /** Packets the kernel dropped since the last call; the kernel's counter resets when read. */
  takeDrops(): number;
  close(): void;
}

/**
 * Whether a block may be looked into while the kernel fills it: only a processor that keeps the order of its writes shows a
 * packet's bytes before its header.
 */
const CAN_LOOK_AHEAD = process.arch === 'x64';

/**
 * Opens the ring: a packet socket bound to one interface, filled by the kernel in blocks that are closed when full
 * or after the block timeout (Documentation/networking/packet_mmap.rst).
 */
export function openRing(options: AfpacketOptions): Ring {
  const { interface: name } = options;
  const ifIndex = interfaceIndex(name);
  if (ifIndex === undefined) throw unknownInterface(name, interfaceNames());
  const linkType = linkTypeOfHardware(hardwareType(name));
  if (linkType < 0) throw unsupportedLink(name, hardwareType(name));

  const socket = openPacketSocket(name, linkType);
  let doorbell: Doorbell | undefined;
  const close = (): void => {
    socket.close();
    doorbell?.close();
  };
  try {
    const { memory, blockBytes, blocks } = mapRing(socket, ifIndex, options);
    // The kernel hands a packet to the socket first that was bound last: the ring holds it before the doorbell rings.
    if (options.wakeEachBelowPps > 0 && !options.fanout && CAN_LOOK_AHEAD)
      doorbell = new Doorbell(options, ifIndex, linkType);
    socket.bindTo(ifIndex);
    const { fanout } = options;
    if (fanout) socket.setPacketOption('PACKET_FANOUT', ints(fanout.group | (C.FANOUT_MODE[fanout.mode] << 16)));
    const { fd, takeError } = socket;
    const takeDrops = (): number => socket.readInts(C.SOL_PACKET, C.PACKET_STATISTICS, 3)[1] ?? 0;
    return { fd, memory, blockBytes, blocks, linkType, ifIndex, doorbell, takeError, takeDrops, close };
  } catch (error) {
    close();
    throw error;
  }
}

function mapRing(
  socket: PacketSocket,
  ifIndex: number,
  options: AfpacketOptions,
): Pick<Ring, 'memory' | 'blockBytes' | 'blocks'> {
  const blockBytes = options.blockKiB * 1024;
  const blocks = Math.max(2, Math.floor((options.ringMiB * 1024) / options.blockKiB));

  socket.setPacketOption('PACKET_VERSION', ints(C.TPACKET_V3));
  if (options.snapLen < 262144) socket.limitTo(options.snapLen);
  // The frame size only has to divide the block in TPACKET_V3; packets are laid out back to back.
  socket.setPacketOption(
    'PACKET_RX_RING',
    ints(blockBytes, blocks, 2048, (blockBytes / 2048) * blocks, options.blockTimeoutMs, 0, 0),
  );
  if (options.interface === 'lo') socket.setPacketOption('PACKET_IGNORE_OUTGOING', ints(1));
  if (options.promiscuous) socket.setPacketOption('PACKET_ADD_MEMBERSHIP', promiscuousRequest(ifIndex));
  return { memory: socket.map(blockBytes * blocks), blockBytes, blocks };
}

/** struct packet_mreq. */
function promiscuousRequest(ifIndex: number): Uint8Array {
  const request = new Uint8Array(16);
  const view = new DataView(request.buffer);
  view.setInt32(0, ifIndex, littleEndian);
  view.setUint16(4, C.PACKET_MR_PROMISC, littleEndian);
  return request;
}
