import type { PrefilterPattern } from '../match/prefilter.js';
import type { BufferInspection, ContentMatch, Match, Rule } from '../rule.js';

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

/** Contents that end within so many bytes of the beginning are looked for there only. */
export const SHALLOW_BYTES = 300;

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

export function toPattern(content: ContentMatch, id: number): PrefilterPattern {
  const { chop } = content;
  const bytes = chop ? content.bytes.subarray(chop.from, chop.from + chop.length) : content.bytes;
  return { bytes, nocase: content.nocase, id };
}

export interface ChosenPattern {
  inspection: BufferInspection;
  content: ContentMatch;
}

const isOfRequests = ({ buffer }: BufferInspection): boolean => buffer.towards === 1;

/**
 * The buffer and content that lead to a rule about transactions. A rule about a request and its answer is led to by the request:
 * when the answer comes, it is too late to look at it.
 */
export function choosePattern(rule: Rule): ChosenPattern | undefined {
  let best: (ChosenPattern & { score: number }) | undefined;
  const isLedByRequest = rule.direction === '=>' && rule.buffers.some(isOfRequests);
  for (const inspection of rule.buffers) {
    if (inspection.buffer.source !== 'transaction') continue;
    if (isLedByRequest && !isOfRequests(inspection)) continue;
    if (inspection.matches.some((m) => m.kind === 'absent')) continue;
    const content = fastPattern(inspection.matches);
    if (!content) continue;
    const score =
      content.bytes.length + (content.fastPattern ? 10_000 : 0) - (POOR_BUFFERS.has(inspection.buffer.name) ? 1000 : 0);
    if (!best || score > best.score) best = { inspection, content, score };
  }
  return best;
}

/** Where a content must have ended, counted from the beginning. */
export function lastByte(content: ContentMatch): number {
  const { offset, depth } = content;
  if (!depth || depth.variable >= 0 || (offset && offset.variable >= 0)) return Infinity;
  return (offset?.value ?? 0) + depth.value;
}
