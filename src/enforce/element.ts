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

/** Number of 32-bit words in the key of an element. */
export function elementKeyWords(element: SetElement): number {
  const ipWords = element.ip.version === 4 ? 1 : 4;
  if (element.proto === undefined) return ipWords;
  return element.peer === undefined ? ipWords + 2 : 2 * ipWords + 3;
}

/** The key as in a netlink message, word by word: network byte order, each field padded to four bytes. */
export function writeElementKey(element: SetElement, write: { word(value: number): void }): void {
  writeIp(element.ip, write);
  if (element.proto === undefined) return;
  if (element.peer !== undefined) writeIp(element.peer, write);
  write.word((element.proto << 24) >>> 0);
  if (element.peer !== undefined) write.word(((element.sourcePort ?? 0) << 16) >>> 0);
  write.word(((element.port ?? 0) << 16) >>> 0);
}

function writeIp({ version, words }: IpAddress, write: { word(value: number): void }): void {
  if (version === 6) {
    write.word(words[0]);
    write.word(words[1]);
    write.word(words[2]);
  }
  write.word(words[3]);
}

/** The element of a key as the kernel sends it; the reverse of {@link writeElementKey}. */
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
