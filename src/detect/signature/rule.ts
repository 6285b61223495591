import type { AttackReference } from '../../domain/detection.js';
import type { Direction } from '../../domain/flow.js';
import type { DecodedPacket } from '../../domain/packet.js';
import type { BufferDefinition } from './buffers.js';
import type { AddressRanges } from './parse/address.js';
import type { Among } from './parse/among.js';
import type { PortSet } from './parse/port.js';
import type { RuleDirection } from './parse/rule.js';
import type { Scene } from './scene.js';
import type { Dataset } from './state/dataset.js';
import type { BoundedPattern } from './match/guard.js';
import type { Transform } from './match/transform.js';

/** A number in a rule, or the value of a `byte_extract`/`byte_math` variable when `variable` is 0 or more. */
export interface Operand {
  value: number;
  variable: number;
}

/** What all relative keywords share: `relativeNext` is set when a later keyword counts from this one's end. */
interface Chained {
  relativeNext: boolean;
}

export interface ContentMatch extends Chained {
  kind: 'content';
  /** Folded to lower case when `nocase`. */
  bytes: Uint8Array;
  nocase: boolean;
  negated: boolean;
  offset: Operand | undefined;
  depth: Operand | undefined;
  distance: Operand | undefined;
  within: Operand | undefined;
  startswith: boolean;
  endswith: boolean;
  fastPattern: boolean;
  /** Used for the prefilter only, in the rule's own words: nothing can count from it. */
  isFastPatternOnly: boolean;
  /** `rawbytes`: of the packet, never of a buffer. */
  isRaw?: boolean;
  /** Part of the bytes to use for the prefilter: `fast_pattern:offset,length`. */
  chop: { from: number; length: number } | undefined;
  /** Horspool skips by byte, made at first use. */
  skip: Uint8Array | undefined;
}

/** A group of a pattern whose text is remembered under a name when the rule has matched. */
export interface Capture {
  scope: 'flow' | 'packet';
  name: string;
  /** Number of the group in `PcreMatch.pattern`. */
  group: number;
}

/** `flowvar`, `pktvar`: what was remembered contains these bytes. */
export interface CaptureTest {
  scope: Capture['scope'];
  name: string;
  bytes: Uint8Array;
}

export interface PcreMatch extends Chained {
  kind: 'pcre';
  pattern: BoundedPattern;
  negated: boolean;
  relative: boolean;
  captures: readonly Capture[];
  source: string;
}

export interface IsDataAtMatch {
  kind: 'isdataat';
  at: Operand;
  relative: boolean;
  negated: boolean;
}

export type NumberBase = 0 | 8 | 10 | 16;

/** How a number is read from the buffer. */
export interface NumberRead {
  bytes: Operand;
  offset: Operand;
  relative: boolean;
  little: boolean;
  /** Endianness follows the DCE/RPC header. */
  dce: boolean;
  /** 0: binary; else text in this base (16 and 8 with their prefixes allowed). */
  base: NumberBase;
  text: boolean;
  bitmask: number | undefined;
}

export type Comparison = '=' | '!=' | '<' | '>' | '<=' | '>=' | '&' | '^';

export interface ByteTestMatch {
  kind: 'byte_test';
  read: NumberRead;
  negated: boolean;
  operator: Comparison;
  value: Operand;
}

export interface ByteJumpMatch extends Chained {
  kind: 'byte_jump';
  read: NumberRead;
  multiplier: number;
  align: boolean;
  fromBeginning: boolean;
  fromEnd: boolean;
  postOffset: Operand;
}

export interface ByteExtractMatch extends Chained {
  kind: 'byte_extract';
  read: NumberRead;
  multiplier: number;
  align: number;
  variable: number;
}

export interface ByteMathMatch extends Chained {
  kind: 'byte_math';
  read: NumberRead;
  operator: '+' | '-' | '*' | '/' | '<<' | '>>';
  rvalue: Operand;
  /** Of the result, as in Suricata; its lowest bit becomes bit 0. */
  bitmask: number | undefined;
  variable: number;
}

