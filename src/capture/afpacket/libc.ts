import koffi from 'koffi';
import { loadCLibrary } from '../../util/c-library.js';

/** The few calls of libc (glibc or musl) that a packet ring needs, through koffi's foreign function interface. */
function bindLibc() {
  const libc = loadCLibrary();
  const program = koffi.struct({ len: 'uint16_t', filter: 'void *' });
  return {
    socket: libc.func('int socket(int domain, int type, int protocol)') as (d: number, t: number, p: number) => number,
    setsockopt: libc.func('int setsockopt(int fd, int level, int name, void *value, uint32_t length)') as SocketOption,
    /** setsockopt with a struct sock_fprog. */
    attachFilter: libc.func('setsockopt', 'int', ['int', 'int', 'int', koffi.pointer(program), 'uint32_t']) as (
      fd: number,
      level: number,
      name: number,
      program: { len: number; filter: Uint8Array },
      length: number,
    ) => number,
    getsockopt: libc.func('int getsockopt(int fd, int level, int name, void *value, void *length)') as (
      fd: number,
      level: number,
      name: number,
      value: Uint8Array,
      length: Uint8Array,
    ) => number,
    ioctl: libc.func('int ioctl(int fd, unsigned long request, void *argument)') as (
      fd: number,
      request: number,
      argument: Uint8Array,
    ) => number,
    bind: libc.func('int bind(int fd, void *address, uint32_t length)') as (
      fd: number,
      address: Uint8Array,
      length: number,
    ) => number,
    mmap: libc.func('void *mmap(void *at, size_t length, int protection, int flags, int fd, int64_t offset)') as (
      at: bigint | null,
      length: number,
      protection: number,
      flags: number,
      fd: number,
      offset: number,
    ) => bigint,
    close: libc.func('int close(int fd)') as (fd: number) => number,
  };
}

type SocketOption = (fd: number, level: number, name: number, value: Uint8Array, length: number) => number;

export type Libc = ReturnType<typeof bindLibc>;

let bound: Libc | undefined;

/** Binds on first use, so that a process that never captures live never loads it. */
export function libc(): Libc {
  return (bound ??= bindLibc());
}

/** Name of the last call's error, for instance `EPERM`. */
export function lastErrno(): string {
  return errnoName(koffi.errno());
}

export function errnoName(errno: number): string {
  const found = Object.entries(koffi.os.errno).find(([, value]) => value === errno);
  return found?.[0] ?? `errno ${errno}`;
}

/** Memory outside JavaScript's heap as an ArrayBuffer, without copying. */
export function viewMemory(address: bigint, length: number): ArrayBuffer {
  return koffi.view(address, length);
}
