import {
  messageErrno,
  MessageWriter,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  readMessages,
} from '../../util/netlink/message.js';
import { NETLINK_NETFILTER, openNetlinkSocket } from '../../util/netlink/socket.js';
import { TABLE } from './render.js';

/** Numbers of nf_tables (include/uapi/linux/netfilter/nf_tables.h). */
const SUBSYSTEM = 10 << 8;
const BATCH_BEGIN = 0x10;
const BATCH_END = 0x11;
const NEW_ELEMENT = SUBSYSTEM | 12;
const DELETE_ELEMENT = SUBSYSTEM | 14;
const ATTR = { TABLE: 1, SET: 2, ELEMENTS: 3, ELEMENT: 1, KEY: 1, TIMEOUT: 4, VALUE: 1 } as const;
const INET = 1;
const NFPROTO = [2, 10];

/**
 * The dead man's switch: elements of the set `alive`, without which the rules queue nothing, end by themselves in the
 * kernel. A daemon that hangs, is stopped or starved cannot renew them, and traffic flows on without it.
 */
export interface Alive {
  /** @param ms until they end; 0 ends them now. @returns 0 or an errno. */
  renew(ms: number): number;
  close(): void;
}

export function openAlive(netns?: string): Alive {
  const socket = openNetlinkSocket(NETLINK_NETFILTER, netns === undefined ? {} : { netns });
  const w = new MessageWriter();
  let seq = 1;

  function elements(type: number, ms: number): void {
    const flags = NLM_F_REQUEST | NLM_F_ACK | (type === NEW_ELEMENT ? NLM_F_CREATE : 0);
    w.begin({ type, flags, seq: seq++, family: INET });
    w.string(ATTR.TABLE, TABLE);
    w.string(ATTR.SET, 'alive');
    const list = w.nest(ATTR.ELEMENTS);
    for (const proto of NFPROTO) {
      const element = w.nest(ATTR.ELEMENT);
      const key = w.nest(ATTR.KEY);
      w.binary(ATTR.VALUE, Buffer.from([proto]));
      w.endNest(key);
      if (ms > 0) w.u64be(ATTR.TIMEOUT, ms);
      w.endNest(element);
    }
    w.endNest(list);
    w.end();
  }

  /** One transaction: there is no moment without the elements. */
  function transact(isThere: boolean, ms: number): number {
    w.reset();
    w.begin({ type: BATCH_BEGIN, flags: NLM_F_REQUEST, seq: seq++, family: 0, resourceId: 10 });
    w.end();
    if (isThere) elements(DELETE_ELEMENT, 0);
    if (ms > 0) elements(NEW_ELEMENT, ms);
    w.begin({ type: BATCH_END, flags: NLM_F_REQUEST, seq: seq++, family: 0, resourceId: 10 });
    w.end();
    const errno = socket.send(w.bytes());
    if (errno !== 0) return errno;
    let first = 0;
    for (let datagram = socket.receive(); datagram !== undefined; datagram = socket.receive()) {
      if (typeof datagram === 'number') continue;
      for (const message of readMessages(datagram)) if (message.type === NLMSG_ERROR) first ||= messageErrno(message);
    }
    return first;
  }

  return {
    // Elements that have ended by themselves cannot be deleted: then they are only added.
    renew: (ms) => (transact(true, ms) === 0 ? 0 : ms > 0 ? transact(false, ms) : 0),
    close: () => socket.close(),
  };
}
