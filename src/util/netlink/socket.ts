import { closeSync } from 'node:fs';
import koffi from 'koffi';
import { inNamespace, loadLibc, socketError } from './libc.js';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000;
const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SO_ATTACH_FILTER = 26;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const NETLINK_DROP_MEMBERSHIP = 2;
const NETLINK_CAP_ACK = 10;
const MSG_DONTWAIT = 0x40;
const EAGAIN = 11;
const EINTR = 4;
const ENOBUFS = 105;

/** Protocols of `socket(AF_NETLINK, ..)` (include/uapi/linux/netlink.h). */
export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

const SEND_BUFFER_BYTES = 64 * 1024 * 1024;
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;

/** A non-blocking netlink socket. The kernel answers within `send`, so reading right after it never waits. */
export interface NetlinkSocket {
  /** Port id: how the kernel names the author of a change. */
  readonly portId: number;
  /** @returns 0 or an errno. */
  send(data: Buffer): number;
  /** Next datagram (valid until the next call), undefined when there is none, or the errno ENOBUFS as a number. */
  receive(): Buffer | number | undefined;
  /** Leaves the multicast groups for a while, or joins them again: without listeners the kernel writes no notifications. */
  listen(on: boolean): void;
  /** Messages of these authors are dropped by the kernel before they fill the receive buffer. */
  ignoreAuthors(portIds: readonly number[]): void;
  close(): void;
}

/** Opens a netlink socket in this or a named network namespace, and joins multicast groups. */
export function openNetlinkSocket(
  protocol: number,
  options: { groups?: number[]; netns?: string } = {},
): NetlinkSocket {
  const c = loadLibc();
  const fd = inNamespace(options.netns, () => c.socket(AF_NETLINK, SOCK_RAW_CLOEXEC_NONBLOCK, protocol));
  if (fd < 0) throw socketError('socket', koffi.errno());
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  const int = (value: number): Buffer => {
    const b = Buffer.alloc(4);
    b.writeInt32LE(value);
    return b;
  };
  try {
    if (c.bind(fd, address, 12) < 0) throw socketError('bind', koffi.errno());
    c.setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, int(SEND_BUFFER_BYTES), 4);
    c.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, int(RECEIVE_BUFFER_BYTES), 4);
    c.setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, int(1), 4);
    for (const group of options.groups ?? []) {
      if (c.setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, int(group), 4) < 0) {
        throw socketError('setsockopt', koffi.errno());
      }
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  const own = Buffer.alloc(12);
  c.getsockname(fd, own, int(12));
  const buffer = Buffer.alloc(1024 * 1024);
  let open = true;
  return {
    portId: own.readUInt32LE(4),
    send: (data) => {
      for (;;) {
        if (c.sendto(fd, data, data.length, 0, address, 12) >= 0) return 0;
        const errno = koffi.errno();
        if (errno !== EINTR) return errno;
      }
    },
    receive: () => {
      for (;;) {
        const n = c.recv(fd, buffer, buffer.length, MSG_DONTWAIT);
        if (n >= 0) return buffer.subarray(0, n);
        const errno = koffi.errno();
        if (errno === ENOBUFS) return ENOBUFS;
        if (errno === EAGAIN) return undefined;
        if (errno !== EINTR) throw socketError('recv', errno);
      }
    },
    listen: (on) => {
      const name = on ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP;
      for (const group of options.groups ?? []) c.setsockopt(fd, SOL_NETLINK, name, int(group), 4);
    },
    ignoreAuthors: (portIds) => {
      const filter = authorFilter(portIds);
      const program = { len: filter.length / 8, filter };
      if (c.attachFilter(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, 16) < 0) {
        throw socketError('setsockopt', koffi.errno());
      }
    },
    close: () => {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

const BPF_LD_WORD_ABSOLUTE = 0x20;
const BPF_JUMP_IF_EQUAL = 0x15;
const BPF_RETURN = 0x06;
const NLMSG_PID_OFFSET = 12;

/**
 * Classic BPF program (bpf(2), filter.txt of the kernel): drops datagrams whose first message has one of these authors.
 * The load reads big-endian, the header is little-endian: the port ids are compared with their bytes swapped.
 */
export function authorFilter(portIds: readonly number[]): Buffer {
  const code: [op: number, ifTrue: number, ifFalse: number, value: number][] = [
    [BPF_LD_WORD_ABSOLUTE, 0, 0, NLMSG_PID_OFFSET],
    ...portIds.map((id, i): [number, number, number, number] => [
      BPF_JUMP_IF_EQUAL,
      portIds.length - i,
      0,
      Buffer.from(Uint32Array.of(id).buffer).readUInt32BE(),
    ]),
    [BPF_RETURN, 0, 0, 0xffffffff],
    [BPF_RETURN, 0, 0, 0],
  ];
  const out = Buffer.alloc(code.length * 8);
  for (const [i, [op, ifTrue, ifFalse, value]] of code.entries()) {
    out.writeUInt16LE(op, i * 8);
    out.writeUInt8(ifTrue, i * 8 + 2);
    out.writeUInt8(ifFalse, i * 8 + 3);
    out.writeUInt32LE(value, i * 8 + 4);
  }
  return out;
}
