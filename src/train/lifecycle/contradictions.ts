import { BENIGN_LABEL } from '../../contract/model-card.js';
import type { LiveVector } from './challenge-data.js';

/**
 * Why a label teaches nothing and judges nothing in a run:
 * - `protected`: it calls a protected network an attack;
 * - `evidence`: it says benign where a signature, a behaviour or an intelligence feed accuses the same source, and nobody
 *   else says so too;
 * - `others`: at least twice as many voices say the opposite of the same source and kind of alert;
 * - `disputed`: people disagree about it, and neither side has twice the voices;
 * - `labeller`: most of what this person said is contradicted where it can be checked.
 */
export const ASIDE_REASONS = ['protected', 'evidence', 'others', 'disputed', 'labeller'] as const;
export type AsideReason = (typeof ASIDE_REASONS)[number];

export interface AsideLabel {
  vector: LiveVector;
  reason: AsideReason;
}

export interface Sifted {
  kept: LiveVector[];
  aside: AsideLabel[];
  /** People none of whose labels were used. */
  distrusted: string[];
}

/** A side needs this many times the voices of the other. */
const MAJORITY = 2;
/** Contradicted labels of a person below which nothing is said of the person. */
const FEWEST_CONTRADICTED = 20;
/** Share of a person's checkable labels that are contradicted, from which the others are not believed either. */
const DISTRUST_SHARE = 0.8;

type Side = 'benign' | 'attack';
const sideOf = (v: LiveVector): Side => (v.label === BENIGN_LABEL ? 'benign' : 'attack');
/** What people can agree or disagree about: one source and one kind of alert. */
const subjectOf = (v: LiveVector): string => `${v.source} ${v.alertLabel}`;

/**
 * Sets labels aside that independent evidence or other people contradict. One account, stolen or mistaken, then moves
 * nothing that anything else speaks against; where nothing does, the caps on weight and the gate remain.
 */
export function siftLabels(labels: readonly LiveVector[]): Sifted {
  const first = sift(labels);
  const distrusted = people(labels).filter((name) => isDistrusted(name, labels, first));
  if (distrusted.length === 0)
    return { kept: [...first.keys()].filter((v) => !first.get(v)), aside: asideOf(first), distrusted };
  // Without their voices: they can neither outvote nor call in question what others say.
  const credible = labels.filter((v) => !distrusted.includes(v.analyst));
  const second = sift(credible);
  const theirs = labels
    .filter((v) => distrusted.includes(v.analyst))
    .map((vector): AsideLabel => ({ vector, reason: first.get(vector) ?? 'labeller' }));
  return { kept: credible.filter((v) => !second.get(v)), aside: [...asideOf(second), ...theirs], distrusted };
}

type Reasons = Map<LiveVector, AsideReason | undefined>;

function asideOf(reasons: Reasons): AsideLabel[] {
  return [...reasons].flatMap(([vector, reason]) => (reason === undefined ? [] : [{ vector, reason }]));
}

function sift(labels: readonly LiveVector[]): Reasons {
  const reasons: Reasons = new Map(labels.map((v) => [v, undefined]));
  const bySource = voices(labels, (v) => v.source);
  for (const v of labels) {
    if (v.isProtected && sideOf(v) === 'attack') reasons.set(v, 'protected');
    else if (isAgainstEvidence(v) && !hasSecond(v, bySource.get(v.source)!)) reasons.set(v, 'evidence');
  }
  const open = labels.filter((v) => reasons.get(v) === undefined);
  const bySubject = voices(open, subjectOf);
  const accused = new Set(labels.filter((v) => v.witnesses.length > 0).map(subjectOf));
  for (const v of open) {
    const count = tally(bySubject.get(subjectOf(v))!, accused.has(subjectOf(v)));
    if (Math.min(count.benign, count.attack) === 0) continue;
    const [mine, theirs] = sideOf(v) === 'benign' ? [count.benign, count.attack] : [count.attack, count.benign];
    if (theirs >= MAJORITY * mine) reasons.set(v, 'others');
    else if (mine < MAJORITY * theirs) reasons.set(v, 'disputed');
  }
  return reasons;
}

function isAgainstEvidence(v: LiveVector): boolean {
  return sideOf(v) === 'benign' && v.witnesses.length > 0 && !v.isProtected;
}

/** Each person's word: the side that most of their labels are on, none when they are even. */
type Voices = Map<string, Record<Side, number>>;

function voices(labels: readonly LiveVector[], key: (v: LiveVector) => string): Map<string, Voices> {
  const all = new Map<string, Voices>();
  for (const v of labels) {
    const here: Voices = all.get(key(v)) ?? new Map();
    all.set(key(v), here);
    const mine = here.get(v.analyst) ?? { benign: 0, attack: 0 };
    here.set(v.analyst, mine);
    mine[sideOf(v)]++;
  }
  return all;
}

function wordOf({ benign, attack }: Record<Side, number>): Side | undefined {
  if (benign === attack) return undefined;
  return benign > attack ? 'benign' : 'attack';
}

function hasSecond(v: LiveVector, here: Voices): boolean {
  return [...here].some(([name, said]) => name !== v.analyst && wordOf(said) === sideOf(v));
}

/** People on each side; evidence against the source is one more voice. */
function tally(here: Voices, isAccused: boolean): Record<Side, number> {
  const count = { benign: 0, attack: isAccused ? 1 : 0 };
  for (const said of here.values()) {
    const word = wordOf(said);
    if (word !== undefined) count[word]++;
  }
  // Evidence alone is no dispute among people: a second person has outweighed it already.
  return count.attack === 1 && isAccused ? { ...count, attack: 0 } : count;
}

function people(labels: readonly LiveVector[]): string[] {
  return [...new Set(labels.map((v) => v.analyst))];
}

function isDistrusted(name: string, labels: readonly LiveVector[], reasons: Reasons): boolean {
  const bySubject = voices(labels, subjectOf);
  const mine = labels.filter((v) => v.analyst === name);
  const contradicted = mine.filter((v) => ['evidence', 'others'].includes(reasons.get(v) ?? '')).length;
  const isChecked = (v: LiveVector): boolean => v.witnesses.length > 0 || bySubject.get(subjectOf(v))!.size > 1;
  const checkable = mine.filter((v) => isChecked(v) && reasons.get(v) !== 'disputed').length;
  return contradicted >= FEWEST_CONTRADICTED && contradicted >= DISTRUST_SHARE * checkable;
}
