import { binomialCdf, clopperPearsonLower, clopperPearsonUpper } from './binomial.js';
import { createRandom } from '../random.js';
import { chooseThreshold } from '../evaluate/curves.js';

/** Champion's and challenger's scores on the same rows. */
export interface GateSet {
  isAttack: Uint8Array;
  /** Attack family of each row, for per-family recall; empty for benign rows. */
  family: readonly string[];
  /** Who said what each row is, empty for sampled flows; absent where nobody was asked. */
  labeller?: readonly string[];
  champion: Float32Array;
  challenger: Float32Array;
}

export interface GateInput {
  schemaHash: { champion: string; challenger: string };
  parity: { maxDifference: number; tolerance: number };
  /** Share of benign rows that may alarm: the same for both. */
  budget: number;
  /** Whose scores are no probabilities of an attack. */
  isAnomaly: { champion: boolean; challenger: boolean };
  /** Fixed set that never changes: what was once detected stays detected. */
  regression: GateSet;
  /** Held-out recent labels, cut by time. */
  recent: GateSet;
  /** Where each model alarms in use: the threshold of its card. */
  inUse: { champion: number; challenger: number };
  /** Scores of flows that must stay benign (monitoring, backups, the operator's own). */
  protectedBenign: { champion: Float32Array; challenger: Float32Array };
  /** Labels new since the champion was trained. */
  newLabels: number;
  seed: number;
}

export interface GateOptions {
  minNewLabels: number;
  /** Largest fall of a family's recall on the regression set, as a share. */
  maxRecallDrop: number;
  bootstrapRuns: number;
}

export const GATE_DEFAULTS: GateOptions = { minNewLabels: 50, maxRecallDrop: 0.02, bootstrapRuns: 500 };

export interface GateCheck {
  name: string;
  passed: boolean;
  detail: string;
}

export interface GateReport {
  promote: boolean;
  checks: GateCheck[];
  /** Challenger's average precision less champion's on recent rows, with its 95 % interval. */
  gain: { mean: number; low: number; high: number };
  /** Where each model alarms: the same budget of false alarms spent. */
  thresholds: { champion: number; challenger: number };
}

/**
 * Whether a challenger may replace the champion. Both get the threshold that spends the same false-positive budget
 * on the benign rows of the regression set, so that neither wins by alarming more.
 */
export function judgeChallenger(input: GateInput, options: GateOptions = GATE_DEFAULTS): GateReport {
  const thresholdOf = (who: Who): number =>
    chooseThreshold(benignOf(input.regression, who), input.budget, input.isAnomaly[who]);
  const thresholds = { champion: thresholdOf('champion'), challenger: thresholdOf('challenger') };
  const gain = pairedBootstrap(input.recent, options.bootstrapRuns, input.seed);
  const checks: GateCheck[] = [
    check(
      'schema',
      input.schemaHash.champion === input.schemaHash.challenger,
      'both were trained on the same feature schema',
    ),
    check(
      'parity',
      input.parity.maxDifference <= input.parity.tolerance,
      `the export differs from the trainer by ${input.parity.maxDifference.toExponential(1)}`,
    ),
    check(
      'labels',
      input.newLabels >= options.minNewLabels && hasBoth(input.recent),
      `${input.newLabels} new labels, ${options.minNewLabels} needed; among the recent rows ${count(input.recent, 1)} attacks and ${count(input.recent, 0)} benign, both needed`,
    ),
    regressionCheck(input.regression, thresholds, options.maxRecallDrop),
    inUseCheck(input, options.maxRecallDrop),
    recentCheck(input.recent, gain, thresholds, options.maxRecallDrop),
    falseAlarmCheck(input.recent, thresholds),
    labellersCheck(input.recent, options.bootstrapRuns, input.seed),
    protectedCheck(input.protectedBenign, [thresholds, input.inUse]),
  ];
  return { promote: checks.every((c) => c.passed), checks, gain, thresholds };
}

type Who = 'champion' | 'challenger';
type Thresholds = Record<Who, number>;

function check(name: string, passed: boolean, detail: string): GateCheck {
  return { name, passed, detail };
}

function signed(v: number): string {
  return `${v >= 0 ? '+' : ''}${v.toFixed(4)}`;
}

