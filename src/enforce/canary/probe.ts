import { closeSync } from 'node:fs';
import koffi from 'koffi';
import { inNamespace, loadLibc } from '../../util/netlink/libc.js';

const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC_NONBLOCK = 2 | 0o2000000 | 0o4000;
const EPERM = 1;
const ENETUNREACH = 101;
const EHOSTUNREACH = 113;

/** The box has no way to the address, so nothing can be proved with it. */
export class NoRouteError extends Error {}

/** A UDP socket in any network namespace; the kernel handles a local send at once, so reading right after it suffices. */
export interface ProbeSocket {
  /** @returns false when netfilter refused it (EPERM). */
  send(address: string, port: number): boolean;
  /** Datagrams that have arrived. */
  receive(): number;
  close(): void;
}

export function openProbe(local: { address: string; port: number } | undefined, netns?: string): ProbeSocket {
  const c = loadLibc();
  const fd = inNamespace(netns, () => c.socket(AF_INET, SOCK_DGRAM_CLOEXEC_NONBLOCK, 0));
  if (fd < 0) throw new Error(`socket failed: errno ${koffi.errno()}`);
  if (local && c.bind(fd, socketAddress(local.address, local.port), 16) < 0) {
    const errno = koffi.errno();
    closeSync(fd);
    throw new Error(`bind to ${local.address} failed: errno ${errno}`);
  }
  const payload = Buffer.from('portcullis canary');
  const buffer = Buffer.alloc(2048);
  return {
    send: (address, port) => {
      if (c.sendto(fd, payload, payload.length, 0, socketAddress(address, port), 16) >= 0) return true;
      const errno = koffi.errno();
      if (errno === EPERM) return false;
      if (errno === ENETUNREACH || errno === EHOSTUNREACH) throw new NoRouteError(`there is no route to ${address}`);
      throw new Error(`sending to ${address} failed: errno ${errno}`);
    },
    receive: () => {
      let count = 0;
      while (c.recv(fd, buffer, buffer.length, 0x40) >= 0) count += 1;
      return count;
    },
    close: () => closeSync(fd),
  };
}

function socketAddress(address: string, port: number): Buffer {
  const out = Buffer.alloc(16);
  out.writeUInt16LE(AF_INET, 0);
  out.writeUInt16BE(port, 2);
  out.set(address.split('.').map(Number), 4);
  return out;
}
