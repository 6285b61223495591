import {
  attributeText,
  attributeU64,
  eachAttribute,
  type MessageWriter,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_REQUEST,
  readAttributes,
  type NetlinkMessage,
} from '../../util/netlink/message.js';
import { elementKeyWords, writeElementKey, type SetElement } from '../element.js';

/**
 * Messages of nf_tables (include/uapi/linux/netfilter/nf_tables.h) as far as set elements, counters, chains and
 * change notifications go.
 */
const SUBSYSTEM = 10 << 8;
const BATCH_BEGIN = 0x10;
const BATCH_END = 0x11;
const NFNL_SUBSYS_NFTABLES = 10;

export const NFT_MSG = {
  NEWTABLE: 0,
  DELTABLE: 2,
  NEWCHAIN: 3,
  GETCHAIN: 4,
  DELCHAIN: 5,
  NEWRULE: 6,
  DELRULE: 8,
  NEWSET: 9,
  GETSET: 10,
  DELSET: 11,
  NEWSETELEM: 12,
  GETSETELEM: 13,
  DELSETELEM: 14,
  NEWGEN: 15,
  NEWOBJ: 18,
  GETOBJ: 19,
  DELOBJ: 20,
  /** Deletes if there: kernel 6.3 and later. */
  DESTROYSETELEM: 30,
} as const;

export const FAMILY = { inet: 1, bridge: 7 } as const;
export type Family = keyof typeof FAMILY;
export const NFNLGRP_NFTABLES = 7;

const ATTR = {
  TABLE: 1,
  LIST_SET: 2,
  LIST_ELEMENTS: 3,
  LIST_ELEM: 1,
  ELEM_KEY: 1,
  ELEM_TIMEOUT: 4,
  ELEM_EXPIRATION: 5,
  ELEM_EXPR: 7,
  ELEM_EXPRESSIONS: 11,
  DATA_VALUE: 1,
  EXPR_NAME: 1,
  EXPR_DATA: 2,
  COUNTER_BYTES: 1,
  COUNTER_PACKETS: 2,
  OBJ_NAME: 2,
  OBJ_DATA: 4,
  CHAIN_NAME: 3,
  CHAIN_HOOK: 4,
  CHAIN_USE: 6,
  /** Kernel 6.17 and later. */
  SET_COUNT: 20,
} as const;

const COMMAND = {
  add: { type: NFT_MSG.NEWSETELEM, flags: NLM_F_REQUEST | NLM_F_CREATE },
  delete: { type: NFT_MSG.DELSETELEM, flags: NLM_F_REQUEST },
  destroy: { type: NFT_MSG.DESTROYSETELEM, flags: NLM_F_REQUEST },
} as const;

export type ElementCommand = keyof typeof COMMAND;

export function writeBatchBegin(w: MessageWriter, seq: number): void {
  w.begin({ type: BATCH_BEGIN, flags: NLM_F_REQUEST, seq, family: 0, resourceId: NFNL_SUBSYS_NFTABLES });
  w.end();
}

export function writeBatchEnd(w: MessageWriter, seq: number): void {
  w.begin({ type: BATCH_END, flags: NLM_F_REQUEST, seq, family: 0, resourceId: NFNL_SUBSYS_NFTABLES });
  w.end();
}

/** Starts a message that adds or removes elements of a set; give the result to {@link endElements}. */
export function beginElements(
  w: MessageWriter,
  seq: number,
  at: { family: Family; table: string; set: string; command?: ElementCommand; wantAck?: boolean },
): number {
  const { type, flags } = COMMAND[at.command ?? 'add'];
  const ack = at.wantAck === true ? NLM_F_ACK : 0;
  w.begin({ type: SUBSYSTEM | type, flags: flags | ack, seq, family: FAMILY[at.family] });
  w.string(ATTR.TABLE, at.table);
  w.string(ATTR.LIST_SET, at.set);
  return w.nest(ATTR.LIST_ELEMENTS);
}

export function endElements(w: MessageWriter, list: number): void {
  w.endNest(list);
  w.end();
}

/** One element of the message begun by {@link beginElements}. @param timeoutMs 0: no timeout */
export function writeElement(w: MessageWriter, element: SetElement, timeoutMs: number): void {
  const elem = w.nest(ATTR.LIST_ELEM);
  writeKey(w, element);
  if (timeoutMs > 0) w.u64be(ATTR.ELEM_TIMEOUT, Math.ceil(timeoutMs));
  w.endNest(elem);
}

/** Removes every element of a set. */
export function writeFlushSet(w: MessageWriter, seq: number, at: { family: Family; table: string; set: string }): void {
  w.begin({ type: SUBSYSTEM | NFT_MSG.DELSETELEM, flags: NLM_F_REQUEST, seq, family: FAMILY[at.family] });
  w.string(ATTR.TABLE, at.table);
  w.string(ATTR.LIST_SET, at.set);
  w.end();
}

/** Asks for one element; the kernel looks it up without walking the set. */
export function writeGetElement(
  w: MessageWriter,
  seq: number,
  at: { family: Family; table: string; element: SetElement },
): void {
  w.begin({ type: SUBSYSTEM | NFT_MSG.GETSETELEM, flags: NLM_F_REQUEST, seq, family: FAMILY[at.family] });
  w.string(ATTR.TABLE, at.table);
  w.string(ATTR.LIST_SET, at.element.set);
  const list = w.nest(ATTR.LIST_ELEMENTS);
  const elem = w.nest(ATTR.LIST_ELEM);
  writeKey(w, at.element);
  w.endNest(elem);
  w.endNest(list);
  w.end();
}