function benignOf(set: GateSet, who: Who): Float32Array {
  return set[who].filter((_, r) => set.isAttack[r] === 0);
}

function count(set: GateSet, kind: 0 | 1): number {
  return set.isAttack.reduce((n, a) => n + (a === kind ? 1 : 0), 0);
}

function hasBoth(set: GateSet): boolean {
  return set.isAttack.includes(0) && set.isAttack.includes(1);
}

/** Families of which the challenger finds fewer rows than the champion by more than the margin, and more than one row. */
function lostFamilies(set: GateSet, thresholds: Thresholds, maxDrop: number): string[] {
  const families = [...new Set(set.family.filter((f, r) => f !== '' && set.isAttack[r] === 1))].sort();
  return families.flatMap((family) => {
    const rows = set.family.flatMap((f, r) => (f === family && set.isAttack[r] === 1 ? [r] : []));
    const found = (who: Who): number => rows.filter((r) => set[who][r]! >= thresholds[who]).length;
    const lost = found('champion') - found('challenger');
    return lost > Math.max(1, maxDrop * rows.length)
      ? [`${family} falls by ${((100 * lost) / rows.length).toFixed(1)} points`]
      : [];
  });
}

function regressionCheck(set: GateSet, thresholds: Thresholds, maxDrop: number): GateCheck {
  const worse = lostFamilies(set, thresholds, maxDrop);
  const detail = worse.length === 0 ? `no family falls by more than ${maxDrop * 100} points` : worse.join(', ');
  return check('regression', worse.length === 0, detail);
}

/**
 * The fixed set again, at the thresholds that the models alarm at in use: labels can leave the order of scores as it is
 * and still move all of them across a threshold.
 */
function inUseCheck({ regression, inUse, budget }: GateInput, maxDrop: number): GateCheck {
  const worse = lostFamilies(regression, inUse, maxDrop);
  const [old, now] = [falseAlarms(regression, 'champion', inUse), falseAlarms(regression, 'challenger', inUse)];
  const surely = clopperPearsonLower(now.alarms, now.n, 0.05);
  const isNoisy = surely > Math.max(budget, old.n > 0 ? old.alarms / old.n : 0);
  const alarms = `${now.alarms} of ${now.n} fixed benign rows alarm, champion ${old.alarms}`;
  return check('in use', worse.length === 0 && !isNoisy, [...worse, alarms].join(', '));
}

/** How many of the benign rows alarm. */
function falseAlarms(set: GateSet, who: Who, thresholds: Thresholds): { n: number; alarms: number } {
  const benign = benignOf(set, who);
  return { n: benign.length, alarms: benign.filter((s) => s >= thresholds[who]).length };
}

/** Nobody's labels may make the model worse on what everybody else judged. */
function labellersCheck(set: GateSet, runs: number, seed: number): GateCheck {
  const { labeller = [] } = set;
  const people = [...new Set(labeller)].filter((name) => name !== '');
  if (people.length < 2) return check('labellers', true, `labels of ${people.length}: nobody to compare with`);
  const worse = people.flatMap((name) => {
    const gain = pairedBootstrap(
      takeRows(set, (r) => labeller[r] !== name),
      runs,
      seed,
    );
    return gain.high < 0 ? [`without those of ${name}, average precision ${signed(gain.mean)} on the rest`] : [];
  });
  return check('labellers', worse.length === 0, worse.join('; ') || `${people.length} people, none against the others`);
}

function takeRows(set: GateSet, isTaken: (row: number) => boolean): GateSet {
  return {
    isAttack: set.isAttack.filter((_, r) => isTaken(r)),
    family: set.family.filter((_, r) => isTaken(r)),
    champion: set.champion.filter((_, r) => isTaken(r)),
    challenger: set.challenger.filter((_, r) => isTaken(r)),
  };
}

/**
 * Better on recent rows, beyond chance: in how it orders them, or, where the champion's order cannot be bettered, in how few
 * benign ones alarm while it finds what the champion finds. Both judge the same rows, so those count on which they differ
 * (McNemar's test, exact, one-sided).
 */
