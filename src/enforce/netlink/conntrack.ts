import { setImmediate as nextTurn } from 'node:timers/promises';
import { cidrContains, type Cidr, type IpAddress } from '../../util/ip.js';
import {
  messageErrno,
  MessageWriter,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  readAttributes,
  readMessages,
} from '../../util/netlink/message.js';
import { NETLINK_NETFILTER, openNetlinkSocket, type NetlinkSocket } from '../../util/netlink/socket.js';

/** Messages of ctnetlink (include/uapi/linux/netfilter/nfnetlink_conntrack.h). */
const CT_NEW = 0x100;
const CT_GET = 0x101;
const CT_DELETE = 0x102;
const AF = { 4: 2, 6: 10 } as const;
const CTA = { TUPLE_ORIG: 1, TUPLE_REPLY: 2, ID: 12, ZONE: 18 } as const;
const TUPLE = { IP: 1, PROTO: 2 } as const;
const IP_SIDES = { 4: [1, 2], 6: [3, 4] } as const;
const PROTO = { NUM: 1, SRC_PORT: 2, DST_PORT: 3 } as const;
const NLA_F_NESTED = 0x8000;

const DATAGRAMS_PER_TURN = 16;
const ENOENT = 2;

/** Connections to forget: those with an end in the network, of one service if named. */
export interface ConnectionFilter {
  network: Cidr;
  proto?: number;
  port?: number;
}

/** The kernel's table of connections. */
export interface Conntrack {
  /** Deletes every connection that one of the filters names, NATed ones too. @returns how many. */
  forget(filters: readonly ConnectionFilter[]): Promise<number>;
  close(): void;
}

interface Entry {
  /** Both ends in both directions: with NAT they differ. */
  addresses: IpAddress[];
  proto: number;
  ports: number[];
  attributes: Map<number, Buffer>;
}

/** @throws AppError enforce.netlink_failed */
export function openConntrack(where: { netns?: string } = {}): Conntrack {
  const socket = openNetlinkSocket(NETLINK_NETFILTER, where);
  const writer = new MessageWriter();
  let seq = 1;

  function remove(version: 4 | 6, { attributes }: Entry): boolean {
    writer.reset();
    const family = AF[version];
    writer.begin({ type: CT_DELETE, flags: NLM_F_REQUEST | NLM_F_ACK, seq: ++seq, family });
    for (const type of [CTA.TUPLE_ORIG, CTA.ID, CTA.ZONE]) {
      const value = attributes.get(type);
      if (value) writer.binary(type === CTA.TUPLE_ORIG ? type | NLA_F_NESTED : type, value);
    }
    writer.end();
    return socket.send(writer.bytes()) === 0 && acknowledged(socket);
  }

  return {
    async forget(filters) {
      let removed = 0;
      for (const version of [4, 6] as const) {
        const wanted = filters.filter((f) => f.network.version === version);
        if (wanted.length === 0) continue;
        writer.reset();
        writer.begin({ type: CT_GET, flags: NLM_F_REQUEST | NLM_F_DUMP, seq: ++seq, family: AF[version] });
        writer.end();
        if (socket.send(writer.bytes()) !== 0) continue;
        const found: Entry[] = [];
        await eachEntry(socket, version, (entry) => {
          if (wanted.some((f) => names(f, entry))) found.push(entry);
        });
        for (const entry of found) if (remove(version, entry)) removed++;
      }
      return removed;
    },
    close: () => socket.close(),
  };
}

/** Reads a dump; other work gets its turn in between, the table may be long. */
async function eachEntry(socket: NetlinkSocket, version: 4 | 6, take: (entry: Entry) => void): Promise<void> {
  for (let n = 1; ; n++) {
    const datagram = socket.receive();
    if (datagram === undefined) return;
    if (typeof datagram === 'number') continue;
    for (const message of readMessages(datagram)) {
      if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) return;
      // The buffer is used again for the next datagram.
      if (message.type === CT_NEW) take(readEntry(version, Buffer.from(message.payload)));
    }
    if (n % DATAGRAMS_PER_TURN === 0) await nextTurn();
  }
}

function readEntry(version: 4 | 6, payload: Buffer): Entry {
  const attributes = readAttributes(payload, 4);
  const entry: Entry = { addresses: [], proto: 0, ports: [], attributes };
  for (const type of [CTA.TUPLE_ORIG, CTA.TUPLE_REPLY]) {
    const tuple = attributes.get(type);
    if (!tuple) continue;
    const parts = readAttributes(tuple);
    const ip = readAttributes(parts.get(TUPLE.IP) ?? Buffer.alloc(0));
    for (const side of IP_SIDES[version]) {
      const bytes = ip.get(side);
      if (bytes) entry.addresses.push(toIp(version, bytes));
    }
    const proto = readAttributes(parts.get(TUPLE.PROTO) ?? Buffer.alloc(0));
    entry.proto = proto.get(PROTO.NUM)?.[0] ?? 0;
    // The service's port: destination of the connection, and source of its answers, which NAT may have changed.
    const port = proto.get(type === CTA.TUPLE_ORIG ? PROTO.DST_PORT : PROTO.SRC_PORT);
    if (port && port.length >= 2) entry.ports.push(port.readUInt16BE(0));
  }
  return entry;
}

function toIp(version: 4 | 6, bytes: Buffer): IpAddress {
  const word = (i: number): number => bytes.readUInt32BE(4 * i);
  return { version, words: version === 4 ? [0, 0, 0, word(0)] : [word(0), word(1), word(2), word(3)] };
}

function names(filter: ConnectionFilter, entry: Entry): boolean {
  if (filter.proto !== undefined && filter.proto !== entry.proto) return false;
  if (filter.port !== undefined && !entry.ports.includes(filter.port)) return false;
  return entry.addresses.some((ip) => cidrContains(filter.network, ip));
}

/** A connection that has ended by itself meanwhile is as good as deleted. */
function acknowledged(socket: NetlinkSocket): boolean {
  for (let datagram = socket.receive(); datagram !== undefined; datagram = socket.receive()) {
    if (typeof datagram === 'number') continue;
    for (const message of readMessages(datagram)) {
      if (message.type === NLMSG_ERROR) return [0, ENOENT].includes(messageErrno(message));
    }
  }
  return false;
}
