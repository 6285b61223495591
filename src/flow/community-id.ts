import { createHash } from 'node:crypto';
import { PROTO } from '../domain/packet.js';
import { icmpCounterpart } from './icmp.js';

/** Two endpoints; addresses as four 32-bit words, IPv4 in word 3. For ICMP the ports are type and code. */
export interface CommunityIdInput {
  ipVersion: number;
  proto: number;
  src: ArrayLike<number>;
  dst: ArrayLike<number>;
  srcPort: number;
  dstPort: number;
}

const PORT_PROTOCOLS: readonly number[] = [PROTO.TCP, PROTO.UDP, PROTO.SCTP, PROTO.ICMP, PROTO.ICMPV6];

/**
 * Community id version 1 (https://github.com/corelight/community-id-spec): the same for both directions of a flow and
 * in every tool that computes it.
 * @param seed 16-bit number that sites may agree on; 0 as everywhere else.
 */
export function communityId(input: CommunityIdInput, seed = 0): string {
  const { proto } = input;
  let { srcPort, dstPort } = input;
  let isOneWay = false;
  if (proto === PROTO.ICMP || proto === PROTO.ICMPV6) {
    const counterpart = icmpCounterpart(proto, srcPort);
    isOneWay = counterpart < 0;
    if (!isOneWay) dstPort = counterpart;
  }
  const addressBytes = input.ipVersion === 6 ? 16 : 4;
  let from = addressOf(input.src, addressBytes);
  let to = addressOf(input.dst, addressBytes);
  const order = Buffer.compare(from, to);
  if (!isOneWay && (order > 0 || (order === 0 && srcPort > dstPort))) {
    [from, to] = [to, from];
    [srcPort, dstPort] = [dstPort, srcPort];
  }
  const head = Buffer.alloc(2);
  head.writeUInt16BE(seed & 0xffff);
  const tail = Buffer.alloc(PORT_PROTOCOLS.includes(proto) ? 6 : 2);
  tail[0] = proto;
  if (tail.length === 6) {
    tail.writeUInt16BE(srcPort, 2);
    tail.writeUInt16BE(dstPort, 4);
  }
  const hash = createHash('sha1').update(head).update(from).update(to).update(tail);
  return `1:${hash.digest('base64')}`;
}

function addressOf(words: ArrayLike<number>, bytes: number): Buffer {
  const address = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 4) address.writeUInt32BE((words[4 - bytes / 4 + at / 4] ?? 0) >>> 0, at);
  return address;
}
