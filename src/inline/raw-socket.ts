import { closeSync } from 'node:fs';
import koffi from 'koffi';
import { AppError } from '../util/errors.js';
import { errnoName, inNamespace, loadLibc } from '../util/netlink/libc.js';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const IPPROTO_RAW = 255;
const SOL_SOCKET = 1;
const SO_MARK = 36;
const SO_TIMESTAMP = 29;

/** Sends whole IP packets: resets and ICMP errors in the name of one end. */
export interface RawSender {
  /** @returns 0 or an errno. */
  send(packet: Buffer): number;
  close(): void;
}

/**
 * @param mark of what is sent.
 * @throws AppError inline.raw_socket
 */
export function openRawSender(options: { netns?: string | undefined; mark?: number } = {}): RawSender {
  const c = loadLibc();
  const open = (domain: number): number => {
    const fd = inNamespace(options.netns, () => c.socket(domain, SOCK_RAW_CLOEXEC_NONBLOCK, IPPROTO_RAW));
    if (fd < 0) {
      throw new AppError({
        kind: 'operational',
        code: 'inline.raw_socket',
        message: `Resets cannot be sent: raw socket: ${errnoName(koffi.errno())}.`,
        fix: 'Give the inline daemon CAP_NET_RAW, or set inline.resets: false and use no reject.',
      });
    }
    const mark = Buffer.from(Uint32Array.of(options.mark ?? 0).buffer);
    c.setsockopt(fd, SOL_SOCKET, SO_MARK, mark, 4);
    return fd;
  };
  const fd4 = open(AF_INET);
  const fd6 = open(AF_INET6);
  return {
    send(packet) {
      const isV4 = packet[0]! >> 4 === 4;
      const to = Buffer.alloc(isV4 ? 16 : 28);
      to.writeUInt16LE(isV4 ? AF_INET : AF_INET6, 0);
      if (isV4) packet.copy(to, 4, 16, 20);
      else packet.copy(to, 8, 24, 40);
      return c.sendto(isV4 ? fd4 : fd6, packet, packet.length, 0, to, to.length) >= 0 ? 0 : koffi.errno();
    },
    close() {
      closeSync(fd4);
      closeSync(fd6);
    },
  };
}

/**
 * While a socket wants timestamps, the kernel stamps every packet it receives: then the queue tells how long a packet has
 * waited. @returns what ends it.
 */
export function wantTimestamps(): { close(): void } {
  const c = loadLibc();
  const fd = c.socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) return { close: () => undefined };
  c.setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, Buffer.from(Int32Array.of(1).buffer), 4);
  return { close: () => closeSync(fd) };
}
