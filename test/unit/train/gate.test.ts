import assert from 'node:assert/strict';
import { test } from 'node:test';
import { binomialCdf, clopperPearsonUpper } from '../../../src/train/lifecycle/binomial.js';
import {
  GATE_DEFAULTS,
  judgeChallenger,
  type GateInput,
  type GateReport,
  type GateSet,
} from '../../../src/train/lifecycle/gate.js';
import { LABEL_CAPS, labelWeights, type WeighedLabel } from '../../../src/train/lifecycle/labels.js';
import { createRandom } from '../../../src/train/random.js';

/** Scores around 0.2 for benign rows and `quality` above for attacks; the same noise for both models. */
function gateSet(
  rows: number,
  seed: number,
  quality: { champion: number; challenger: number; challengerScans?: number },
): GateSet {
  const random = createRandom(seed);
  const isAttack = Uint8Array.from({ length: rows }, () => (random.next() < 0.2 ? 1 : 0));
  const family = Array.from(isAttack, (a) => (a ? (random.next() < 0.5 ? 'scan' : 'flood') : ''));
  const noise = Float64Array.from({ length: rows }, () => 0.15 * random.normal());
  const make = (gain: number, scans: number): Float32Array =>
    Float32Array.from(isAttack, (a, r) =>
      Math.min(1, Math.max(0, 0.2 + noise[r]! + (a ? (family[r] === 'scan' ? scans : gain) : 0))),
    );
  return {
    isAttack,
    family,
    champion: make(quality.champion, quality.champion),
    challenger: make(quality.challenger, quality.challengerScans ?? quality.challenger),
  };
}

const quiet = new Float32Array(100).fill(0.1);
function input(quality: Parameters<typeof gateSet>[2], changes: Partial<GateInput> = {}): GateInput {
  return {
    schemaHash: { champion: 'a', challenger: 'a' },
    parity: { maxDifference: 1e-6, tolerance: 1e-4 },
    budget: 0.01,
    isAnomaly: { champion: false, challenger: false },
    regression: gateSet(3000, 1, quality),
    recent: gateSet(2000, 2, quality),
    inUse: { champion: 0.5, challenger: 0.5 },
    protectedBenign: { champion: quiet, challenger: quiet },
    newLabels: 80,
    seed: 1,
    ...changes,
  };
}
const failed = (i: GateInput): string[] =>
  judgeChallenger(i, { ...GATE_DEFAULTS, bootstrapRuns: 100 })
    .checks.filter((c) => !c.passed)
    .map((c) => c.name);

test('a better challenger is promoted, and the report says how much better', () => {
  const report = judgeChallenger(input({ champion: 0.3, challenger: 0.6 }), { ...GATE_DEFAULTS, bootstrapRuns: 100 });
  assert.equal(report.promote, true, JSON.stringify(report.checks));
  assert.ok(report.gain.low > 0 && report.gain.low <= report.gain.mean && report.gain.mean <= report.gain.high);
});

test('a worse challenger is refused, on old attacks and on recent ones', () => {
  assert.deepEqual(failed(input({ champion: 0.6, challenger: 0.3 })), ['regression', 'in use', 'recent']);
});

test('a challenger that is the champion again is refused, and so is one that is better by less than the noise', () => {
  assert.deepEqual(failed(input({ champion: 0.6, challenger: 0.6 })), ['recent']);
  const few = gateSet(300, 4, { champion: 0.4, challenger: 0.4 });
  const lucky = { ...few, challenger: few.challenger.map((s, r) => (few.isAttack[r] && r % 40 === 0 ? s + 0.05 : s)) };
  const report = judgeChallenger(input({ champion: 0.4, challenger: 0.41 }, { recent: lucky }));
  assert.ok(report.gain.mean > 0, 'it is better on these rows');
  assert.equal(report.promote, false);
});

