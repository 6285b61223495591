import { formatIp, type IpAddress } from '../util/ip.js';

/** Shape of a set's key: an address; address, protocol and port; or both ends of a flow. */
export type KeyType = 'address' | 'service' | 'flow';

/** One element of a kernel set. Addresses are already masked to the set's prefix length. */
export interface SetElement {
  /** Name of the set within the table, e.g. `block4_24`. */
  set: string;
  ip: IpAddress;
  proto?: number;
  /** Destination port of the packets meant; with `peer` the peer's port. */
  port?: number;
  peer?: IpAddress;
  /** Port at `ip`'s end, flows only. */
  sourcePort?: number;
}

/** The key as nft writes it: `203.0.113.7`, `203.0.113.7 . 6 . 80`, `203.0.113.7 . 192.0.2.1 . 6 . 40000 . 80`. */
export function elementKeyText(element: SetElement): string {
  const address = formatIp(element.ip);
  if (element.proto === undefined) return address;
  if (element.peer === undefined) return `${address} . ${element.proto} . ${element.port ?? 0}`;
  return `${address} . ${formatIp(element.peer)} . ${element.proto} . ${element.sourcePort ?? 0} . ${element.port ?? 0}`;
}

/** Identifies an element within the table. */
export function elementId(element: SetElement): string {
  return `${element.set} ${elementKeyText(element)}`;
}

/** Bytes of the key in a netlink message: network byte order, each field padded to four bytes. */
export function elementKeyBytes(element: SetElement): Buffer {
  const ipBytes = element.ip.version === 4 ? 4 : 16;
  const fields = element.proto === undefined ? 0 : element.peer === undefined ? 8 : ipBytes + 12;
  const key = Buffer.allocUnsafe(ipBytes + fields);
  let at = writeIp(key, 0, element.ip);
  if (element.proto === undefined) return key;
  if (element.peer !== undefined) at = writeIp(key, at, element.peer);
  at = key.writeUInt32BE((element.proto << 24) >>> 0, at);
  if (element.peer !== undefined) at = key.writeUInt32BE(((element.sourcePort ?? 0) << 16) >>> 0, at);
  key.writeUInt32BE(((element.port ?? 0) << 16) >>> 0, at);
  return key;
}

function writeIp(key: Buffer, at: number, ip: IpAddress): number {
  if (ip.version === 4) return key.writeUInt32BE(ip.words[3], at);
  for (const word of ip.words) at = key.writeUInt32BE(word, at);
  return at;
}

/** The element of a key as the kernel sends it; the reverse of {@link elementKeyBytes}. */
export function parseElementKey(set: string, version: 4 | 6, key: Buffer): SetElement | undefined {
  const ipBytes = version === 4 ? 4 : 16;
  const extra = key.length - ipBytes;
  if (extra < 0) return undefined;
  const ip = readIp(key, 0, version);
  if (extra < 8) return { set, ip };
  if (extra === 8) return { set, ip, proto: key[ipBytes]!, port: key.readUInt16BE(ipBytes + 4) };
  if (extra !== ipBytes + 12) return undefined;
  const at = 2 * ipBytes;
  return {
    set,
    ip,
    peer: readIp(key, ipBytes, version),
    proto: key[at]!,
    sourcePort: key.readUInt16BE(at + 4),
    port: key.readUInt16BE(at + 8),
  };
}

function readIp(key: Buffer, at: number, version: 4 | 6): IpAddress {
  const word = (i: number): number => key.readUInt32BE(at + 4 * i);
  return { version, words: version === 4 ? [0, 0, 0, word(0)] : [word(0), word(1), word(2), word(3)] };
}