export interface SizeMatch {
  kind: 'bsize';
  range: NumberRange;
}

export interface Base64DecodeMatch extends Chained {
  kind: 'base64_decode';
  bytes: number;
  offset: number;
  relative: boolean;
  /** Matches behind `base64_data`. */
  inner: Match[];
}

export interface DatasetMatch {
  kind: 'dataset';
  dataset: Dataset;
  command: 'isset' | 'isnotset' | 'set' | 'unset';
}

/** Reputation of the buffer in a dataset. */
export interface DatarepMatch {
  kind: 'datarep';
  dataset: Dataset;
  range: NumberRange;
}

/** Size of a whole file, bytes. */
export interface FileSizeMatch {
  kind: 'file_size';
  range: NumberRange;
}

/** Hash of a whole file, in lower-case hex. */
export interface FileHashMatch {
  kind: 'file_hash';
  algorithm: 'md5' | 'sha1' | 'sha256';
  hashes: ReadonlySet<string>;
  negated: boolean;
}

/** Oddities of BER that begin at an offset of the buffer, or relative to the match before. */
export interface Asn1Match {
  kind: 'asn1';
  /** An element is longer than so many bytes. */
  oversizeLength: number | undefined;
  bitstringOverflow: boolean;
  doubleOverflow: boolean;
  offset: number;
  relative: boolean;
}

/** How mixed the bytes are: Shannon's entropy, 0 to 8 bits a byte. */
export interface EntropyMatch {
  kind: 'entropy';
  offset: number;
  /** 0: to the end. */
  bytes: number;
  isIn(entropy: number): boolean;
}

/** The buffer is not there, or a transform of it has failed. */
export interface AbsentMatch {
  kind: 'absent';
  /** When it is there: nothing helps, the other matches may, or: it has to be there, with a transform that failed. */
  alternative: 'none' | 'matches' | 'failed';
}

export type Match =
  | ContentMatch
  | PcreMatch
  | IsDataAtMatch
  | ByteTestMatch
  | ByteJumpMatch
  | ByteExtractMatch
  | ByteMathMatch
  | SizeMatch
  | Base64DecodeMatch
  | DatasetMatch
  | DatarepMatch
  | FileSizeMatch
  | FileHashMatch
  | Asn1Match
  | AbsentMatch
  | EntropyMatch;

/** `5`, `<5`, `>5`, `3<>9` (exclusive), `!5`. */
export interface NumberRange {
  /** `&`: one of the bits of `a` is set; `&=` and `&!=`: the bits of `a`, of 32 at most, are `b` or are not. */
  operator: '=' | '!=' | '<' | '>' | '<=' | '>=' | '<>' | '!<>' | '&' | '&=' | '&!=';
  a: number;
  b: number;
}

/** Everything that is looked for in one buffer. */
export interface BufferInspection {
  buffer: BufferDefinition;
  transforms: Transform[];
  /** Buffer and transforms: equal keys share one prefilter. */
  key: string;
  /** Number of the key, see `numberOfKey`. */
  keyNumber: number;
  matches: Match[];
}

/** Looks only at the packet's header. */
export type PacketTest = (packet: DecodedPacket, direction: Direction) => boolean;

/** Looks at the flow as far as it was seen, the packet at hand with it; asked only of packets that have one. */
export type FlowTest = (scene: Scene) => boolean;

/** Looks at numbers and events of a transaction; `age` compares the seconds since a time. */
export interface TransactionTest {
  kind: 'number' | 'event' | 'age';
  name: string;
  range: NumberRange | undefined;
  /** Further ranges of which one is enough. */
  orRanges?: readonly NumberRange[];
  /** The field has several numbers: which of them are meant. */
  among?: Among;
  direction: Direction | undefined;
}

export type BitAction = 'set' | 'unset' | 'toggle' | 'isset' | 'isnotset';

/** A flag or counter remembered for the flow, a host or a pair of hosts. */
export interface StateTest {
  scope: 'flow' | 'src' | 'dst' | 'both' | 'pair';
  action: BitAction;
  /** Any of them for `isset`, none of them for `isnotset`. */
  names: string[];
  expireSecs: number;
}