test('where the order of scores cannot be bettered, surely fewer false alarms count, unless attacks are lost for it', () => {
  const same = { champion: 0.6, challenger: 0.6 };
  // Everything alarms by the champion, and attacks score higher still.
  const recent = (benign: number, scan: number): GateSet => {
    const isAttack = Uint8Array.from({ length: 60 }, (_, r) => (r < 30 ? 1 : 0));
    return {
      isAttack,
      family: Array.from(isAttack, (a) => (a ? 'scan' : '')),
      champion: Float32Array.from(isAttack, (a) => (a ? 0.99 : 0.95)),
      challenger: Float32Array.from(isAttack, (a, r) => (a ? (r < 5 ? scan : 0.99) : r < 30 + benign ? 0.95 : 0.1)),
    };
  };
  assert.deepEqual(failed(input(same, { recent: recent(0, 0.99) })), []);
  // Of thirty rows that alarm, five that no longer do may be chance (2^-5 = 0.031), six are not (0.016).
  assert.deepEqual(failed(input(same, { recent: recent(25, 0.99) })), ['recent'], 'by less than chance');
  assert.deepEqual(failed(input(same, { recent: recent(24, 0.99) })), []);
  const moved = recent(24, 0.99);
  moved.champion[59] = 0.1;
  moved.challenger[59] = 0.95;
  assert.deepEqual(failed(input(same, { recent: moved })), ['recent'], 'another alarms instead');
  assert.deepEqual(failed(input(same, { recent: recent(0, 0.2) })), ['recent'], 'with five scans lost');
});

test('benign rows too few to count false alarms on do not take the threshold of a classifier below even odds', () => {
  const perfect = (rows: number): GateSet => {
    const isAttack = Uint8Array.from({ length: rows }, (_, r) => r % 2);
    const scores = Float32Array.from(isAttack, (a) => (a ? 0.9 : 0.01));
    return {
      isAttack,
      family: Array.from(isAttack, (a) => (a ? 'scan' : '')),
      champion: scores,
      challenger: scores,
    };
  };
  const thresholds = (rows: number, isAnomaly: boolean): GateReport['thresholds'] =>
    judgeChallenger(
      input(
        { champion: 0.3, challenger: 0.6 },
        { regression: perfect(rows), isAnomaly: { champion: false, challenger: isAnomaly } },
      ),
    ).thresholds;
  assert.deepEqual(thresholds(200, false), { champion: 0.5, challenger: 0.5 });
  assert.ok(thresholds(200, true).challenger < 0.02, 'the score of an anomaly is no probability');
  assert.ok(thresholds(2000, false).champion < 0.02, 'a thousand benign rows say where the budget is spent');
});

test('a challenger that forgets one family is refused even when it is better over all', () => {
  assert.ok(failed(input({ champion: 0.4, challenger: 0.9, challengerScans: 0.3 })).includes('regression'));
});

test('each further guard refuses on its own', () => {
  const better = { champion: 0.3, challenger: 0.6 };
  assert.deepEqual(failed(input(better, { schemaHash: { champion: 'a', challenger: 'b' } })), ['schema']);
  assert.deepEqual(failed(input(better, { parity: { maxDifference: 1e-3, tolerance: 1e-4 } })), ['parity']);
  assert.deepEqual(failed(input(better, { newLabels: 10 })), ['labels']);
  const noisy = quiet.map((v, i) => (i < 3 ? 0.95 : v));
  assert.deepEqual(failed(input(better, { protectedBenign: { champion: quiet, challenger: noisy } })), [
    'protected benign',
  ]);
  const alarming = gateSet(2000, 2, better);
  for (let r = 0; r < 2000; r++) if (!alarming.isAttack[r] && r % 40 === 0) alarming.challenger[r] = 0.62;
  assert.ok(failed(input(better, { recent: alarming })).includes('false alarms'));
});

test('without attacks among the recent labels nothing is promoted', () => {
  const set = gateSet(500, 3, { champion: 0.3, challenger: 0.6 });
  const onlyBenign = { ...set, isAttack: new Uint8Array(500), family: set.family.map(() => '') };
  assert.deepEqual(
    failed(input({ champion: 0.3, challenger: 0.6 }, { recent: onlyBenign })).filter((n) => n !== 'false alarms'),
    ['labels', 'recent'],
  );
});

test('the Clopper-Pearson bound is that of the tables', () => {
  // 0 of 100: 1 - 0.05^(1/100) = 0.02951; 5 of 100 one-sided 95 %: 0.10225.
  assert.ok(Math.abs(clopperPearsonUpper(0, 100, 0.05) - 0.029513) < 1e-5);
  assert.ok(Math.abs(clopperPearsonUpper(5, 100, 0.05) - 0.10225) < 1e-4);
  assert.equal(clopperPearsonUpper(0, 0, 0.05), 1);
  assert.ok(Math.abs(binomialCdf(1, 3, 0.5) - 0.5) < 1e-12);
});

