import { readFileSync } from 'node:fs';
import { isIPv6, type Socket } from 'node:net';
import { parseIp } from '../../util/ip.js';
import { askKernel, type Ends } from './sock-diag.js';

/** Kernel states of a TCP socket, as /proc/net/tcp writes them (include/net/tcp_states.h). */
export const TCP_STATES = {
  FIN_WAIT1: 0x04,
  FIN_WAIT2: 0x05,
  TIME_WAIT: 0x06,
  CLOSE_WAIT: 0x08,
  LAST_ACK: 0x09,
  CLOSING: 0x0b,
} as const;

/** What identifies a connection once its socket object has forgotten its addresses. */
export interface Connection extends Ends {
  table: '/proc/net/tcp' | '/proc/net/tcp6';
}

export function connectionOf(socket: Socket): Connection | undefined {
  const { localPort, remotePort, localAddress, remoteAddress } = socket;
  const local = parseIp(localAddress ?? '');
  const remote = parseIp(remoteAddress ?? '');
  if (localPort === undefined || remotePort === undefined || !local || !remote) return undefined;
  return { local, localPort, remote, remotePort, table: isIPv6(localAddress!) ? '/proc/net/tcp6' : '/proc/net/tcp' };
}

/** What the kernel says about a connection. */
export interface KernelView {
  state: number;
  /** Bytes that the other side's kernel has not acknowledged; a FIN counts as one. */
  unacknowledged: number;
}

/**
 * The kernel's view of a connection.
 * @returns `gone` when the kernel no longer knows it (it was reset, or the receiver closed first), or undefined where it
 * cannot be asked and /proc cannot be read.
 */
export function kernelView(connection: Connection): KernelView | 'gone' | undefined {
  return askKernel(connection) ?? readTable(connection);
}

/** The same from the text table, which takes milliseconds to make. */
export function readTable(connection: Connection): KernelView | 'gone' | undefined {
  let table: string;
  try {
    table = readFileSync(connection.table, 'latin1');
  } catch {
    return undefined;
  }
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');
  const ends = `:${hex(connection.localPort)} [0-9A-F]+:${hex(connection.remotePort)}`;
  const match = new RegExp(`${ends} ([0-9A-F]{2}) ([0-9A-F]{8}):`).exec(table);
  return match ? { state: parseInt(match[1]!, 16), unacknowledged: parseInt(match[2]!, 16) } : 'gone';
}

export type CloseVerdict = 'delivered' | 'undecided' | 'lost' | 'gone';

/**
 * Whether everything we sent reached the receiver before it closed, judged after its close was seen. Its FIN, and not
 * a reset, says that it had read all that had arrived; ours acknowledged, that everything had arrived. In TIME_WAIT
 * our FIN is acknowledged; where the receiver's FIN came first, no data may be outstanding (our own FIN counts one).
 */
export function judgeClose(view: KernelView | 'gone' | undefined): CloseVerdict {
  if (view === undefined) return 'delivered';
  if (view === 'gone') return 'gone';
  switch (view.state) {
    case TCP_STATES.TIME_WAIT:
      return 'delivered';
    case TCP_STATES.CLOSE_WAIT:
    case TCP_STATES.LAST_ACK:
    case TCP_STATES.CLOSING:
      return view.unacknowledged <= 1 ? 'delivered' : 'undecided';
    case TCP_STATES.FIN_WAIT1:
    case TCP_STATES.FIN_WAIT2:
      return 'undecided';
    default:
      return 'lost';
  }
}
