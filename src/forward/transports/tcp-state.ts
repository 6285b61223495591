import { readFileSync } from 'node:fs';
import { isIPv6, type Socket } from 'node:net';

/** Kernel states of a TCP socket, as /proc/net/tcp writes them (include/net/tcp_states.h). */
export const TCP_STATES = { FIN_WAIT1: 0x04, FIN_WAIT2: 0x05, TIME_WAIT: 0x06, CLOSING: 0x0b, GONE: 0 } as const;

/** What identifies a connection once its socket object has forgotten its addresses. */
export interface Connection {
  localPort: number;
  remotePort: number;
  table: '/proc/net/tcp' | '/proc/net/tcp6';
}

export function connectionOf(socket: Socket): Connection | undefined {
  const { localPort, remotePort, localAddress } = socket;
  if (localPort === undefined || remotePort === undefined || localAddress === undefined) return undefined;
  return { localPort, remotePort, table: isIPv6(localAddress) ? '/proc/net/tcp6' : '/proc/net/tcp' };
}

/**
 * The kernel's state of a connection.
 * @returns a state, `GONE` when the kernel no longer knows it (it was reset), or undefined where /proc cannot be read.
 */
export function kernelTcpState(connection: Connection): number | undefined {
  let table: string;
  try {
    table = readFileSync(connection.table, 'latin1');
  } catch {
    return undefined;
  }
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');
  const pattern = new RegExp(`:${hex(connection.localPort)} [0-9A-F]+:${hex(connection.remotePort)} ([0-9A-F]{2}) `);
  const match = pattern.exec(table);
  return match ? parseInt(match[1]!, 16) : TCP_STATES.GONE;
}
