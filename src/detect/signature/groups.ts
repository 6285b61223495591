import type { Direction } from '../../domain/flow.js';
import { createPrefilter, type Prefilter, type PrefilterPattern } from './match/prefilter.js';
import type { BufferInspection, ContentMatch, Match, Rule } from './rule.js';

/** Rules that may match one kind of bytes, and the prefilter that finds them. */
export interface PatternGroup {
  prefilter: Prefilter;
  /** Patterns that can only be near the beginning: at most `shallowBytes` from it. */
  shallow: Prefilter;
  shallowBytes: number;
  /** Rules without a pattern to look for: always candidates. */
  always: number[];
}

/** One buffer of transactions with the rules whose pattern is looked for there. */
export interface BufferGroup {
  inspection: BufferInspection;
  prefilter: Prefilter;
  /** Bytes from the beginning where its patterns can be. */
  limit: number;
}

/** Rules about transactions of one application protocol in one direction. */
export interface TransactionGroup {
  buffers: BufferGroup[];
  always: number[];
}

/** All rules, sorted by where they are looked at. */
export interface RuleGroups {
  /** Rules about headers only, by IP protocol number (256: any). */
  header: Map<number, number[]>;
  packet: Map<number, PatternGroup>;
  /** By direction. */
  stream: [PatternGroup, PatternGroup];
  /** By application protocol, then direction. */
  transaction: Map<string, [TransactionGroup, TransactionGroup]>;
  protocol: Map<string, number[]>;
}

/** Buffers in which almost every transaction has the same few values. */
const POOR_BUFFERS = new Set([
  'http.method',
  'http.stat_code',
  'http.stat_msg',
  'http.protocol',
  'http.connection',
  'http.header_names',
  'http.accept',
  'http.accept_enc',
  'http.accept_lang',
  'http.content_len',
]);

const usable = (m: Match): m is ContentMatch => m.kind === 'content' && !m.negated;

/** The bytes to search for: as `fast_pattern` says, else the longest content. */
export function fastPattern(matches: readonly Match[]): ContentMatch | undefined {
  const contents = matches.filter(usable);
  const chosen = contents.find((c) => c.fastPattern);
  if (chosen) return chosen;
  return contents.reduce<ContentMatch | undefined>(
    (best, c) => (best === undefined || c.bytes.length > best.bytes.length ? c : best),
    undefined,
  );
}

function toPattern(content: ContentMatch, id: number): PrefilterPattern {
  const { chop } = content;
  const bytes = chop ? content.bytes.subarray(chop.from, chop.from + chop.length) : content.bytes;
  return { bytes, nocase: content.nocase, id };
}

/** The buffer and content that lead to a rule about transactions. */
function choose(rule: Rule): { inspection: BufferInspection; content: ContentMatch } | undefined {
  let best: { inspection: BufferInspection; content: ContentMatch; score: number } | undefined;
  for (const inspection of rule.buffers) {
    if (inspection.buffer.source !== 'transaction') continue;
    if (inspection.matches.some((m) => m.kind === 'absent')) continue;
    const content = fastPattern(inspection.matches);
    if (!content) continue;
    const score =
      content.bytes.length + (content.fastPattern ? 10_000 : 0) - (POOR_BUFFERS.has(inspection.buffer.name) ? 1000 : 0);
    if (!best || score > best.score) best = { inspection, content, score };
  }
  return best;
}

const SHALLOW_BYTES = 300;

/** Where a content must have ended, counted from the beginning. */
function lastByte(content: ContentMatch): number {
  const { offset, depth } = content;
  if (!depth || depth.variable >= 0 || (offset && offset.variable >= 0)) return Infinity;
  return (offset?.value ?? 0) + depth.value;
}

class PatternCollector {
  readonly #patterns: PrefilterPattern[] = [];
  readonly #shallow: PrefilterPattern[] = [];
  #shallowBytes = 0;
  readonly #always: number[] = [];

