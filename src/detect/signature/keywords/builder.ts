import { findBuffer, numberOfKey, onlyTowards, type BufferDefinition } from '../buffers.js';
import type { BufferInspection, ContentMatch, Match, NumberRange, PcreMatch, Rule } from '../rule.js';
import type { Transform } from '../match/transform.js';
import type { CountryDatabase } from '../hosts/mmdb.js';
import type { Reputation } from '../hosts/reputation.js';
import type { Variables } from '../parse/bytes.js';
import type { Datasets } from '../state/dataset.js';

/** What keywords need from outside of their rule. */
export interface KeywordContext {
  datasets: Datasets;
  /** Lines of a file named in a rule, relative to the rule file. */
  readLines(path: string): string[];
  /** Reputation lists for `iprep`, when the operator gives some. */
  reputation?: Reputation | undefined;
  /** Country database for `geoip`, when the operator gives one. */
  countries?: CountryDatabase | undefined;
}

/** One `ip_proto`. */
export interface IpProtoTest {
  sign: '=' | '!=' | '<' | '>';
  number: number;
}

/** Raised by a keyword that Portcullis does not have. */
export class UnknownKeyword extends Error {}

/** Collects a rule while its options are read in order. */
export class RuleBuilder implements Variables {
  readonly rule: Rule;
  readonly context: KeywordContext;
  /** The header names an application protocol. */
  readonly isAboutProtocol: boolean;
  /** The sticky buffer in effect; undefined: packet payload or stream. */
  sticky: BufferInspection | undefined;
  /** Contents go here after `base64_data`. */
  inner: Match[] | undefined;
  lastContent: ContentMatch | undefined;
  /** What `ip_proto` has asked for. */
  readonly ipProtos: IpProtoTest[] = [];
  /** One of the contents has `fast_pattern`. */
  hasFastPattern = false;
  #lastList: Match[] | undefined;
  readonly #variables = new Map<string, number>();
  /** A header keyword needs the packet itself. */
  needsPacket = false;
  needsStream = false;
  /** What `dsize` wants. */
  payloadSize: NumberRange | undefined;
  /** Of a rule about both directions: buffers named from here on are of this one. */
  only: 'to_server' | 'to_client' | undefined;

  constructor(rule: Rule, context: KeywordContext) {
    this.rule = rule;
    this.isAboutProtocol = rule.appProtos !== undefined;
    this.context = context;
  }

  /** The list that matches are added to. */
  get list(): Match[] {
    return this.inner ?? this.sticky?.matches ?? this.rule.payload;
  }

  /** What stands right before, in the same place. */
  get lastMatch(): Match | undefined {
    const list = this.sticky || this.inner ? this.list : (this.#lastList ?? this.list);
    return list.at(-1);
  }

  /** Behind a content that was moved to a buffer, what counts from its end belongs there, too. */
  add(match: Match): void {
    const follows = !this.sticky && !this.inner && this.#lastList && match.kind !== 'content' && isRelative(match);
    this.addTo(follows ? this.#lastList! : this.list, match);
  }

  addTo(list: Match[], match: Match): void {
    list.push(match);
    if (match.kind === 'content') this.lastContent = match;
    this.#lastList = list;
    if (isRelative(match)) this.chain(list, match);
  }

  /** Tells the match before a relative one that it is followed. */
  chain(list: readonly Match[], match: Match): void {
    const at = list.indexOf(match);
    for (let i = at - 1; i >= 0; i--) {
      const before = list[i]!;
      if ('relativeNext' in before) {
        before.relativeNext = true;
        return;
      }
    }
  }

  /** Naming a buffer again continues it; buffers with several values begin a new instance. */
  setSticky(named: BufferDefinition): void {
    this.#leaveDecoded();
    if (this.sticky?.matches.length === 0 && this.sticky.buffer === named)
      throw new Error('is given twice, and nothing is looked for between');
    const buffer = this.only === undefined ? named : onlyTowards(named, this.only);
    const open = this.rule.buffers.find((b) => b.buffer === buffer && b.transforms.length === 0);
    this.sticky = open && !(buffer.multi && open.matches.length > 0) ? open : this.#make(buffer);
  }

  /** The untransformed buffer, made when needed, without making it sticky. */
  bufferOf(name: string): BufferInspection {
    const buffer = findBuffer(name);
    if (!buffer) throw new Error(`there is no buffer ${name}`);
    if (this.sticky?.matches.length === 0 && this.sticky.buffer !== buffer)
      throw new Error(`nothing is looked for in ${this.sticky.buffer.name} before it`);
    return this.rule.buffers.find((b) => b.buffer === buffer && b.transforms.length === 0) ?? this.#make(buffer);
  }

  /** @throws {Error} behind `base64_data`, which only `pkt_data` ends. */
  #leaveDecoded(): void {
    if (this.inner !== undefined) throw new Error('cannot be used behind base64_data; pkt_data ends that');
  }

  #make(buffer: BufferDefinition): BufferInspection {
    const key = buffer.only === undefined ? buffer.name : `${buffer.name} ${buffer.only}`;
    const made: BufferInspection = { buffer, transforms: [], key, keyNumber: numberOfKey(key), matches: [] };
    this.rule.buffers.push(made);
    return made;
  }

