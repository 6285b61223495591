import { elementKeyBytes } from '../element.js';
import type { TimedElement } from '../ruleset.js';
import { messageErrno, MessageWriter, NLM_F_DUMP, NLMSG_ERROR, readMessages } from '../../util/netlink/message.js';
import {
  beginElements,
  endElements,
  NFT_MSG,
  nftType,
  readKeyTexts,
  writeBatchBegin,
  writeBatchEnd,
  writeDumpSet,
  writeElement,
  writeFlushSet,
  type Family,
} from './nftables.js';
import type { NetlinkSocket } from '../../util/netlink/socket.js';

/** Elements of small sets share a transaction; a set with more has one of its own. */
const SHARED_UP_TO = 20_000;
/** A longer set that may hold most of it already is read and corrected: writing it again costs the kernel more. */
const COMPARE_FROM = 2000;

/**
 * Fills the sets of a loaded table: each set is emptied and filled, or corrected, in one transaction, so that what it
 * holds already goes on blocking until the new content is there.
 */
export class TableFiller {
  private readonly socket: NetlinkSocket;
  private readonly nextSeq: () => number;
  /** How an element is removed: where the kernel can, one that has just ended by itself is no error. */
  private readonly removal: 'delete' | 'destroy';
  private writer = new MessageWriter();

  constructor(socket: NetlinkSocket, nextSeq: () => number, can: { destroy: boolean }) {
    this.removal = can.destroy ? 'destroy' : 'delete';
    this.socket = socket;
    this.nextSeq = nextSeq;
  }

  /**
   * @param sets all sets of the table, in the order in which they matter.
   * @param isKept the sets may hold most of it already.
   * @returns sets whose transaction the kernel refused, with its errno.
   */
  fill(
    where: { table: string; families: readonly Family[] },
    sets: Iterable<string>,
    elements: Iterable<TimedElement>,
    isKept: boolean,
  ): { set: string; errno: number }[] {
    const bySet = new Map<string, TimedElement[]>();
    for (const name of sets) bySet.set(name, []);
    for (const timed of elements) bySet.get(timed.element.set)?.push(timed);
    const refused: { set: string; errno: number }[] = [];
    let batch: [string, TimedElement[]][] = [];
    let count = 0;
    const send = (): void => {
      if (batch.length === 0) return;
      const errno = this.transact(where, batch);
      if (errno !== 0) for (const [set] of batch) refused.push({ set, errno });
      batch = [];
      count = 0;
    };
    for (const entry of bySet) {
      if (isKept && entry[1].length >= COMPARE_FROM) {
        const errno = this.correct(where, entry[0], entry[1]);
        if (errno !== 0) refused.push({ set: entry[0], errno });
        continue;
      }
      if (count > 0 && count + entry[1].length > SHARED_UP_TO) send();
      batch.push(entry);
      count += entry[1].length;
    }
    send();
    // A list that needed megabytes is loaded once; its buffer is not kept.
    if (this.writer.capacity > 1024 * 1024) this.writer = new MessageWriter();
    return refused;
  }

  /** Reads a set, adds what is missing and removes what is too much. @returns 0 or the first errno. */
  private correct(
    where: { table: string; families: readonly Family[] },
    set: string,
    elements: readonly TimedElement[],
  ): number {
    for (const family of where.families) {
      const at = { family, table: where.table, set };
      const missing = new Map(elements.map((e) => [elementKeyBytes(e.element).toString('latin1'), e]));
      const surplus: Buffer[] = [];
      for (const key of this.dumpKeys(at)) if (!missing.delete(key)) surplus.push(Buffer.from(key, 'latin1'));
      const w = this.writer;
      w.reset();
      writeBatchBegin(w, this.nextSeq());
      const all = [...missing.values()];
      for (let i = 0; i < all.length;) {
        const nest = beginElements(w, this.nextSeq(), at);
        while (i < all.length && !w.isNestFull(nest)) {
          const { element, timeoutMs } = all[i++]!;
          writeElement(w, elementKeyBytes(element), timeoutMs);
        }
        endElements(w, nest);
      }
      for (let i = 0; i < surplus.length;) {
        const nest = beginElements(w, this.nextSeq(), at, this.removal);
        while (i < surplus.length && !w.isNestFull(nest)) writeElement(w, surplus[i++]!, 0);
        endElements(w, nest);
      }
      writeBatchEnd(w, this.nextSeq());
      const errno = all.length + surplus.length === 0 ? 0 : this.socket.send(w.bytes()) || this.readErrors();
      if (errno !== 0) return errno;
    }
    return 0;
  }

  private *dumpKeys(at: { family: Family; table: string; set: string }): Generator<string> {
    const w = this.writer;
    w.reset();
    writeDumpSet(w, this.nextSeq(), at, NLM_F_DUMP);
    if (this.socket.send(w.bytes()) !== 0) return;
    for (let datagram = this.socket.receive(); datagram !== undefined; datagram = this.socket.receive()) {
      if (typeof datagram === 'number') continue;
      for (const message of readMessages(datagram)) {
        if (nftType(message) === NFT_MSG.NEWSETELEM) yield* readKeyTexts(message);
      }
    }
  }

  /** @returns 0 or the first errno; nothing was changed then. */
  private transact(
    where: { table: string; families: readonly Family[] },
    sets: readonly (readonly [string, readonly TimedElement[]])[],
  ): number {
    const w = this.writer;
    w.reset();
    writeBatchBegin(w, this.nextSeq());
    for (const family of where.families) {
      for (const [set, elements] of sets) {
        const at = { family, table: where.table, set };
        writeFlushSet(w, this.nextSeq(), at);
        for (let i = 0; i < elements.length;) {
          const nest = beginElements(w, this.nextSeq(), at);
          while (i < elements.length && !w.isNestFull(nest)) {
            const { element, timeoutMs } = elements[i++]!;
            writeElement(w, elementKeyBytes(element), timeoutMs);
          }
          endElements(w, nest);
        }
      }
    }
    const end = this.nextSeq();
    writeBatchEnd(w, end);
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
