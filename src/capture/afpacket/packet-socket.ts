import { LINK } from '../../domain/packet.js';
import { captureFailed, noCaptureRights } from '../errors.js';
import * as C from './constants.js';
import { errnoName, lastErrno, libc, viewMemory } from './libc.js';

/** A packet socket and the ring it shares with the kernel. */
export interface PacketSocket {
  fd: number;
  /** @throws AppError capture.failed */
  setPacketOption(name: keyof typeof C, value: Uint8Array): void;
  /** Keeps `snapLen` bytes of each packet; 0: no packet is taken. @throws AppError capture.failed */
  limitTo(snapLen: number): void;
  /** Maps the ring that was asked for. @throws AppError capture.failed */
  map(length: number): ArrayBuffer;
  /** From now on packets of this interface come in. @throws AppError capture.failed */
  bindTo(ifIndex: number): void;
  readInts(level: number, name: number, count: number): Uint32Array;
  /** Error the socket was given since the last call (`ENETDOWN` when the interface went down), or ''. */
  takeError(): string;
  close(): void;
}

/**
 * Opens a packet socket of packet(7) that receives nothing until it is bound, so no packet of another interface gets in.
 * @param name interface, for messages @throws AppError capture.no_rights, capture.failed
 */
export function openPacketSocket(name: string, linkType: number): PacketSocket {
  const fd = libc().socket(C.AF_PACKET, (linkType === LINK.ETHERNET ? C.SOCK_RAW : C.SOCK_DGRAM) | C.SOCK_CLOEXEC, 0);
  if (fd < 0) {
    const errno = lastErrno();
    throw errno === 'EPERM' || errno === 'EACCES' ? noCaptureRights(name) : captureFailed(name, 'socket', errno);
  }
  let mapped: { address: bigint; length: number } | undefined;
  const check = (step: string, result: number): void => {
    if (result < 0) throw captureFailed(name, step, lastErrno());
  };
  const readInts = (level: number, option: number, count: number): Uint32Array => {
    const value = ints(...new Array<number>(count).fill(0));
    libc().getsockopt(fd, level, option, value, ints(value.length));
    return new Uint32Array(value.buffer, value.byteOffset, count);
  };
  return {
    fd,
    setPacketOption(option, value) {
      check(option, libc().setsockopt(fd, C.SOL_PACKET, C[option] as number, value, value.length));
    },
    limitTo(snapLen) {
      const program = { len: 1, filter: returnInstruction(snapLen) };
      check('SO_ATTACH_FILTER', libc().attachFilter(fd, C.SOL_SOCKET, C.SO_ATTACH_FILTER, program, 16));
    },
    map(length) {
      const address = libc().mmap(null, length, C.PROT_READ_WRITE, C.MAP_SHARED, fd, 0);
      if (BigInt.asUintN(64, address) === C.MAP_FAILED) throw captureFailed(name, 'mmap', lastErrno());
      mapped = { address, length };
      return viewMemory(address, length);
    },
    bindTo(ifIndex) {
      const link = linkAddress(ifIndex);
      check('bind', libc().bind(fd, link, link.length));
    },
    readInts,
    takeError() {
      const errno = readInts(C.SOL_SOCKET, C.SO_ERROR, 1)[0] ?? 0;
      return errno === 0 ? '' : errnoName(errno);
    },
    close() {
      // Whoever still holds a block sees zeroes instead of touching unmapped memory, which would end the process.
      if (mapped) {
        const { address, length } = mapped;
        libc().mmap(address, length, C.PROT_READ_WRITE, C.MAP_PRIVATE | C.MAP_ANONYMOUS | C.MAP_FIXED, -1, 0);
      }
      libc().close(fd);
    },
  };
}

/** Native-endian C integers. */
export function ints(...values: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
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

/** The classic BPF instruction `ret #bytes`: the kernel copies no more than that of each packet, and none for 0. */
function returnInstruction(bytes: number): Uint8Array {
  const instruction = new Uint8Array(128);
  const view = new DataView(instruction.buffer);
  view.setUint16(0, 0x06, littleEndian);
  view.setUint32(4, bytes, littleEndian);
  return instruction;
}

export const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
