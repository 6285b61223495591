import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { formatIp, formatIpv6, parseIp } from '../util/ip.js';

/**
 * What counts as one client where clients are counted: an IPv4 address, and the /64 of an IPv6 address however it is
 * shortened, since whoever has one address of it has all of them.
 * @param address as the socket has it, possibly IPv4-mapped or with a zone.
 */
export function clientNetwork(address: string | undefined): string {
  const ip = parseIp((address ?? '').replace(/%.*$/, ''));
  if (!ip) return address ?? '';
  const [w0, w1] = ip.words;
  return ip.version === 4 || (w0 === 0 && w1 === 0) ? formatIp(ip) : formatIpv6(w0, w1, 0, 0);
}

export function isLoopback(address: string): boolean {
  const ip = parseIp(address);
  if (!ip) return false;
  return ip.version === 4 ? ip.words[3] >>> 24 === 127 : ip.words[3] === 1 && !ip.words.slice(0, 3).some(Boolean);
}

/** Counts what each client has at the same time. Loopback is not counted: a reverse proxy brings everybody's from there. */
export class Shares {
  private readonly counts = new Map<string, number>();
  private readonly most: number;

  constructor(most: number) {
    this.most = most;
  }

  /** @returns what gives it back, once; undefined when the client has all that it may have. */
  take(address: string | undefined): (() => void) | undefined {
    const key = clientNetwork(address);
    if (isLoopback(key)) return () => undefined;
    const count = this.counts.get(key) ?? 0;
    if (count >= this.most) return undefined;
    this.counts.set(key, count + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const left = (this.counts.get(key) ?? 1) - 1;
      if (left === 0) this.counts.delete(key);
      else this.counts.set(key, left);
    };
  }
}

/** Connections are ended at once when their client has `most` open already, so that none can take them all. */
export function shareConnections(server: Pick<Server, 'on'>, most: number): void {
  const shares = new Shares(most);
  server.on('connection', (socket: Socket) => {
    const giveBack = shares.take(socket.remoteAddress);
    if (giveBack) socket.once('close', giveBack);
    else socket.destroy();
  });
}
