import * as C from './constants.js';
import { libc } from './libc.js';

const NAME_BYTES = 16;
const REQUEST_BYTES = 40;

export interface InterfaceFacts {
  index: number;
  /** IFF_* of net/if.h. */
  flags: number;
  mtu: number;
  /** ARPHRD_* of linux/if_arp.h. */
  hardwareType: number;
  mac: string;
}

let socket = -1;

/**
 * What the kernel says of an interface of this process's own network namespace (netdevice(7)); sysfs shows the namespace
 * in which it was mounted, which may be another.
 * @returns undefined when there is no such interface here.
 */
export function interfaceFacts(name: string): InterfaceFacts | undefined {
  const index = ask(name, C.SIOCGIFINDEX);
  const flags = ask(name, C.SIOCGIFFLAGS);
  const mtu = ask(name, C.SIOCGIFMTU);
  const hardware = ask(name, C.SIOCGIFHWADDR);
  if (!index || !flags || !mtu || !hardware) return undefined;
  return {
    index: index.readInt32(),
    flags: flags.readUint16(),
    mtu: mtu.readInt32(),
    hardwareType: hardware.readUint16(),
    mac: hardware.mac(),
  };
}

/** Index alone: one call. */
export function indexOf(name: string): number | undefined {
  return ask(name, C.SIOCGIFINDEX)?.readInt32();
}

interface Answer {
  readInt32(): number;
  readUint16(): number;
  mac(): string;
}

/** One request of struct ifreq: the name, and behind it what the kernel answers. */
function ask(name: string, request: number): Answer | undefined {
  const bytes = new Uint8Array(REQUEST_BYTES);
  const text = new TextEncoder().encode(name);
  if (text.length === 0 || text.length >= NAME_BYTES) return undefined;
  bytes.set(text);
  // Any socket will do, and Unix sockets are allowed in every sandbox.
  if (process.platform !== 'linux') return undefined;
  if (socket < 0) socket = libc().socket(C.AF_UNIX, C.SOCK_DGRAM | C.SOCK_CLOEXEC, 0);
  if (socket < 0 || libc().ioctl(socket, request, bytes) < 0) return undefined;
  const view = new DataView(bytes.buffer, NAME_BYTES);
  return {
    readInt32: () => view.getInt32(0, LITTLE_ENDIAN),
    readUint16: () => view.getUint16(0, LITTLE_ENDIAN),
    mac: () =>
      Array.from(bytes.subarray(NAME_BYTES + 2, NAME_BYTES + 8), (b) => b.toString(16).padStart(2, '0')).join(':'),
  };
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