function writeKey(w: MessageWriter, element: SetElement): void {
  const nest = w.nest(ATTR.ELEM_KEY);
  w.words(ATTR.DATA_VALUE, elementKeyWords(element));
  writeElementKey(element, w);
  w.endNest(nest);
}

/** Asks for all objects (named counters) or chains of a family. */
export function writeDump(
  w: MessageWriter,
  seq: number,
  what: 'GETOBJ' | 'GETCHAIN',
  family: Family,
  dumpFlag: number,
): void {
  w.begin({ type: SUBSYSTEM | NFT_MSG[what], flags: NLM_F_REQUEST | dumpFlag, seq, family: FAMILY[family] });
  w.end();
}

/** Asks for a set, without its elements. */
export function writeGetSet(w: MessageWriter, seq: number, at: { family: Family; table: string; set: string }): void {
  w.begin({ type: SUBSYSTEM | NFT_MSG.GETSET, flags: NLM_F_REQUEST, seq, family: FAMILY[at.family] });
  w.string(ATTR.TABLE, at.table);
  w.string(ATTR.LIST_SET, at.set);
  w.end();
}

/**
 * Number of elements of the set in a NEWSET message, with those whose time is over and that the kernel has not collected yet.
 * @returns undefined when the kernel does not say (before 6.17).
 */
export function readSetCount(message: NetlinkMessage): number | undefined {
  return readAttributes(message.payload, 4).get(ATTR.SET_COUNT)?.readUInt32BE(0);
}

/** nf_tables message type of a message, or -1 for other subsystems. */
export function nftType(message: NetlinkMessage): number {
  return (message.type & 0xff00) === SUBSYSTEM ? message.type & 0xff : -1;
}

export function messageFamily(message: NetlinkMessage): number {
  return message.payload[0] ?? 0;
}

export function messageTable(message: NetlinkMessage): string {
  return attributeText(readAttributes(message.payload, 4).get(ATTR.TABLE));
}

export interface ElementState {
  key: Buffer;
  timeoutMs: number;
  expiresMs: number;
  packets: number;
  bytes: number;
}

/** Set name and elements of a NEWSETELEM or DELSETELEM message. */
export function readElements(message: NetlinkMessage): { set: string; elements: ElementState[] } {
  const attrs = readAttributes(message.payload, 4);
  const elements: ElementState[] = [];
  const list = attrs.get(ATTR.LIST_ELEMENTS);
  if (list) for (const [, elem] of eachAttribute(list)) elements.push(readElement(elem));
  return { set: attributeText(attrs.get(ATTR.LIST_SET)), elements };
}

function readElement(data: Buffer): ElementState {
  const attrs = readAttributes(data);
  const keyNest = attrs.get(ATTR.ELEM_KEY);
  const key = (keyNest && readAttributes(keyNest).get(ATTR.DATA_VALUE)) ?? Buffer.alloc(0);
  const expressions: Buffer[] = [];
  const single = attrs.get(ATTR.ELEM_EXPR);
  if (single) expressions.push(single);
  const list = attrs.get(ATTR.ELEM_EXPRESSIONS);
  if (list) for (const [, expr] of eachAttribute(list)) expressions.push(expr);
  const counter = expressions.map(readCounterExpression).find((c) => c !== undefined);
  return {
    key: Buffer.from(key),
    timeoutMs: attributeU64(attrs.get(ATTR.ELEM_TIMEOUT)),
    expiresMs: attributeU64(attrs.get(ATTR.ELEM_EXPIRATION)),
    packets: counter?.packets ?? 0,
    bytes: counter?.bytes ?? 0,
  };
}

function readCounterExpression(expr: Buffer): { packets: number; bytes: number } | undefined {
  const attrs = readAttributes(expr);
  const data = attrs.get(ATTR.EXPR_DATA);
  return attributeText(attrs.get(ATTR.EXPR_NAME)) === 'counter' && data ? readCounter(data) : undefined;
}

function readCounter(data: Buffer): { packets: number; bytes: number } {
  const attrs = readAttributes(data);
  return {
    bytes: attributeU64(attrs.get(ATTR.COUNTER_BYTES)),
    packets: attributeU64(attrs.get(ATTR.COUNTER_PACKETS)),
  };
}

/** Name and values of a NEWOBJ message with a counter. */
export function readCounterObject(message: NetlinkMessage): { name: string; packets: number; bytes: number } {
  const attrs = readAttributes(message.payload, 4);
  const data = attrs.get(ATTR.OBJ_DATA);
  return { name: attributeText(attrs.get(ATTR.OBJ_NAME)), ...(data ? readCounter(data) : { packets: 0, bytes: 0 }) };
}

/** Name, number of rules and whether it is a base chain, of a NEWCHAIN message. */
export function readChain(message: NetlinkMessage): { name: string; rules: number; isBase: boolean } {
  const attrs = readAttributes(message.payload, 4);
  const use = attrs.get(ATTR.CHAIN_USE);
  return {
    name: attributeText(attrs.get(ATTR.CHAIN_NAME)),
    rules: use && use.length >= 4 ? use.readUInt32BE(0) : 0,
    isBase: attrs.has(ATTR.CHAIN_HOOK),
  };
}
