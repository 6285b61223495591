import {
  attributeText,
  attributeU64,
  MessageWriter,
  messageErrno,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  readAttributes,
  readMessages,
  type NetlinkMessage,
} from '../../util/netlink/message.js';
import { NETLINK_NETFILTER, openNetlinkSocket } from '../../util/netlink/socket.js';
import { TABLE } from './render.js';

/** Numbers of nf_tables (include/uapi/linux/netfilter/nf_tables.h). */
const SUBSYSTEM = 10 << 8;
const NEW_OBJECT = SUBSYSTEM | 18;
const GET_OBJECT = SUBSYSTEM | 19;
const ATTR = { TABLE: 1, NAME: 2, DATA: 4, BYTES: 1, PACKETS: 2 } as const;
const INET = 1;
const HEADER_BYTES = 4;

/** What the kernel did without asking us, since the rules were loaded. */
export interface KernelCounters {
  exempt: { packets: number; bytes: number };
  cut: { packets: number; bytes: number };
  bypassed: { packets: number; bytes: number };
  chosen: { packets: number; bytes: number };
  /** Chosen traffic that passed because nobody showed life. */
  unwatched: { packets: number; bytes: number };
}

/**
 * Reads the named counters of our table over netlink. The process that judges packets must not start a program for it every
 * second: while it forks, packets wait for tens of milliseconds.
 */
export interface CounterReader {
  /** @returns undefined when the table is not there. */
  read(): KernelCounters | undefined;
  close(): void;
}

export function openCounterReader(netns?: string): CounterReader {
  const socket = openNetlinkSocket(NETLINK_NETFILTER, netns === undefined ? {} : { netns });
  const w = new MessageWriter();
  let seq = 1;
  return {
    read() {
      w.reset();
      w.begin({ type: GET_OBJECT, flags: NLM_F_REQUEST | NLM_F_DUMP, seq: seq++, family: INET });
      w.string(ATTR.TABLE, TABLE);
      w.end();
      if (socket.send(w.bytes()) !== 0) return undefined;
      const none = { packets: 0, bytes: 0 };
      const out: KernelCounters = { exempt: none, cut: none, bypassed: none, chosen: none, unwatched: none };
      let found = 0;
      let isWhole = true;
      for (let datagram = socket.receive(); datagram !== undefined; datagram = socket.receive()) {
        if (typeof datagram === 'number') isWhole = false;
        else
          for (const message of readMessages(datagram)) {
            if (message.type === NEW_OBJECT) found += readCounter(message, out);
            else if (message.type === NLMSG_ERROR && messageErrno(message) !== 0) isWhole = false;
          }
      }
      return isWhole && found > 0 ? out : undefined;
    },
    close: () => socket.close(),
  };
}

/** @returns how many counters of ours the message has: none or one. */
function readCounter(message: NetlinkMessage, into: KernelCounters): number {
  const attributes = readAttributes(message.payload, HEADER_BYTES);
  const name = attributeText(attributes.get(ATTR.NAME));
  const data = attributes.get(ATTR.DATA);
  if (attributeText(attributes.get(ATTR.TABLE)) !== TABLE || data === undefined || !(name in into)) return 0;
  const values = readAttributes(data);
  into[name as keyof KernelCounters] = {
    packets: attributeU64(values.get(ATTR.PACKETS)),
    bytes: attributeU64(values.get(ATTR.BYTES)),
  };
  return 1;
}
