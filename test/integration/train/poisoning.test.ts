import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gatherLiveData, writeLiveData } from '../../../src/daemons/server/training-data.js';
import type { LabelVerdict } from '../../../src/domain/alert.js';
import type { Tier } from '../../../src/domain/detection.js';
import { FLOW_SCHEMA } from '../../../src/features/index.js';
import { openStore, type Store } from '../../../src/store/index.js';
import {
  openBundle,
  openSession,
  runChallenge,
  scoreRows,
  trainingOptionsSchema,
  trainModel,
  trainOptionsSchema,
  type ChallengeResult,
  type TrainingOptions,
} from '../../../src/train/index.js';
import { createRandom, type Random } from '../../../src/train/random.js';
import { uuid7 } from '../../../src/util/uuid7.js';
import { sampleAlert } from '../../unit/store/samples.js';
import { flowVector, writeBase } from './support.js';

const TRAINED_MS = Date.UTC(2026, 0, 1);
const NOW_MS = TRAINED_MS + 86_400_000;
/** Nothing is checked and nobody is capped: what the guards are compared with. */
const GUARDS_OFF: Partial<TrainingOptions> = { contradictedLabels: 'use', maxLabelShare: 1, maxLabellerShare: 1 };
const MODEL_ONLY: Tier[] = ['classification'];
const UNDER_ATTACK = FLOW_SCHEMA.features.findIndex((f) => f.name === 'dst_sources');
const POLLING = FLOW_SCHEMA.features.findIndex((f) => f.name === 'pair_connections');

/** A scan as it looks at this place: the base data know scans, but not with so many sources beside it. */
function siteScan(random: Random): number[] {
  const values = knownScan(random);
  values[UNDER_ATTACK]! += 8;
  return values;
}

function knownScan(random: Random): number[] {
  return flowVector('port_scan', random);
}

/** A monitoring system of this place. */
function siteMonitor(random: Random): number[] {
  const values = flowVector('benign', random);
  values[POLLING]! += 8;
  return values;
}

interface Judged {
  by: string;
  /** First part of the sources' addresses: who judges the same ones speaks about the same sources. */
  net: string;
  scans?: number;
  monitors?: number;
  /** What the person says is the opposite of what is true. */
  inverted?: boolean;
  tiers?: Tier[];
  /** How the scans look; {@link siteScan} unless told otherwise. */
  scan?: (random: Random) => number[];
}

