import { closeSync } from 'node:fs';
import koffi from 'koffi';
import { AppError } from '../../util/errors.js';
import { errnoName, inNamespace, loadLibc } from '../../util/netlink/libc.js';

const AF_NETLINK = 16;
const NETLINK_NETFILTER = 12;
const SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_NO_ENOBUFS = 5;
const MSG_DONTWAIT = 0x40;
const EAGAIN = 11;
const EINTR = 4;
const ENOBUFS = 105;

/** Sizes of struct iovec, and of struct mmsghdr with the struct msghdr in it, on 64-bit Linux. */
const IOVEC_BYTES = 16;
const MMSGHDR_BYTES = 64;
const LENGTH_AT = 56;
/** Room for the attributes beside the packet. */
const OVERHEAD_BYTES = 512;

type RecvMmsg = (fd: number, vector: Buffer, count: number, flags: number, timeout: null) => number;
let recvMmsg: RecvMmsg | undefined;

/** A netlink socket that reads many datagrams with one system call. */
export interface QueueSocket {
  readonly fd: number;
  /** Datagram `i` of the last {@link receive} is at `buffer[i * slotBytes ..]`. */
  readonly buffer: Buffer;
  readonly slotBytes: number;
  /** Bytes of datagram `i`. */
  lengthOf(i: number): number;
  /** @returns how many datagrams were read; 0 when none waits. */
  receive(): number;
  /** @returns 0 or an errno. */
  send(data: Buffer, bytes: number): number;
  close(): void;
}

export interface QueueSocketOptions {
  /** Bytes of one packet that must fit. */
  copyBytes: number;
  /** Datagrams read at once. */
  batch: number;
  bufferBytes: number;
  netns?: string | undefined;
}

/** @throws AppError inline.queue_failed */
export function openQueueSocket(options: QueueSocketOptions): QueueSocket {
  const c = loadLibc();
  recvMmsg ??= koffi
    .load('libc.so.6')
    .func('int recvmmsg(int, void *, unsigned int, int, void *)') as unknown as RecvMmsg;
  const receiveMany = recvMmsg;
  const fd = inNamespace(options.netns, () => c.socket(AF_NETLINK, SOCK_RAW_CLOEXEC_NONBLOCK, NETLINK_NETFILTER));
  if (fd < 0) throw queueFailed('socket', koffi.errno());
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  if (c.bind(fd, address, 12) < 0) {
    const errno = koffi.errno();
    closeSync(fd);
    throw queueFailed('bind', errno);
  }
  const int = (value: number): Buffer => Buffer.from(Int32Array.of(value).buffer);
  c.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, int(options.bufferBytes), 4);
  // A full buffer is counted by the queue itself; the socket must go on working.
  c.setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, int(1), 4);

  const slotBytes = (options.copyBytes + OVERHEAD_BYTES + 4095) & ~4095;
  const buffer = Buffer.allocUnsafeSlow(slotBytes * options.batch);
  const iovecs = Buffer.allocUnsafeSlow(IOVEC_BYTES * options.batch);
  const headers = Buffer.allocUnsafeSlow(MMSGHDR_BYTES * options.batch).fill(0);
  const bufferAt = koffi.address(buffer) as bigint;
  const iovecsAt = koffi.address(iovecs) as bigint;
  for (let i = 0; i < options.batch; i++) {
    iovecs.writeBigUInt64LE(bufferAt + BigInt(i * slotBytes), i * IOVEC_BYTES);
    iovecs.writeBigUInt64LE(BigInt(slotBytes), i * IOVEC_BYTES + 8);
    headers.writeBigUInt64LE(iovecsAt + BigInt(i * IOVEC_BYTES), i * MMSGHDR_BYTES + 16);
    headers.writeBigUInt64LE(1n, i * MMSGHDR_BYTES + 24);
  }
  let isOpen = true;
  return {
    fd,
    buffer,
    slotBytes,
    lengthOf: (i) => headers.readUInt32LE(i * MMSGHDR_BYTES + LENGTH_AT),
    receive() {
      for (;;) {
        const n = receiveMany(fd, headers, options.batch, MSG_DONTWAIT, null);
        if (n >= 0) return n;
        const errno = koffi.errno();
        if (errno === EAGAIN) return 0;
        if (errno !== EINTR && errno !== ENOBUFS) throw queueFailed('recvmmsg', errno);
      }
    },
    send(data, bytes) {
      for (;;) {
        if (c.sendto(fd, data, bytes, 0, address, 12) >= 0) return 0;
        const errno = koffi.errno();
        if (errno !== EINTR) return errno;
      }
    },
    close() {
      // The iovecs point into the buffers: they live as long as the socket.
      if (isOpen) closeSync(fd);
      isOpen = false;
      iovecs.fill(0);
    },
  };
}

export function queueFailed(call: string, errno: number): AppError {
  const name = errnoName(errno);
  const fix =
    name === 'EPERM'
      ? // What the kernel says to who has no right, and also of a queue that belongs to another socket.
        'Run the inline daemon as root or by its systemd unit (CAP_NET_ADMIN). If it has that right, another program holds the queue: see /proc/net/netfilter/nfnetlink_queue, and set inline.queue.first to a free number.'
      : name === 'EBUSY'
        ? 'Another program listens on this queue: end it, or set inline.queue.first to a free number.'
        : 'Load the kernel module nfnetlink_queue; "portcullis doctor" says what the kernel has.';
  return new AppError({
    kind: 'operational',
    code: 'inline.queue_failed',
    message: `The packet queue cannot be used: ${call}: ${name}.`,
    fix,
    context: { errno },
  });
}