export interface FlowIntTest {
  name: string;
  operator: '+' | '-' | '=' | '==' | '!=' | '<' | '>' | '<=' | '>=' | 'isset' | 'notset' | 'isnotset';
  value: number | string;
}

/** What is to be recorded after an alert. */
export interface TagSpec {
  kind: 'session' | 'host';
  count: number;
  metric: 'packets' | 'bytes' | 'seconds';
  /** Of a host: which end. */
  side: 'src' | 'dst';
}

export type TrackBy = 'by_src' | 'by_dst' | 'by_rule' | 'by_both' | 'by_flow';

export interface ThresholdSpec {
  type: 'limit' | 'threshold' | 'both' | 'detection_filter' | 'backoff' | 'rate_filter';
  track: TrackBy;
  count: number;
  seconds: number;
  multiplier: number;
}

/** Another action for a while, once a rule fires often. */
export interface RateFilter extends ThresholdSpec {
  newAction: string;
  timeoutSecs: number;
}

/** No alert when the address is one of these. */
export interface Suppression {
  track: 'always' | 'by_src' | 'by_dst' | 'by_either';
  addresses: AddressRanges;
}

export interface FlowCondition {
  established: boolean;
  notEstablished: boolean;
  stateless: boolean;
  onlyStream: boolean;
  noStream: boolean;
  onlyFragment: boolean;
  noFragment: boolean;
}

/** `app-layer-protocol`: one of the protocols is, or none of them is, spoken there. */
export interface AppProtocolTest {
  names: readonly string[];
  negated: boolean;
  /** `direction`: by the packet's sender; `final` and `original`: by the flow, now and at first. */
  where: 'direction' | 'to_server' | 'to_client' | 'either' | 'final' | 'original';
  /** HTTP/1 is not HTTP/2. */
  exact: boolean;
}

export type RuleKind = 'packet' | 'payload' | 'transaction' | 'protocol' | 'frame';

export interface Rule {
  /** Order in which rules are evaluated and alerts are kept. */
  index: number;
  action: string;
  /** Protocol as written. */
  proto: string;
  /** IP protocol numbers; undefined: any. */
  ipProtos: number[] | undefined;
  appProtos: string[] | undefined;
  signatureId: number;
  gid: number;
  rev: number;
  message: string;
  classtype: string;
  category: string;
  priority: number;
  metadata: Record<string, string[]>;
  references: string[];
  attack: AttackReference | undefined;
  direction: RuleDirection;
  src: AddressRanges;
  srcPorts: PortSet;
  dst: AddressRanges;
  dstPorts: PortSet;
  /** Bit 0: packets to the server, bit 1: packets to the client. */
  towards: number;
  flow: FlowCondition | undefined;
  kind: RuleKind;
  /** About protocol, addresses and ports only: looks at the first packet of each direction. */
  isAboutAddresses: boolean;
  packetTests: PacketTest[];
  /** Content in packet payload or stream. */
  payload: Match[];
  inPacket: boolean;
  inStream: boolean;
  buffers: BufferInspection[];
  transactionTests: TransactionTest[];
  appProtocol: AppProtocolTest[];
  streamSize: { side: string; range: NumberRange }[];
  /** About the flow as a whole: its age, packets, bytes. */
  flowTests: FlowTest[];
  streamEvents: string[];
  decodeEvents: string[];
  bits: StateTest[];
  flowInts: FlowIntTest[];
  captureTests: CaptureTest[];
  /** One of its patterns remembers what it captures. */
  hasCaptures: boolean;
  suppress: Suppression[];
  tags: TagSpec[];
  threshold: ThresholdSpec | undefined;
  detectionFilter: ThresholdSpec | undefined;
  rateFilter: RateFilter | undefined;
  noalert: boolean;
  /** Once it has matched, nothing more of the flow is looked at. */
  bypass: boolean;
  target: 'src' | 'dst' | undefined;
  variables: number;
  text: string;
  file: string;
  line: number;
}
