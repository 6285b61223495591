import { readFileSync } from 'node:fs';
import koffi from 'koffi';
import type { PacketBlock } from '../../../domain/packet.js';
import { loadCLibrary } from '../../../util/c-library.js';

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOL_PACKET = 263;
const PACKET_QDISC_BYPASS = 20;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
/** struct mmsghdr and struct iovec on 64-bit systems. */
const MMSGHDR_BYTES = 64;
const IOVEC_BYTES = 16;

export interface Sender {
  /** Sends `count` frames beginning with `from`. @returns how many the kernel took. */
  send(from: number, count: number): number;
  close(): void;
}

/** Sends the frames of a block on an interface, many a system call (sendmmsg). */
export function openSender(name: string, block: PacketBlock): Sender {
  const libc = loadCLibrary();
  const socket = libc.func('int socket(int domain, int type, int protocol)');
  const bind = libc.func('int bind(int fd, void *address, uint32_t length)');
  const setsockopt = libc.func('int setsockopt(int fd, int level, int name, void *value, uint32_t length)');
  const mmap = libc.func('void *mmap(void *at, size_t length, int prot, int flags, int fd, int64_t offset)');
  const sendmmsg = libc.func('int sendmmsg(int fd, void *messages, uint32_t count, int flags)');
  const close = libc.func('int close(int fd)');

  const fd = socket(AF_PACKET, SOCK_RAW, 0) as number;
  if (fd < 0) throw new Error(`socket: errno ${koffi.errno()}`);
  const address = new DataView(new ArrayBuffer(20));
  address.setUint16(0, AF_PACKET, true);
  address.setInt32(4, Number(readFileSync(`/sys/class/net/${name}/ifindex`, 'utf8')), true);
  if (bind(fd, new Uint8Array(address.buffer), 20) !== 0) throw new Error(`bind: errno ${koffi.errno()}`);
  setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, new Uint8Array(Int32Array.of(1).buffer), 4);

  const messagesAt = Math.ceil(block.data.length / 4096) * 4096;
  const vectorsAt = messagesAt + block.count * MMSGHDR_BYTES;
  const length = vectorsAt + block.count * IOVEC_BYTES;
  const base = mmap(null, length, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0) as bigint;
  const memory = koffi.view(base, length);
  new Uint8Array(memory).set(block.data);
  const view = new DataView(memory);
  for (let i = 0; i < block.count; i++) {
    view.setBigUint64(vectorsAt + i * IOVEC_BYTES, base + BigInt(block.offset[i]!), true);
    view.setBigUint64(vectorsAt + i * IOVEC_BYTES + 8, BigInt(block.capLen[i]!), true);
    view.setBigUint64(messagesAt + i * MMSGHDR_BYTES + 16, base + BigInt(vectorsAt + i * IOVEC_BYTES), true);
    view.setBigUint64(messagesAt + i * MMSGHDR_BYTES + 24, 1n, true);
  }
  return {
    send(from, count) {
      const room = Math.min(count, block.count - from);
      const sent = sendmmsg(fd, base + BigInt(messagesAt + from * MMSGHDR_BYTES), room, 0) as number;
      if (sent < 0) {
        const errno = koffi.errno();
        if (errno !== koffi.os.errno.ENOBUFS && errno !== koffi.os.errno.EAGAIN)
          throw new Error(`sendmmsg: errno ${errno}`);
        return 0;
      }
      return sent;
    },
    close: () => void close(fd),
  };
}