test('a challenger whose own threshold loses a family, or alarms on benign rows, is refused whatever the order of scores', () => {
  const better = { champion: 0.3, challenger: 0.6 };
  assert.deepEqual(failed(input(better, { inUse: { champion: 0.5, challenger: 0.7 } })), []);
  const tooHigh = judgeChallenger(input(better, { inUse: { champion: 0.3, challenger: 0.9 } }));
  const lost = tooHigh.checks.find((c) => c.name === 'in use')!;
  assert.deepEqual([lost.passed, /scan falls by \d+\.\d points/.test(lost.detail)], [false, true], lost.detail);
  assert.deepEqual(failed(input(better, { inUse: { champion: 0.5, challenger: 0.25 } })), ['in use'], 'too low');
});

test('one flow of a family of two is no fall, both are', () => {
  const better = { champion: 0.3, challenger: 0.6 };
  const rare = (lost: number): GateSet => {
    const set = gateSet(3000, 1, better);
    const family = [...set.family];
    for (const [n, r] of [...set.isAttack]
      .flatMap((a, i) => (a ? [i] : []))
      .slice(0, 2)
      .entries()) {
      family[r] = 'tunnel';
      set.champion[r] = 1;
      set.challenger[r] = n < lost ? 0 : 1;
    }
    return { ...set, family };
  };
  assert.deepEqual(failed(input(better, { regression: rare(1) })), []);
  assert.deepEqual(failed(input(better, { regression: rare(2) })), ['regression', 'in use']);
});

test('a challenger that is worse on what all but one person judged is refused, and the person is named', () => {
  const better = { champion: 0.3, challenger: 0.6 };
  const recent = gateSet(2000, 2, better);
  const labeller = Array.from(recent.isAttack, (_, r) => (r % 8 === 0 ? 'ada' : 'mallory'));
  assert.deepEqual(failed(input(better, { recent: { ...recent, labeller } })), []);
  const challenger = recent.challenger.map((s, r) =>
    labeller[r] === 'ada' && recent.isAttack[r] ? 0.1 : recent.isAttack[r] ? 1 : s,
  );
  const report = judgeChallenger(input(better, { recent: { ...recent, challenger, labeller } }));
  assert.ok(report.gain.low > 0, 'over all it is better');
  const check = report.checks.find((c) => c.name === 'labellers')!;
  assert.equal(check.passed, false);
  assert.match(check.detail, /without those of mallory/);
});

const label = (source: string, analyst: string): WeighedLabel => ({ label: 'benign', source, analyst });
const sum = (w: Float32Array): number => w.reduce((a, b) => a + b, 0);
const BASE = new Map([['benign', 3000]]);

test('the labels about one source, and those of one person, have at most their share of a class', () => {
  const flood = Array.from({ length: 900 }, () => label('203.0.113.5', 'ann'));
  const rest = Array.from({ length: 100 }, (_, i) => label(`198.51.100.${i}`, 'bob'));
  const weights = labelWeights([...flood, ...rest], BASE);
  const ofOne = sum(weights.subarray(0, 900));
  assert.ok(Math.abs(ofOne / (ofOne + 3000) - LABEL_CAPS.maxShare) < 1e-3, String(ofOne));
  assert.equal(weights[900], LABEL_CAPS.maxWeight, 'honest single labels keep their full weight');
  const many = Array.from({ length: 900 }, (_, i) => label(`203.0.113.${i}`, 'ann'));
  const ofAnn = sum(labelWeights(many, BASE));
  assert.ok(Math.abs(ofAnn / (ofAnn + 3000) - LABEL_CAPS.maxLabellerShare) < 1e-3, String(ofAnn));
  const free = labelWeights(many, BASE, { ...LABEL_CAPS, maxShare: 1, maxLabellerShare: 1 });
  assert.equal(sum(free), 9000, 'a share of one is no cap');
});

test('of a class that the base data lack, people and sources share the weight of the labels', () => {
  const anns = Array.from({ length: 900 }, (_, i) => label(`203.0.113.${i}`, 'ann'));
  const bobs = Array.from({ length: 100 }, (_, i) => label(`198.51.100.${i}`, 'bob'));
  const weights = labelWeights([...anns, ...bobs], new Map());
  assert.ok(sum(weights.subarray(0, 900)) <= 5000.1, 'half of all');
  assert.equal(sum(weights.subarray(900)), 1000);
});
