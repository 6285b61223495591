import { PROTO, TCP, type DecodedPacket } from '../../../src/domain/packet.js';
import { packet, type PacketFields } from '../support/packets.js';

/** One finished TCP or UDP connection of a made-up capture. */
export interface Connection {
  at: number;
  src: string;
  dst: string;
  sport: number;
  dport: number;
  flag: 'S0' | 'SF' | 'REJ' | 'RSTO' | 'S1' | 'UDP';
}

/** Ways to get it wrong; each must give other values than the product. */
export interface Mutation {
  windowSecs?: number;
  hostWindow?: number;
  excludeSelf?: boolean;
  diffByConnections?: boolean;
  hostServiceOnlySameHost?: boolean;
  resetsAreNoErrors?: boolean;
  sameServiceByName?: boolean;
}

const SYN_ERRORS = ['S0', 'SH'];
const REJECTS = ['REJ', 'RSTO', 'RSTR', 'RSTOS0'];

/** Traffic features 23-41 of connection `i` by going through all earlier ones: slow and plain on purpose. */
export function referenceTraffic(all: readonly Connection[], i: number, m: Mutation = {}): number[] {
  const me = all[i]!;
  const service = (c: Connection): string =>
    m.sameServiceByName && c.dport >= 49_152 ? 'private' : `${c.flag === 'UDP' ? 'udp' : 'tcp'}/${c.dport}`;
  const isError = (c: Connection): boolean => SYN_ERRORS.includes(c.flag);
  const isReject = (c: Connection): boolean => (m.resetsAreNoErrors ? c.flag === 'REJ' : REJECTS.includes(c.flag));
  const until = all.slice(0, m.excludeSelf ? i : i + 1);
  const rate = (part: number, total: number): number => (total > 0 ? part / total : 0);
  const diff = (values: string[], own: string): number => {
    if (m.diffByConnections) return rate(values.filter((v) => v !== own).length, values.length);
    const distinct = new Set(values).size;
    return distinct > 1 ? distinct / values.length : 0;
  };
  const window = until.filter((c) => c.at >= me.at - (m.windowSecs ?? 2));
  const host = window.filter((c) => c.dst === me.dst);
  const srv = window.filter((c) => service(c) === service(me));
  const last = until.slice(-(m.hostWindow ?? 255));
  const dstHost = last.filter((c) => c.dst === me.dst);
  const dstSrv = (m.hostServiceOnlySameHost ? dstHost : last).filter((c) => service(c) === service(me));
  const share = (list: Connection[], test: (c: Connection) => boolean): number =>
    rate(list.filter(test).length, list.length);
  return [
    host.length,
    srv.length,
    share(host, isError),
    share(srv, isError),
    share(host, isReject),
    share(srv, isReject),
    share(host, (c) => service(c) === service(me)),
    diff(host.map(service), service(me)),
    diff(
      srv.map((c) => c.dst),
      me.dst,
    ),
    dstHost.length,
    dstSrv.length,
    share(dstHost, (c) => service(c) === service(me)),
    diff(dstHost.map(service), service(me)),
    share(dstHost, (c) => c.sport === me.sport),
    diff(
      dstSrv.map((c) => c.dst),
      me.dst,
    ),
    share(dstHost, isError),
    share(dstSrv, isError),
    share(dstHost, isReject),
    share(dstSrv, isReject),
  ];
}

/** The packets of a connection, one microsecond apart. */
export function packetsOf(c: Connection): DecodedPacket[] {
  let step = 0;
  const make = (back: boolean, flags: number, payload = 0): DecodedPacket => {
    const ends: PacketFields = back
      ? { src: c.dst, dst: c.src, sport: c.dport, dport: c.sport }
      : { src: c.src, dst: c.dst, sport: c.sport, dport: c.dport };
    const proto = c.flag === 'UDP' ? PROTO.UDP : PROTO.TCP;
    return packet({ ...ends, at: c.at + step++ * 1e-6, proto, flags, payload });
  };
  if (c.flag === 'UDP') return [make(false, 0, 30), make(true, 0, 90)];
  const syn = make(false, TCP.SYN);
  if (c.flag === 'S0') return [syn];
  if (c.flag === 'REJ') return [syn, make(true, TCP.RST | TCP.ACK)];
  const open = [syn, make(true, TCP.SYN | TCP.ACK)];
  if (c.flag === 'RSTO') return [...open, make(false, TCP.RST)];
  open.push(make(false, TCP.ACK), make(false, TCP.ACK | TCP.PSH, 100), make(true, TCP.ACK | TCP.PSH, 500));
  if (c.flag === 'S1') return open;
  return [...open, make(false, TCP.FIN | TCP.ACK), make(true, TCP.FIN | TCP.ACK)];
}
