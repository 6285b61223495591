import { closeSync, openSync } from 'node:fs';
import koffi from 'koffi';
import { loadCLibrary } from '../c-library.js';
import { AppError } from '../errors.js';

const CLONE_NEWNET = 0x40000000;

/** The few functions of the C library that sockets of other families need. */
export interface Libc {
  socket: (domain: number, type: number, protocol: number) => number;
  bind: (fd: number, address: Buffer, bytes: number) => number;
  getsockname: (fd: number, address: Buffer, bytes: Buffer) => number;
  setsockopt: (fd: number, level: number, name: number, value: Buffer, bytes: number) => number;
  sendto: (fd: number, data: Buffer, bytes: number, flags: number, to: Buffer, toBytes: number) => number;
  recv: (fd: number, data: Buffer, bytes: number, flags: number) => number;
  setns: (fd: number, type: number) => number;
  attachFilter: (
    fd: number,
    level: number,
    name: number,
    program: { len: number; filter: Buffer },
    bytes: number,
  ) => number;
}

let libc: Libc | undefined;

export function loadLibc(): Libc {
  if (libc) return libc;
  const lib = loadCLibrary();
  const program = koffi.struct({ len: 'uint16_t', filter: 'const void *' });
  libc = {
    socket: lib.func('int socket(int, int, int)'),
    bind: lib.func('int bind(int, const void *, uint32_t)'),
    getsockname: lib.func('int getsockname(int, void *, void *)'),
    setsockopt: lib.func('int setsockopt(int, int, int, const void *, uint32_t)'),
    sendto: lib.func('int64_t sendto(int, const void *, size_t, int, const void *, uint32_t)'),
    recv: lib.func('int64_t recv(int, void *, size_t, int)'),
    attachFilter: lib.func('setsockopt', 'int', ['int', 'int', 'int', koffi.pointer(program), 'uint32_t']),
    setns: lib.func('int setns(int, int)'),
  } as unknown as Libc;
  return libc;
}

/** A socket belongs to the namespace its thread was in when it was made; the thread returns at once. */
export function inNamespace(netns: string | undefined, make: () => number): number {
  if (netns === undefined) return make();
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    const there = openSync(`/run/netns/${netns}`, 'r');
    try {
      enterNamespace(there);
    } finally {
      closeSync(there);
    }
    const fd = make();
    enterNamespace(home);
    return fd;
  } finally {
    closeSync(home);
  }
}

function enterNamespace(fd: number): void {
  if (loadLibc().setns(fd, CLONE_NEWNET) < 0) throw socketError('setns', koffi.errno());
}

export function socketError(call: string, errno: number): AppError {
  const name = errnoName(errno);
  return new AppError({
    kind: 'operational',
    code: 'enforce.netlink_failed',
    message: `netlink: ${call} failed: ${name}`,
    fix: 'Give the daemon CAP_NET_ADMIN (run as root, or use the systemd units); the responder can also do without: enforce.element_path: nft.',
    context: { errno },
  });
}

/** Symbolic name of an errno, e.g. `ENOENT`. */
export function errnoName(errno: number): string {
  const found = Object.entries(koffi.os.errno).find(([, value]) => value === errno);
  return found?.[0] ?? `errno ${errno}`;
}