  /** Contents before it look at the buffer as it is, those behind it at what it becomes. */
  addTransform(transform: Transform): void {
    const sticky = this.sticky;
    if (!sticky) throw new Error('needs a buffer keyword before it');
    const target = sticky.matches.length === 0 ? sticky : this.#make(sticky.buffer);
    target.transforms.push(transform);
    target.key += `|${transform.key}`;
    target.keyNumber = numberOfKey(target.key);
    this.sticky = target;
  }

  /** `http_uri;` and the like: the last content moves to a buffer. */
  moveLast(name: string): void {
    this.#leaveDecoded();
    const content = this.lastContent;
    const from = this.#lastList;
    if (!content || !from || !from.includes(content)) throw new Error('needs a content before it');
    if (this.sticky) throw new Error('cannot be used behind a buffer keyword');
    if (from !== this.rule.payload) throw new Error('is for a content that is in no buffer yet');
    this.useHttp1();
    if (content.isRaw === true) throw new Error('cannot be used behind rawbytes');
    from.splice(from.indexOf(content), 1);
    const target = this.bufferOf(name);
    target.matches.push(content);
    this.#lastList = target.matches;
    if (isRelative(content)) this.chain(target.matches, content);
  }

  content(): ContentMatch {
    if (!this.lastContent) throw new Error('needs a content before it');
    return this.lastContent;
  }

  /** The content before the last one, of the same buffer. */
  contentBefore(): ContentMatch | undefined {
    const list = this.#lastList ?? [];
    const at = list.findLastIndex((m) => m.kind !== 'bsize') - 1;
    const before = list[at];
    return before?.kind === 'content' ? before : undefined;
  }

  /** A modifier made the last content relative. */
  relativeContent(): ContentMatch {
    const content = this.content();
    if (this.#lastList) this.chain(this.#lastList, content);
    return content;
  }

  addPcre(match: PcreMatch, bufferName: string | undefined): void {
    if (bufferName === undefined) {
      this.add(match);
      return;
    }
    this.useHttp1();
    if (this.sticky === undefined) this.addTo(this.bufferOf(bufferName).matches, match);
    else if (!isSameBody(this.sticky.buffer.name, bufferName) || this.sticky.transforms.length > 0)
      throw new Error(`is about ${bufferName}, and the buffer before about ${this.sticky.buffer.name}`);
    else this.add(match);
  }

  /** Older ways to name a field of HTTP do not know HTTP/2. @throws {Error} when the rule is about another protocol. */
  useHttp1(): void {
    this.#leaveDecoded();
    const { proto, appProtos } = this.rule;
    if (proto === 'http2' || appProtos?.includes('http') === false)
      throw new Error(`is about HTTP before HTTP/2, and the rule about ${proto}`);
    this.rule.appProtos = ['http'];
  }

  find(name: string): number {
    const index = this.#variables.get(name);
    if (index === undefined) throw new Error(`"${name}" is neither a number nor a variable defined before`);
    return index;
  }

  define(name: string): number {
    const index = this.#variables.get(name) ?? this.#variables.size;
    this.#variables.set(name, index);
    this.rule.variables = this.#variables.size;
    return index;
  }
}

/** The body of an answer is a file, too. */
const isSameBody = (sticky: string, named: string): boolean =>
  sticky === named || (sticky === 'http.response_body' && named === 'file.data');

export function isRelative(match: Match): boolean {
  switch (match.kind) {
    case 'content':
      return match.distance !== undefined || match.within !== undefined;
    case 'pcre':
    case 'isdataat':
    case 'base64_decode':
      return match.relative;
    case 'byte_test':
    case 'byte_jump':
    case 'byte_extract':
    case 'byte_math':
      return match.read.relative;
    default:
      return false;
  }
}