/** A stolen account that calls every attack benign and every benign flow an attack, through the store to the verdict. */
describe('poisoned labels', { timeout: 600_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-poison-'));
  const base = join(dir, 'base.parquet');
  const champion = join(dir, 'guard');
  let stores = 0;

  before(async () => {
    writeBase(base, { benign: 900, port_scan: 400, flood: 400 }, 1);
    const options = trainOptionsSchema.parse({
      data: [base], algorithm: 'random-forest', out: champion, classes: 'label', trees: 45, falsePositiveBudget: 0.02,
      balance: 'weights',
    }); // prettier-ignore
    await trainModel(options, { trainedMs: TRAINED_MS, repeatable: true });
  });
  after(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  async function label(store: Store, judged: readonly Judged[]): Promise<void> {
    let atMs = TRAINED_MS + 1000;
    const random = createRandom(5);
    for (const { by, net, scans = 0, monitors = 0, inverted = false, tiers = MODEL_ONLY, scan = siteScan } of judged) {
      for (let i = 0; i < scans + monitors; i++) {
        const isScan = i < scans;
        atMs += 1000;
        const features = { schema: 'flow', values: isScan ? scan(random) : siteMonitor(random) };
        const at = { firstMs: atMs, lastMs: atMs };
        const offender = `${net}.${isScan ? 0 : 1}.${i}`;
        const mine = isScan ? tiers : MODEL_ONLY;
        const alert = sampleAlert({ offender, features, tiers: mine, severity: 'high', ...at });
        store.alerts.queue({ alert });
        await store.labels.add({
          id: uuid7(), alertId: alert.id, user: by, createdMs: atMs, alertLabel: 'port_scan', source: offender, features,
          verdict: isScan === inverted ? 'false_positive' : 'true_positive', tiers: alert.tiers,
        }); // prettier-ignore
      }
    }
    await store.flush();
  }

  /** What the nightly run makes of such labels, and the share of this place's next scans that the challenger finds. */
  async function night(
    judged: readonly Judged[],
    change: Partial<TrainingOptions> = {},
  ): Promise<{ result: ChallengeResult; found: number; falseAlarms: number; failed: string[] }> {
    const options = trainingOptionsSchema.parse({ minNewLabels: 40, ...change });
    const store = await openStore({ path: join(dir, `store-${stores++}.db`), thread: false });
    try {
      await label(store, judged);
      const live = join(dir, 'live.jsonl');
      writeLiveData(live, (await gatherLiveData(store, options, { schema: 'flow', nowMs: NOW_MS })).vectors);
      const out = join(dir, 'challenger');
      const { maxLabelWeight, maxLabelShare, maxLabellerShare, contradictedLabels, minNewLabels, maxRows } = options;
      const result = await runChallenge(
        {
          ...{ champion, base: [base], live, out, maxLabelWeight, maxLabelShare, maxLabellerShare },
          ...{ contradictedLabels, minNewLabels, maxRows, seed: 1 },
        },
        { trainedMs: NOW_MS, repeatable: true },
      );
      const failed = result.gate.checks.filter((c) => !c.passed).map((c) => c.name);
      const [found, falseAlarms] = [await reported(out, siteScan), await reported(out, (r) => flowVector('benign', r))];
      return { result, found, falseAlarms, failed };
    } finally {
      await store.close();
    }
  }

  async function reported(bundle: string, make: (random: Random) => number[]): Promise<number> {
    const { card, onnx } = openBundle(bundle);
    const random = createRandom(77);
    const rows = Array.from({ length: 400 }, () => make(random));
    const { score } = await scoreRows(await openSession(onnx), Float32Array.from(rows.flat()), 400, rows[0]!.length);
    return score.filter((s) => s >= card.threshold).length / 400;
  }

  const inverted: Judged = { by: 'mallory', net: '198.18', scans: 150, monitors: 150, inverted: true };

  it('without the guards one account makes the model blind to the scans of this place, and the gate agrees', async () => {
    assert.ok((await reported(champion, siteScan)) > 0.95, 'the champion sees them');
    const { result, found } = await night([{ ...inverted, tiers: ['classification', 'behaviour'] }], GUARDS_OFF);
    assert.equal(result.gate.promote, true, JSON.stringify(result.gate.checks));
    assert.ok(found < 0.5, `${found} of the scans are found`);
  });

  it('labels against what a behaviour saw are set aside, the account is named, and nothing is promoted', async () => {
    const { result, failed, found } = await night([{ ...inverted, tiers: ['classification', 'behaviour'] }]);
    assert.equal(result.gate.promote, false);
    assert.ok(failed.includes('labels'), 'nothing is left to learn from');
    assert.ok(found > 0.95, `${found} of the scans are found`);
    const aside = result.data.setAside;
    assert.deepEqual(aside.byLabeller, [
      { labeller: 'mallory', labels: 300, reasons: { evidence: 150, labeller: 150 }, distrusted: true },
    ]);
    assert.ok(aside.examples.some((e) => e.reason === 'evidence' && e.witnesses.includes('behaviour')));
  });

  it('where no other tier saw anything the gate keeps what the base data know: the run is refused', async () => {
    const { result, failed } = await night([{ ...inverted, scan: knownScan }]);
    assert.equal(result.data.setAside.labels, 0, 'nothing contradicts them');
    assert.equal(result.gate.promote, false);
    assert.ok(failed.includes('regression') || failed.includes('in use'), failed.join());
  });

  it('against one colleague neither is believed, against two the stolen account is not, and no scan is missed', async () => {
    const [ada, bob]: Judged[] = ['ada', 'bob'].map((by) => ({ by, net: '198.18', scans: 150, monitors: 150 }));
    const one = await night([ada!, inverted]);
    assert.deepEqual([one.result.gate.promote, one.result.data.labels], [false, 0]);
    assert.ok(one.found > 0.95);
    const two = await night([ada!, bob!, inverted]);
    assert.deepEqual(two.result.data.setAside.byLabeller, [
      { labeller: 'mallory', labels: 300, reasons: { others: 300 }, distrusted: true },
    ]);
    assert.ok(
      two.found > 0.95 && two.falseAlarms < 0.05,
      `${two.found} of the scans, ${two.falseAlarms} of benign flows`,
    );
    const off = await night([ada!, bob!, inverted], GUARDS_OFF);
    assert.ok(off.found < two.found, `without the guards ${off.found} of the scans are found`);
  });

  it("nobody overwrites another's word: both count, and `unsure` takes an alert out", async () => {
    const store = await openStore({ path: join(dir, 'words.db'), thread: false });
    const say = (alertId: string, user: string, verdict: LabelVerdict, createdMs: number): Promise<void> =>
      store.labels.add({
        ...{ id: uuid7(), alertId, user, verdict, createdMs, alertLabel: 'port_scan', source: '192.0.2.1' },
        features: { schema: 'flow', values: [createdMs] },
      });
    const [first, second] = [uuid7(), uuid7()];
    await say(first, 'ada', 'false_positive', 1);
    await say(first, 'ada', 'true_positive', 2);
    await say(first, 'mallory', 'false_positive', 3);
    await say(second, 'ada', 'true_positive', 4);
    await say(second, 'bob', 'unsure', 5);
    const options = trainingOptionsSchema.parse({});
    const { vectors } = await gatherLiveData(store, options, { schema: 'flow', nowMs: NOW_MS });
    await store.close();
    assert.deepEqual(
      vectors.map((v) => [v.analyst, v.label]),
      [
        ['ada', 'port_scan'],
        ['mallory', 'benign'],
      ],
    );
  });

  it('sampled flows of an accused source are not benign because one person says that the alert was false', async () => {
    const store = await openStore({ path: join(dir, 'samples.db'), thread: false });
    const about = {
      dstIp: '192.0.2.200',
      srcPort: 1,
      dstPort: 2,
      proto: 6,
      sensor: 'edge',
      featureSchema: 'flow',
      scores: {},
    };
    const at = { firstMs: TRAINED_MS, lastMs: TRAINED_MS };
    const tiersOf: Record<string, Tier[]> = {
      '192.0.2.1': ['classification', 'behaviour'],
      '192.0.2.2': MODEL_ONLY,
      '192.0.2.3': MODEL_ONLY,
    };
    for (const [srcIp, tiers] of Object.entries(tiersOf)) {
      await store.samples.add([{ ...about, id: uuid7(), srcIp, atMs: TRAINED_MS, values: [1] }]);
      const alert = sampleAlert({ offender: srcIp, tiers, ...at });
      store.alerts.queue({ alert });
      await store.flush();
      const judged = { alertId: alert.id, alertLabel: 'port_scan', source: srcIp };
      if (srcIp === '192.0.2.3') {
        await store.labels.add({
          ...judged,
          id: uuid7(),
          user: 'ada',
          verdict: 'true_positive',
          createdMs: TRAINED_MS,
        });
      }
      await store.labels.add({ ...judged, id: uuid7(), user: 'eve', verdict: 'false_positive', createdMs: NOW_MS });
      await store.alerts.setLabelVerdict(alert.id, 'false_positive');
    }
    const options = trainingOptionsSchema.parse({});
    const { vectors } = await gatherLiveData(store, options, { schema: 'flow', nowMs: NOW_MS });
    await store.close();
    assert.deepEqual(vectors.map((v) => [v.source, v.label]), [['192.0.2.2', 'benign']]); // prettier-ignore
  });
});
