import { LINK } from '../../domain/packet.js';
import { captureFailed, noCaptureRights, unknownInterface, unsupportedLink } from '../errors.js';
import { hardwareType, interfaceIndex, interfaceNames, linkTypeOfHardware } from '../interfaces.js';
import type { AfpacketOptions } from '../options.js';
import * as C from './constants.js';
import { errnoName, lastErrno, libc, viewMemory } from './libc.js';

/** An open TPACKET_V3 socket with its receive ring mapped into this process. */
export interface Ring {
  fd: number;
  memory: ArrayBuffer;
  blockBytes: number;
  blocks: number;
  linkType: number;
  ifIndex: number;
  /** Error the socket was given since the last call (`ENETDOWN` when the interface went down), or ''. */
  takeError(): string;
  /** Packets the kernel dropped since the last call; the kernel's counter resets when read. */
  takeDrops(): number;
  close(): void;
}

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

  // Protocol 0 receives nothing until bind: no packet of another interface gets in.
  const fd = libc().socket(C.AF_PACKET, (linkType === LINK.ETHERNET ? C.SOCK_RAW : C.SOCK_DGRAM) | C.SOCK_CLOEXEC, 0);
  if (fd < 0) {
    const errno = lastErrno();
    throw errno === 'EPERM' || errno === 'EACCES' ? noCaptureRights(name) : captureFailed(name, 'socket', errno);
  }
  try {
    return mapRing(fd, ifIndex, linkType, options);
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}

function mapRing(fd: number, ifIndex: number, linkType: number, options: AfpacketOptions): Ring {
  const check = (step: string, result: number): void => {
    if (result < 0) throw captureFailed(options.interface, step, lastErrno());
  };
  const set = (step: string, option: number, value: Uint8Array): void => {
    check(step, libc().setsockopt(fd, C.SOL_PACKET, option, value, value.length));
  };
  const blockBytes = options.blockKiB * 1024;
  const blocks = Math.max(2, Math.floor((options.ringMiB * 1024) / options.blockKiB));

  set('PACKET_VERSION', C.PACKET_VERSION, ints(C.TPACKET_V3));
  if (options.snapLen < 262144) attachSnapLen(fd, options.snapLen, check);
  // The frame size only has to divide the block in TPACKET_V3; packets are laid out back to back.
  set(
    'PACKET_RX_RING',
    C.PACKET_RX_RING,
    ints(blockBytes, blocks, 2048, (blockBytes / 2048) * blocks, options.blockTimeoutMs, 0, 0),
  );
  if (options.interface === 'lo') set('PACKET_IGNORE_OUTGOING', C.PACKET_IGNORE_OUTGOING, ints(1));
  if (options.promiscuous) set('PACKET_MR_PROMISC', C.PACKET_ADD_MEMBERSHIP, promiscuousRequest(ifIndex));

  const length = blockBytes * blocks;
  const address = libc().mmap(null, length, C.PROT_READ_WRITE, C.MAP_SHARED, fd, 0);
  if (BigInt.asUintN(64, address) === C.MAP_FAILED) throw captureFailed(options.interface, 'mmap', lastErrno());
  const release = (): void => {
    // Whoever still holds a block sees zeroes instead of touching unmapped memory, which would end the process.
    libc().mmap(address, length, C.PROT_READ_WRITE, C.MAP_PRIVATE | C.MAP_ANONYMOUS | C.MAP_FIXED, -1, 0);
  };
  try {
    const link = linkAddress(ifIndex);
    check('bind', libc().bind(fd, link, link.length));
    if (options.fanout)
      set('PACKET_FANOUT', C.PACKET_FANOUT, ints(options.fanout.group | (C.FANOUT_MODE[options.fanout.mode] << 16)));
  } catch (error) {
    release();
    throw error;
  }
  return {
    fd,
    memory: viewMemory(address, length),
    blockBytes,
    blocks,
    linkType,
    ifIndex,
    takeError: () => takeError(fd),
    takeDrops: () => readInts(fd, C.SOL_PACKET, C.PACKET_STATISTICS, 3)[1] ?? 0,
    close() {
      release();
      libc().close(fd);
    },
  };
}

function takeError(fd: number): string {
  const errno = readInts(fd, C.SOL_SOCKET, C.SO_ERROR, 1)[0] ?? 0;
  return errno === 0 ? '' : errnoName(errno);
}

function readInts(fd: number, level: number, name: number, count: number): Uint32Array {
  const value = ints(...new Array<number>(count).fill(0));
  libc().getsockopt(fd, level, name, value, ints(value.length));
  return new Uint32Array(value.buffer, value.byteOffset, count);
}

/** Native-endian C integers. */
function ints(...values: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

/** struct packet_mreq. */
function promiscuousRequest(ifIndex: number): Uint8Array {
  const request = new Uint8Array(16);
  const view = new DataView(request.buffer);
  view.setInt32(0, ifIndex, littleEndian);
  view.setUint16(4, C.PACKET_MR_PROMISC, littleEndian);
  return request;
}

/** struct sockaddr_ll for all protocols of one interface. */
function linkAddress(ifIndex: number): Uint8Array {
  const address = new Uint8Array(20);
  const view = new DataView(address.buffer);
  view.setUint16(0, C.AF_PACKET, littleEndian);
  view.setUint16(2, C.ETH_P_ALL);
  view.setInt32(4, ifIndex, littleEndian);
  return address;
}

/** A one-instruction classic BPF program, `ret #snapLen`: the kernel copies no more than that of each packet. */
function attachSnapLen(fd: number, snapLen: number, check: (step: string, result: number) => void): void {
  const instruction = new Uint8Array(128);
  const view = new DataView(instruction.buffer);
  view.setUint16(0, 0x06, littleEndian);
  view.setUint32(4, snapLen, littleEndian);
  check(
    'SO_ATTACH_FILTER',
    libc().attachFilter(fd, C.SOL_SOCKET, C.SO_ATTACH_FILTER, { len: 1, filter: instruction }, 16),
  );
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
