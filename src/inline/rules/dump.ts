import {
  messageErrno,
  MessageWriter,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  readMessages,
  type NetlinkMessage,
} from '../../util/netlink/message.js';
import { NETLINK_NETFILTER, openNetlinkSocket } from '../../util/netlink/socket.js';

/** The ruleset changed between two parts of the answer (linux/netlink.h). */
const NLM_F_DUMP_INTR = 0x10;

/** What of nf_tables is asked for: its message type, family and attributes that narrow it (linux/netfilter/nf_tables.h). */
export interface DumpRequest {
  type: number;
  family: number;
  where: readonly (readonly [attribute: number, text: string])[];
}

/**
 * Reads nf_tables over netlink. The process that judges packets must not start a program for it every second: while it
 * forks, packets wait for tens of milliseconds.
 */
export interface Dumper {
  /** @returns false when the kernel refused or not all of its answer came. */
  each(request: DumpRequest, found: (message: NetlinkMessage) => void): boolean;
  close(): void;
}

export function openDumper(netns?: string): Dumper {
  const socket = openNetlinkSocket(NETLINK_NETFILTER, netns === undefined ? {} : { netns });
  const w = new MessageWriter();
  let seq = 1;
  return {
    each({ type, family, where }, found) {
      w.reset();
      w.begin({ type, flags: NLM_F_REQUEST | NLM_F_DUMP, seq: seq++, family });
      for (const [attribute, text] of where) w.string(attribute, text);
      w.end();
      if (socket.send(w.bytes()) !== 0) return false;
      let isWhole = true;
      for (let datagram = socket.receive(); datagram !== undefined; datagram = socket.receive()) {
        if (typeof datagram === 'number') isWhole = false;
        else
          for (const message of readMessages(datagram)) {
            if ((message.flags & NLM_F_DUMP_INTR) !== 0) isWhole = false;
            if (message.type !== NLMSG_ERROR) found(message);
            else if (messageErrno(message) !== 0) isWhole = false;
          }
      }
      return isWhole;
    },
    close: () => socket.close(),
  };
}
