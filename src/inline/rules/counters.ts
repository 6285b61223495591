import { attributeText, attributeU64, readAttributes, type NetlinkMessage } from '../../util/netlink/message.js';
import type { Dumper } from './dump.js';
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

/** Reads the named counters of our table. @returns undefined when the table is not there. */
export function readCounters(dumper: Dumper): KernelCounters | undefined {
  const none = { packets: 0, bytes: 0 };
  const out: KernelCounters = { exempt: none, cut: none, bypassed: none, chosen: none, unwatched: none };
  let found = 0;
  const isWhole = dumper.each({ type: GET_OBJECT, family: INET, where: [[ATTR.TABLE, TABLE]] }, (message) => {
    if (message.type === NEW_OBJECT) found += readCounter(message, out);
  });
  return isWhole && found > 0 ? out : undefined;
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