function recentCheck(set: GateSet, gain: GateReport['gain'], thresholds: Thresholds, maxDrop: number): GateCheck {
  const [old, now] = [falseAlarms(set, 'champion', thresholds), falseAlarms(set, 'challenger', thresholds)];
  const alarms = (who: Who, r: number): boolean => set[who][r]! >= thresholds[who];
  const differ = [...set.isAttack.keys()].filter(
    (r) => set.isAttack[r] === 0 && alarms('champion', r) !== alarms('challenger', r),
  );
  const newAlarms = differ.filter((r) => alarms('challenger', r)).length;
  const surelyLess =
    differ.length > 0 &&
    binomialCdf(newAlarms, differ.length, 0.5) <= 0.025 &&
    gain.mean >= 0 &&
    lostFamilies(set, thresholds, maxDrop).length === 0;
  const precision = `average precision ${signed(gain.mean)} on ${set.isAttack.length} recent rows (95 %: ${signed(gain.low)} to ${signed(gain.high)})`;
  const detail = `${precision}, ${now.alarms} of ${now.n} benign ones alarm, champion ${old.alarms}, ${newAlarms} of them new`;
  return check('recent', hasBoth(set) && (gain.low > 0 || surelyLess), detail);
}

/** Upper 95 % bound of the challenger's false-positive rate against the champion's, each at its threshold. */
function falseAlarmCheck(set: GateSet, thresholds: Thresholds): GateCheck {
  const bound = (who: Who): number => {
    const { alarms, n } = falseAlarms(set, who, thresholds);
    return clopperPearsonUpper(alarms, n, 0.05);
  };
  const [old, now] = [bound('champion'), bound('challenger')];
  return check(
    'false alarms',
    now <= old,
    `upper bound ${(now * 100).toFixed(2)} %, champion ${(old * 100).toFixed(2)} %`,
  );
}

function protectedCheck(scores: GateInput['protectedBenign'], at: readonly Thresholds[]): GateCheck {
  const counts = at.map((thresholds) => {
    const count = (who: Who): number => scores[who].filter((s) => s >= thresholds[who]).length;
    return { old: count('champion'), now: count('challenger') };
  });
  const [first] = counts;
  const worst = counts.find(({ old, now }) => now > old) ?? first!;
  return check(
    'protected benign',
    worst.now <= worst.old,
    `${worst.now} of ${scores.challenger.length} protected flows alarm, champion ${worst.old}`,
  );
}

/** Resamples rows with replacement, the same rows for both models, and compares average precision. */
function pairedBootstrap(set: GateSet, runs: number, seed: number): GateReport['gain'] {
  const n = set.isAttack.length;
  if (!hasBoth(set)) return { mean: 0, low: -1, high: 1 };
  const order = (who: Who): Uint32Array =>
    Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => set[who][b]! - set[who][a]!);
  const [champion, challenger] = [order('champion'), order('challenger')];
  const random = createRandom(seed);
  const times = new Uint16Array(n);
  const gains = new Float64Array(runs);
  for (let run = 0; run < runs; run++) {
    times.fill(0);
    for (let i = 0; i < n; i++) times[random.below(n)]!++;
    gains[run] =
      averagePrecision(set, 'challenger', challenger, times) - averagePrecision(set, 'champion', champion, times);
  }
  gains.sort();
  const mean = gains.reduce((a, b) => a + b, 0) / runs;
  return { mean, low: gains[Math.floor(0.025 * runs)]!, high: gains[Math.min(runs - 1, Math.floor(0.975 * runs))]! };
}

/** Average precision with each row counted `times` times; equal scores move together. */
function averagePrecision(set: GateSet, who: Who, order: Uint32Array, times: Uint16Array): number {
  const score = set[who];
  let [tp, fp, area, groupTp] = [0, 0, 0, 0];
  for (let i = 0; i < order.length; i++) {
    const r = order[i]!;
    if (set.isAttack[r]) groupTp += times[r]!;
    else fp += times[r]!;
    if (i + 1 < order.length && score[order[i + 1]!]! === score[r]!) continue;
    tp += groupTp;
    if (tp + fp > 0) area += groupTp * (tp / (tp + fp));
    groupTp = 0;
  }
  return tp > 0 ? area / tp : 0;
}
