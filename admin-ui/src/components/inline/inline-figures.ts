import type { InlineDrop, InlineState, InlineStatus } from '@/api/types';
import { formatCount } from '@/format/number';
import { m } from '@/messages';

export interface Figure {
  key: string;
  name: string;
  text: string;
  tone: '' | 'tone-warn' | 'tone-danger' | 'tone-sim';
  /** What it is made of. */
  title?: string;
}

const EXCEPTION = 'exception_';
/** What is shown of the counters, and how it looks when it is not zero. The others are under details. */
const SHOWN: readonly [key: keyof (typeof m)['inline']['count'], tone: Figure['tone']][] = [
  ['judged', ''],
  ['dropped', 'tone-danger'],
  ['would_drop', 'tone-sim'],
  ['flows_cut', ''],
  ['conflicts', 'tone-warn'],
  ['invalid', ''],
  ['exceptions', 'tone-warn'],
  ['held', ''],
  ['held_too_long', 'tone-warn'],
  ['held_refused', 'tone-warn'],
  ['holes_cut', 'tone-warn'],
  ['unjudged', 'tone-warn'],
  ['queue_dropped', 'tone-danger'],
  ['kernel_unwatched_packets', 'tone-warn'],
  ['kernel_exempt_packets', ''],
];

/** The counters that people look for, in words; exceptions summed up, with their kinds on the hover. */
export function inlineFigures(counts: InlineState['counts']): Figure[] {
  const kinds = Object.entries(counts).filter(([name, value]) => name.startsWith(EXCEPTION) && value > 0);
  const all: Record<string, number> = { ...counts, exceptions: kinds.reduce((sum, [, value]) => sum + value, 0) };
  const title = kinds
    .map(([name, value]) => {
      const kind = name.slice(EXCEPTION.length);
      return `${m.inline.exceptionKinds[kind] ?? kind}: ${formatCount(value)}`;
    })
    .join(', ');
  return SHOWN.map(([key, tone]) => {
    const value = all[key] ?? 0;
    return {
      key,
      name: m.inline.count[key],
      text: formatCount(value),
      tone: value > 0 ? tone : '',
      ...(key === 'exceptions' && title ? { title } : {}),
    };
  });
}

export interface Warning {
  key: 'away' | 'overloaded' | 'capped';
  tone: 'tone-danger' | 'tone-warn';
  text: string;
}

/** What keeps chosen traffic from being judged as it was chosen, worst first. */
export function inlineWarnings(status: InlineStatus): Warning[] {
  if (!status.enabled) return [];
  const found: Warning[] = [];
  if (!status.connected) found.push({ key: 'away', tone: 'tone-danger', text: m.inline.awayText[status.fail] });
  else if (status.state?.state === 'overloaded')
    found.push({ key: 'overloaded', tone: 'tone-danger', text: m.inline.overloadedText[status.fail] });
  if (status.effectiveMode !== status.mode) {
    const { modes, cappedText } = m.inline;
    found.push({ key: 'capped', tone: 'tone-warn', text: cappedText(modes[status.mode], modes[status.effectiveMode]) });
  }
  return found;
}

/** Search for the alert that a stopped packet belongs to; none when no signature stopped it. */
export function alertSearch(drop: InlineDrop): string | undefined {
  return drop.signatureId > 0 ? `ip:${drop.srcIp} sid:${drop.signatureId}` : undefined;
}
