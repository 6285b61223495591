import type { BufferDefinition } from '../buffers.js';
import { splitterOf, STREAM_FRAME } from '../frames/index.js';
import type { RuleOption } from '../parse/rule.js';
import type { Rule } from '../rule.js';
import type { RuleBuilder } from './builder.js';
import { HEADER_KEYWORDS } from './header.js';
import { ADDRESSES, validatePayloadSize } from './validate.js';

/** Keywords about headers that rules about streams and messages may have, too. */
const OF_FLOWS: ReadonlySet<string> = new Set(['icmp_seq', 'ip_proto']);
/** Keywords about single packets, beside those about headers. */
const OF_PACKETS: ReadonlySet<string> = new Set(
  [...Object.keys(HEADER_KEYWORDS), 'flow.age'].filter((name) => !OF_FLOWS.has(name)),
);

/** What makes a rule one about single packets. */
const packetPart = (rule: Rule, options: readonly RuleOption[]): string | undefined =>
  options.find((option) => OF_PACKETS.has(option.name))?.name ??
  rule.buffers.find(({ buffer }) => buffer.source === 'packet' && !ADDRESSES.has(buffer.name))?.buffer.name ??
  (rule.flow?.noStream === true ? 'flow:no_stream' : undefined) ??
  (rule.proto === 'tcp-pkt' ? rule.proto : undefined);

/** What makes a rule one about messages or frames. */
const messagePart = ({ buffers, transactionTests }: Rule): string | undefined =>
  buffers.find(({ buffer }) => buffer.source !== 'packet')?.buffer.name ?? transactionTests[0]?.name;

/** Keywords that a rule has once. */
const ONCE = ['msg', 'sid', 'rev', 'dsize', 'detection_filter'];

/** @throws {Error} when a keyword that a rule has once is given again. */
export function validateCounts(options: readonly RuleOption[]): void {
  for (const name of ONCE)
    if (options.filter((option) => option.name === name).length > 1) throw new Error(`${name} is given twice`);
}

/** Where the rule's parts are looked for goes together. @throws {Error} when it does not. */
export function validatePlace(builder: RuleBuilder, options: readonly RuleOption[]): void {
  const { rule } = builder;
  const message = messagePart(rule);
  if (builder.ipProtos.length > 0 && (message !== undefined || rule.flow?.onlyStream === true))
    throw new Error('ip_proto is for rules about no other protocol');
  if (builder.payloadSize !== undefined) validatePayloadSize(builder.payloadSize, rule.payload);
  const file = options.find(({ name }) => FILE_DATA.has(name));
  if (file !== undefined && rule.ipProtos?.includes(TCP) === false)
    throw new Error(`${file.name} is not a part of ${rule.proto}`);
  validateProtocol(rule);
  const part = packetPart(rule, options);
  if (part !== undefined) validatePacketPart(rule, part, message);
}

/** Streams and messages have no headers. */
function validatePacketPart(rule: Rule, part: string, message: string | undefined): void {
  if (rule.proto === 'tcp-stream' || rule.flow?.onlyStream === true)
    throw new Error(`${part} is about packets, and the rule about streams only`);
  if (message !== undefined) throw new Error(`${part} is about packets, and ${message} about messages`);
}

const FILE_DATA: ReadonlySet<string> = new Set(['file.data', 'file_data']);
/** Fields that HTTP/2 does not have. */
const NOT_HTTP2: ReadonlySet<string> = new Set(['file.name', 'http.start']);
const TCP = 6;
const UDP = 17;

/** IP protocols that carry a kind of frame. */
function transportsOf({ protos, frame }: BufferDefinition): number[] {
  const [proto = ''] = protos;
  const isInTcp = frame === STREAM_FRAME || splitterOf(proto, 'tcp') !== undefined;
  return [...(isInTcp ? [TCP] : []), ...(splitterOf(proto, 'udp') === undefined ? [] : [UDP])];
}

/** What the rule looks for is part of what its header names. */
function validateProtocol({ proto, ipProtos, appProtos, buffers, transactionTests }: Rule): void {
  const stranger = (name: string): Error => new Error(`${name} is not a part of ${proto}`);
  const isHttp2 = appProtos?.every((name) => name === 'http2') === true;
  const hasCalls = proto !== 'smb' && transactionTests.some((test) => test.name.startsWith('dcerpc.'));
  const hasPorts = ipProtos === undefined || ipProtos.some((number) => number === TCP || number === UDP);
  if (!hasPorts && transactionTests.some(({ kind }) => kind === 'event')) throw stranger('app-layer-event');
  for (const { buffer } of buffers) {
    const { name, source, protos } = buffer;
    if (isHttp2 && NOT_HTTP2.has(name)) throw stranger(name);
    if (source === 'transaction' && proto === 'dcerpc' && !protos.includes('dcerpc')) throw stranger(name);
    if (hasCalls && name.startsWith('file.')) throw new Error(`${name} is not a part of DCE/RPC`);
    if (source === 'frame' && !transportsOf(buffer).some((n) => ipProtos?.includes(n) ?? true)) throw stranger(name);
  }
}
