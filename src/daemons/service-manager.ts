import { closeSync } from 'node:fs';
import { loadLibc } from '../util/netlink/libc.js';

/** Of sys/socket.h. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const FAMILY_BYTES = 2;
/** sun_path holds 108 bytes (unix(7)). */
const MAX_NAME_BYTES = 108;

/** Tells systemd how the service is (sd_notify(3)); does nothing where no service manager asked to be told. */
export interface ServiceManager {
  /** All works: units that wait for this one are started. `status` is shown by `systemctl status`. */
  ready(status: string): void;
  stopping(): void;
}

/** Sends one datagram to the socket of that name. @returns false when nobody received it. */
export type SendDatagram = (name: string, text: string) => boolean;

interface Environment {
  NOTIFY_SOCKET?: string | undefined;
  WATCHDOG_USEC?: string | undefined;
  WATCHDOG_PID?: string | undefined;
}

/**
 * The service manager of this process. From `ready` on it is told twice in each watchdog period that the event loop turns:
 * a daemon that hangs is killed and started again, and blocks stay in the kernel meanwhile.
 */
export function createServiceManager(
  signal: AbortSignal,
  environment: Environment = process.env,
  send: SendDatagram = sendDatagram,
): ServiceManager {
  const name = environment.NOTIFY_SOCKET;
  if (name === undefined || name === '') return { ready: () => undefined, stopping: () => undefined };
  // Programs that a daemon starts must not speak for it.
  delete environment.NOTIFY_SOCKET;
  const periodMs = watchdogMs(environment);
  return {
    ready(status) {
      send(name, `READY=1\nSTATUS=${status}`);
      if (periodMs === undefined) return;
      const timer = setInterval(() => send(name, 'WATCHDOG=1'), periodMs / 2);
      timer.unref();
      signal.addEventListener(
        'abort',
        () => {
          clearInterval(timer);
        },
        { once: true },
      );
    },
    stopping() {
      send(name, 'STOPPING=1');
    },
  };
}

/** The period within which the manager wants to hear of this very process. */
function watchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: Environment): number | undefined {
  const micros = Number(WATCHDOG_USEC);
  const isForUs = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
  return isForUs && Number.isFinite(micros) && micros > 0 ? micros / 1000 : undefined;
}

/** The address of a Unix socket; a name that begins with @ is one without a file (abstract). */
export function socketAddress(name: string): Buffer {
  const path = Buffer.from(name.startsWith('@') ? `\0${name.slice(1)}` : name);
  const end = name.startsWith('@') ? 0 : 1;
  const address = Buffer.alloc(FAMILY_BYTES + path.length + end);
  address.writeUInt16LE(AF_UNIX, 0);
  path.copy(address, FAMILY_BYTES);
  return address;
}

/** Node has no Unix datagram sockets: the C library's. */
export const sendDatagram: SendDatagram = (name, text) => {
  if (Buffer.byteLength(name) >= MAX_NAME_BYTES) return false;
  const libc = loadLibc();
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  try {
    const data = Buffer.from(text);
    const address = socketAddress(name);
    return Number(libc.sendto(fd, data, data.length, 0, address, address.length)) === data.length;
  } finally {
    closeSync(fd);
  }
};