  add(rule: Rule): void {
    const content = fastPattern(rule.payload);
    // One to three bytes occur everywhere: where ports or a protocol narrow the rule down, they do better.
    const bound = rule.srcPorts !== undefined || rule.dstPorts !== undefined || rule.appProtos !== undefined;
    const short = (content?.chop?.length ?? content?.bytes.length ?? 0) < 4;
    const end = content === undefined ? Infinity : lastByte(content);
    if (content && !(short && bound)) {
      (end <= SHALLOW_BYTES ? this.#shallow : this.#patterns).push(toPattern(content, rule.index));
      if (end <= SHALLOW_BYTES) this.#shallowBytes = Math.max(this.#shallowBytes, end);
    } else this.#always.push(rule.index);
  }

  build(): PatternGroup {
    return {
      prefilter: createPrefilter(this.#patterns),
      shallow: createPrefilter(this.#shallow),
      shallowBytes: this.#shallowBytes,
      always: this.#always,
    };
  }
}

class TransactionCollector {
  readonly #buffers = new Map<string, { inspection: BufferInspection; limit: number; patterns: PrefilterPattern[] }>();
  readonly #always: number[] = [];

  add(rule: Rule, direction: Direction): void {
    const chosen = choose(rule);
    if (!chosen) {
      this.#always.push(rule.index);
      return;
    }
    if ((chosen.inspection.buffer.towards & (1 << direction)) === 0) return;
    const { inspection, content } = chosen;
    const limit = inspection.buffer.grows && lastByte(content) <= SHALLOW_BYTES ? SHALLOW_BYTES : Infinity;
    const key = `${inspection.key}#${limit}`;
    const known = this.#buffers.get(key);
    if (known) known.patterns.push(toPattern(content, rule.index));
    else this.#buffers.set(key, { inspection, limit, patterns: [toPattern(content, rule.index)] });
  }

  build(): TransactionGroup {
    const buffers = [...this.#buffers.values()].map((b) => ({
      inspection: b.inspection,
      limit: b.limit,
      prefilter: createPrefilter(b.patterns),
    }));
    return { buffers, always: this.#always };
  }
}

/** Key of rules that apply to every IP protocol. */
export const ANY_PROTO = 256;
const PAYLOAD_PROTOS = [1, 6, 17, 58, 132, ANY_PROTO];

export function groupRules(rules: readonly Rule[]): RuleGroups {
  const header = new Map<number, number[]>();
  const packet = new Map(PAYLOAD_PROTOS.map((p) => [p, new PatternCollector()]));
  const stream = [new PatternCollector(), new PatternCollector()] as const;
  const transaction = new Map<string, [TransactionCollector, TransactionCollector]>();
  const protocol = new Map<string, number[]>();
  const push = <K>(map: Map<K, number[]>, key: K, index: number): void => {
    const list = map.get(key);
    if (list) list.push(index);
    else map.set(key, [index]);
  };
  for (const rule of rules) {
    if (rule.kind === 'packet') for (const p of rule.ipProtos ?? [ANY_PROTO]) push(header, p, rule.index);
    else if (rule.kind === 'protocol') for (const p of rule.appProtos ?? []) push(protocol, p, rule.index);
    else if (rule.kind === 'payload') {
      const protos = rule.ipProtos ?? PAYLOAD_PROTOS;
      for (const p of protos) if (rule.inPacket || p !== 6) packet.get(p)?.add(rule);
      if (rule.inStream) for (const d of [0, 1] as const) if ((rule.towards >> d) & 1) stream[d].add(rule);
    } else {
      for (const proto of rule.appProtos ?? []) {
        let pair = transaction.get(proto);
        if (!pair) transaction.set(proto, (pair = [new TransactionCollector(), new TransactionCollector()]));
        for (const d of [0, 1] as const) if ((rule.towards >> d) & 1) pair[d].add(rule, d);
      }
    }
  }
  return {
    header,
    packet: new Map([...packet].map(([p, c]) => [p, c.build()])),
    stream: [stream[0].build(), stream[1].build()],
    transaction: new Map([...transaction].map(([p, [a, b]]) => [p, [a.build(), b.build()]])),
    protocol,
  };
}
