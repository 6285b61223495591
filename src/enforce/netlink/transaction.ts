import type { KernelOp } from '../backend/backend.js';
import { MessageWriter, messageErrno, NLMSG_ERROR, readMessages } from '../../util/netlink/message.js';
import {
  beginElements,
  endElements,
  writeBatchBegin,
  writeBatchEnd,
  writeElement,
  type ElementCommand,
  type Family,
} from './nftables.js';
import type { NetlinkSocket } from '../../util/netlink/socket.js';

const ELEMENTS_PER_MESSAGE = 500;
/** Up to this many operations each gets a message of its own, so that an error names its operation. */
const SINGLES_UP_TO = 64;

export interface Capabilities {
  /** Adding an element again changes its timeout. */
  updateTimeout: boolean;
  /** DESTROYSETELEM is known. */
  destroy: boolean;
}

/** Errors of a batch by operation index; `other` is an error of the batch as a whole. */
export interface BatchOutcome {
  errors: Map<readonly number[], number>;
  other: number;
}

/** Sends operations as one nf_tables transaction and reads the kernel's answer, which is there when send returns. */
export class BatchSender {
  private readonly socket: NetlinkSocket;
  private readonly writer = new MessageWriter();
  private seq = 1;

  constructor(socket: NetlinkSocket) {
    this.socket = socket;
  }

  nextSeq(): number {
    this.seq = (this.seq % 0x7fffffff) + 1;
    return this.seq;
  }

  /**
   * @param indexes which of `ops` to send.
   * @param where table and its families.
   */
  send(
    ops: readonly KernelOp[],
    indexes: readonly number[],
    where: { table: string; families: readonly Family[]; can: Capabilities },
  ): BatchOutcome {
    const groups = groupOps(ops, indexes);
    const bySeq = new Map<number, readonly number[]>();
    const w = this.writer;
    w.reset();
    const beginSeq = this.nextSeq();
    writeBatchBegin(w, beginSeq);
    let lastSeq = 0;
    for (const family of where.families) {
      for (const group of groups) {
        const first = ops[group[0]!]!;
        const isLast = group === groups.at(-1) && family === where.families.at(-1);
        const commands = commandsOf(first.kind, where.can);
        for (const command of commands) {
          lastSeq = this.nextSeq();
          bySeq.set(lastSeq, group);
          const wantAck = isLast && command === commands.at(-1);
          const nest = beginElements(w, lastSeq, {
            family,
            table: where.table,
            set: first.element.set,
            command,
            wantAck,
          });
          for (const i of group) writeElement(w, ops[i]!.element, command === 'add' ? ops[i]!.timeoutMs : 0);
          endElements(w, nest);
        }
      }
    }
    writeBatchEnd(w, this.nextSeq());
    const errno = this.socket.send(w.bytes());
    if (errno !== 0) return { errors: new Map(), other: errno };
    return this.readAnswer(bySeq, lastSeq);
  }

  private readAnswer(bySeq: ReadonlyMap<number, readonly number[]>, lastSeq: number): BatchOutcome {
    const outcome: BatchOutcome = { errors: new Map(), other: 0 };
    let acknowledged = false;
    for (;;) {
      const datagram = this.socket.receive();
      if (datagram === undefined) break;
      if (typeof datagram === 'number') {
        outcome.other = datagram;
        continue;
      }
      for (const message of readMessages(datagram)) {
        if (message.type !== NLMSG_ERROR) continue;
        const errno = messageErrno(message);
        const group = bySeq.get(message.seq);
        if (message.seq === lastSeq) acknowledged = true;
        if (errno === 0) continue;
        if (group) outcome.errors.set(group, errno);
        else outcome.other = errno;
      }
    }
    if (!acknowledged && outcome.errors.size === 0 && outcome.other === 0) outcome.other = NO_ACKNOWLEDGEMENT;
    return outcome;
  }
}

/** ENODATA stands for an answer that did not come. */
const NO_ACKNOWLEDGEMENT = 61;

/** Consecutive operations of one kind on one set share a message. */
function groupOps(ops: readonly KernelOp[], indexes: readonly number[]): number[][] {
  const most = indexes.length <= SINGLES_UP_TO ? 1 : ELEMENTS_PER_MESSAGE;
  const groups: number[][] = [];
  let current: number[] = [];
  for (const index of indexes) {
    const op = ops[index]!;
    const previous = current.length > 0 ? ops[current[0]!]! : undefined;
    if (!previous || previous.kind !== op.kind || previous.element.set !== op.element.set || current.length >= most) {
      current = [];
      groups.push(current);
    }
    current.push(index);
  }
  return groups;
}

/** An update without the kernel's help is a removal and an addition in the same transaction. */
function commandsOf(kind: KernelOp['kind'], can: Capabilities): readonly ElementCommand[] {
  if (kind === 'add' || (kind === 'update' && can.updateTimeout)) return ['add'];
  const removal = can.destroy ? 'destroy' : 'delete';
  return kind === 'delete' ? [removal] : [removal, 'add'];
}
