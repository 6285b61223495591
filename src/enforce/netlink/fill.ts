import type { TimedElement } from '../ruleset.js';
import { messageErrno, MessageWriter, NLMSG_ERROR, readMessages } from '../../util/netlink/message.js';
import {
  beginElements,
  endElements,
  NFT_MSG,
  nftType,
  readSetCount,
  writeBatchBegin,
  writeBatchEnd,
  writeElement,
  writeFlushSet,
  writeGetSet,
  type Family,
} from './nftables.js';
import type { NetlinkSocket } from '../../util/netlink/socket.js';

/** Elements of small sets share a transaction; a set with more has one of its own. */
const SHARED_UP_TO = 20_000;

/** What goes into a set. */
type Content = readonly [set: string, elements: readonly TimedElement[]];
type Where = { table: string; families: readonly Family[] };

/**
 * Fills the sets of a loaded table: each set is emptied and filled in one transaction, so that what it holds already goes
 * on blocking until the new content is there. Reading a set to change only what differs would cost the kernel more: a
 * dump walks a hash set from its start for every 32 KiB (nft_rhash.c), which is quadratic.
 *
 * To empty and fill a set of 100,000 costs the kernel ten times what filling does (it looks each new element up among those
 * that are about to go). A large set that is empty, or after a restart holds what it should, is therefore not emptied: its
 * elements are added (once more), which sets their timeouts; if it then counts as many as it should hold, it holds them and
 * nothing else. That needs no common transaction, so it is done in parts: what a transaction costs the kernel, and the
 * notifications that it keeps for whoever listens (`nft monitor`), stay small.
 */
export class TableFiller {
  private readonly socket: NetlinkSocket;
  private readonly nextSeq: () => number;
  private writer = new MessageWriter();

  constructor(socket: NetlinkSocket, nextSeq: () => number) {
    this.socket = socket;
    this.nextSeq = nextSeq;
  }

  /**
   * @param sets all sets of the table, in the order in which they matter.
   * @returns sets whose transaction the kernel refused, with its errno.
   */
  fill(where: Where, sets: Iterable<string>, elements: Iterable<TimedElement>): { set: string; errno: number }[] {
    const bySet = new Map<string, TimedElement[]>();
    for (const name of sets) bySet.set(name, []);
    for (const timed of elements) bySet.get(timed.element.set)?.push(timed);
    const refused: { set: string; errno: number }[] = [];
    let batch: Content[] = [];
    let count = 0;
    const send = (): void => {
      if (batch.length === 0) return;
      const [first] = batch;
      const isDone = first !== undefined && first[1].length > SHARED_UP_TO && this.renew(where, first);
      const errno = isDone ? 0 : this.transact(where, batch, true);
      if (errno !== 0) for (const [set] of batch) refused.push({ set, errno });
      batch = [];
      count = 0;
    };
    for (const entry of bySet) {
      if (count > 0 && count + entry[1].length > SHARED_UP_TO) send();
      batch.push(entry);
      count += entry[1].length;
    }
    send();
    // A list that needed megabytes is loaded once; its buffer is not kept.
    if (this.writer.capacity > 1024 * 1024) this.writer = new MessageWriter();
    return refused;
  }

  /** @returns false when the set may hold something else besides, or the kernel does not say. */
  private renew(where: Where, content: Content): boolean {
    const [set, elements] = content;
    const { length } = elements;
    const counts = (): (number | undefined)[] => where.families.map((family) => this.count(where.table, family, set));
    // With more than wanted in it, something has to go.
    if (counts().some((n) => n === undefined || n > length)) return false;
    for (let from = 0; from < length; from += SHARED_UP_TO) {
      const part = elements.slice(from, from + SHARED_UP_TO);
      if (this.transact(where, [[set, part]], false) !== 0) return false;
    }
    return counts().every((n) => n === length);
  }

  private count(table: string, family: Family, set: string): number | undefined {
    const w = this.writer;
    w.reset();
    writeGetSet(w, this.nextSeq(), { family, table, set });
    if (this.socket.send(w.bytes()) !== 0) return undefined;
    let count: number | undefined;
    for (let datagram = this.socket.receive(); datagram !== undefined; datagram = this.socket.receive()) {
      if (typeof datagram === 'number') return undefined;
      for (const message of readMessages(datagram)) {
        if (nftType(message) === NFT_MSG.NEWSET) count = readSetCount(message);
      }
    }
    return count;
  }

  /** @returns 0 or the first errno; nothing was changed then. */
  private transact(where: Where, sets: readonly Content[], isEmptied: boolean): number {
    const w = this.writer;
    w.reset();
    writeBatchBegin(w, this.nextSeq());
    for (const family of where.families) {
      for (const [set, elements] of sets) {
        const at = { family, table: where.table, set };
        if (isEmptied) writeFlushSet(w, this.nextSeq(), at);
        for (let i = 0; i < elements.length;) {
          const nest = beginElements(w, this.nextSeq(), at);
          while (i < elements.length && !w.isNestFull(nest)) {
            const { element, timeoutMs } = elements[i++]!;
            writeElement(w, element, timeoutMs);
          }
          endElements(w, nest);
        }
      }
    }
    writeBatchEnd(w, this.nextSeq());
    const errno = this.socket.send(w.bytes());
    return errno === 0 ? this.readErrors() : errno;
  }

  private readErrors(): number {
    let first = 0;
    for (let datagram = this.socket.receive(); datagram !== undefined; datagram = this.socket.receive()) {
      if (typeof datagram === 'number') {
        first ||= datagram;
        continue;
      }
      for (const message of readMessages(datagram)) if (message.type === NLMSG_ERROR) first ||= messageErrno(message);
    }
    return first;
  }
}
