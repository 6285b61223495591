import {
  MessageWriter,
  messageErrno,
  NLM_F_DUMP,
  NLMSG_DONE,
  NLMSG_ERROR,
  readMessages,
  type NetlinkMessage,
} from '../../util/netlink/message.js';
import type { NetlinkSocket } from '../../util/netlink/socket.js';
import type { SetElement } from '../element.js';
import type { Layout } from '../layout.js';
import {
  messageTable,
  NFT_MSG,
  nftType,
  readChain,
  readCounterObject,
  readElements,
  writeDump,
  writeGetElement,
  type Family,
} from '../netlink/nftables.js';
import type { KernelElement } from './backend.js';
import { netlinkError } from './netlink-error.js';

const EINTR = 4;
const LOOKUPS_PER_SEND = 64;

/** Reads of our table over netlink: chains, counters, single elements. Never a whole set. */
export class NetlinkReader {
  private readonly socket: NetlinkSocket;
  private readonly nextSeq: () => number;
  private readonly writer = new MessageWriter();

  constructor(socket: NetlinkSocket, nextSeq: () => number) {
    this.socket = socket;
    this.nextSeq = nextSeq;
  }

  /** Chains of our table by family; empty when no family has it. */
  presentChains(layout: Layout): Map<string, string[]> {
    const found = new Map<string, string[]>();
    for (const family of layout.families) {
      for (const message of this.dump('GETCHAIN', family)) {
        if (nftType(message) !== NFT_MSG.NEWCHAIN || messageTable(message) !== layout.table) continue;
        const chains = found.get(family) ?? [];
        found.set(family, chains);
        chains.push(readChain(message).name);
      }
    }
    return found;
  }

  /** An element counts as there when every family has it. */
  lookup(layout: Layout, elements: readonly SetElement[]): (KernelElement | undefined)[] {
    const found = new Array<KernelElement | undefined>(elements.length);
    const missing = new Uint8Array(elements.length);
    for (const family of layout.families) {
      for (let from = 0; from < elements.length; from += LOOKUPS_PER_SEND) {
        const part = elements.slice(from, from + LOOKUPS_PER_SEND);
        for (const [i, state] of this.lookupIn(layout.table, family, part).entries()) {
          if (!state) missing[from + i] = 1;
          else found[from + i] ??= state;
        }
      }
    }
    return found.map((state, i) => (missing[i] === 1 ? undefined : state));
  }

  counters(layout: Layout): Record<string, { packets: number; bytes: number }> {
    const out: Record<string, { packets: number; bytes: number }> = {};
    for (const family of layout.families) {
      for (const message of this.dump('GETOBJ', family)) {
        if (nftType(message) !== NFT_MSG.NEWOBJ || messageTable(message) !== layout.table) continue;
        const { name, packets, bytes } = readCounterObject(message);
        const sum = out[name] ?? { packets: 0, bytes: 0 };
        out[name] = { packets: sum.packets + packets, bytes: sum.bytes + bytes };
      }
    }
    return out;
  }

  /** Elements of one family; what is absent is undefined. */
  lookupIn(table: string, family: Family, elements: readonly SetElement[]): (KernelElement | undefined)[] {
    const w = this.writer;
    w.reset();
    const index = new Map<number, number>();
    for (const [i, element] of elements.entries()) {
      const seq = this.nextSeq();
      index.set(seq, i);
      writeGetElement(w, seq, { family, table, element });
    }
    const errno = this.socket.send(w.bytes());
    if (errno !== 0) throw netlinkError('lookup', errno);
    const found = new Array<KernelElement | undefined>(elements.length).fill(undefined);
    for (const message of this.answers()) {
      const i = index.get(message.seq);
      if (i === undefined || nftType(message) !== NFT_MSG.NEWSETELEM) continue;
      found[i] = readElements(message).elements[0];
    }
    return found;
  }

  private *answers(): Generator<NetlinkMessage> {
    for (;;) {
      const datagram = this.socket.receive();
      if (datagram === undefined) return;
      if (typeof datagram === 'number') throw netlinkError('answer', datagram);
      yield* readMessages(datagram);
    }
  }

  private *dump(what: 'GETOBJ' | 'GETCHAIN', family: Family): Generator<NetlinkMessage> {
    this.writer.reset();
    writeDump(this.writer, this.nextSeq(), what, family, NLM_F_DUMP);
    const errno = this.socket.send(this.writer.bytes());
    if (errno !== 0) throw netlinkError('dump', errno);
    for (const message of this.answers()) {
      if (message.type === NLMSG_DONE) continue;
      if (message.type === NLMSG_ERROR && ![0, EINTR].includes(messageErrno(message))) {
        throw netlinkError('dump', messageErrno(message));
      }
      yield message;
    }
  }

  /** Chains with their numbers of rules, as text to compare. */
  readStructure(layout: Layout): string {
    const chains: string[] = [];
    for (const family of layout.families) {
      for (const message of this.dump('GETCHAIN', family)) {
        if (nftType(message) !== NFT_MSG.NEWCHAIN || messageTable(message) !== layout.table) continue;
        const { name, rules, isBase } = readChain(message);
        chains.push(`${family} ${name} ${rules}${isBase ? ' base' : ''}`);
      }
    }
    return chains.sort().join('\n');
  }
}
