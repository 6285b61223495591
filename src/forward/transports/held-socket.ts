import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { loadCLibrary } from '../../util/c-library.js';

/** Kernel states of a TCP socket (include/net/tcp_states.h) that decide. */
export const TCP_STATES = {
  CLOSE: 7,
  CLOSE_WAIT: 8,
  LAST_ACK: 9,
  CLOSING: 11,
} as const;

const F_DUPFD_CLOEXEC = 1030;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
/** Bytes sent and not acknowledged; a FIN counts as one (tcp(7): SIOCOUTQ). */
const SIOCOUTQ = 0x5411;

/** What the kernel says about a connection. */
export interface KernelView {
  state: number;
  /** errno of how it ended; 0 = in good order, or not yet. */
  error: number;
  /** Bytes that the other side's kernel has not acknowledged; a FIN counts as one. */
  unacknowledged: number;
}

export type CloseVerdict = 'delivered' | 'undecided' | 'lost';

/**
 * Whether everything we sent reached the receiver before it closed, judged after its close was seen. Its FIN, and not a
 * reset, says that it had read all that had arrived; ours acknowledged, that everything had arrived. Data that meets a
 * closed socket is answered with a reset, which stays in the socket as its error (RFC 9293 3.10.7.1). Where the
 * receiver's FIN came first, no data may be outstanding (our own FIN counts one).
 */
export function judgeClose({ state, error, unacknowledged }: KernelView): CloseVerdict {
  if (error !== 0) return 'lost';
  switch (state) {
    case TCP_STATES.CLOSE:
      return 'delivered';
    case TCP_STATES.CLOSE_WAIT:
    case TCP_STATES.LAST_ACK:
    case TCP_STATES.CLOSING:
      return unacknowledged <= 1 ? 'delivered' : 'undecided';
    default:
      return 'undecided';
  }
}

/** A second descriptor of a connection's socket: Node closes its own as soon as both sides have ended, and with it what the kernel knows. */
export class HeldSocket {
  private readonly fd: number;
  private sawError = 0;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** @returns undefined where the socket's descriptor cannot be had; the caller releases what it holds. */
  static of(socket: Socket): HeldSocket | undefined {
    const { _handle: handle } = socket as { _handle?: { fd?: number } | null };
    if (handle?.fd === undefined || handle.fd < 0) return undefined;
    const fd = libc()?.fcntl(handle.fd, F_DUPFD_CLOEXEC, 'int', 0) ?? -1;
    return fd < 0 ? undefined : new HeldSocket(fd);
  }

  view(): KernelView {
    const { getsockopt, ioctl } = libc()!;
    const info = Buffer.alloc(8);
    const unacknowledged = Buffer.alloc(4);
    getsockopt(this.fd, IPPROTO_TCP, TCP_INFO, info, length(info));
    // After the state: an end that comes in between is seen next time, its error never missed. Reading the error clears it.
    const error = Buffer.alloc(4);
    getsockopt(this.fd, SOL_SOCKET, SO_ERROR, error, length(error));
    this.sawError ||= error.readInt32LE();
    if (ioctl(this.fd, SIOCOUTQ, unacknowledged) < 0) unacknowledged.fill(0);
    return { state: info[0]!, error: this.sawError, unacknowledged: unacknowledged.readInt32LE() };
  }

  release(): void {
    closeSync(this.fd);
  }
}

function length(buffer: Buffer): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(buffer.length);
  return bytes;
}

interface Calls {
  fcntl: (fd: number, command: number, type: 'int', argument: number) => number;
  getsockopt: (fd: number, level: number, name: number, value: Buffer, bytes: Buffer) => number;
  ioctl: (fd: number, request: number, argument: Buffer) => number;
}

let calls: Calls | undefined | 'missing';

function libc(): Calls | undefined {
  if (calls === undefined) {
    try {
      const lib = loadCLibrary();
      calls = {
        fcntl: lib.func('int fcntl(int, int, ...)'),
        getsockopt: lib.func('int getsockopt(int, int, int, void *, void *)'),
        ioctl: lib.func('int ioctl(int, unsigned long, void *)'),
      } as unknown as Calls;
    } catch {
      calls = 'missing';
    }
  }
  return calls === 'missing' ? undefined : calls;
}
