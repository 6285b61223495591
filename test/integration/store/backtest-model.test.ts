import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ModelCard } from '../../../src/contract/model-card.js';
import { backtestStored } from '../../../src/daemons/backtest/run-stored.js';
import { parsePolicy, policyOptionsSchema, type Policy } from '../../../src/policy/index.js';
import { openStore, type Store } from '../../../src/store/index.js';
import { sampleAlert, START_MS } from '../../unit/store/samples.js';
import { reseal } from '../../support/reseal-model.js';

const MODEL = fileURLToPath(new URL('../../../models/flow-isolation', import.meta.url));
const card = JSON.parse(readFileSync(join(MODEL, 'card.json'), 'utf8')) as ModelCard;

function policy(): Policy {
  const parsed = parsePolicy(
    `format: 1
name: odd
description: What a model finds odd is blocked.
when: { tiers: [anomaly] }
respond: { ladder: [{ action: block, duration: 600 }] }
`,
    'odd.yaml',
  );
  assert.ok(parsed.ok);
  return parsed.policy;
}

describe('a backtest with another model on what is stored', () => {
  let dir = '';
  let store: Store;

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'backtest-model-'));
    store = await openStore({ thread: false, kind: 'sqlite', path: join(dir, 'past.db') });
    const features = { schema: card.schema.name, values: card.schema.features.map(() => 0) };
    const found = { tiers: ['anomaly' as const], label: 'anomaly', features };
    const alerts = [
      sampleAlert({ ...found, key: 'a', offender: '203.0.113.7', srcIp: '203.0.113.7' }),
      // Found by behaviour as well: stays, without the model.
      sampleAlert({
        ...found,
        tiers: ['behaviour', 'anomaly'],
        key: 'b',
        offender: '203.0.113.8',
        srcIp: '203.0.113.8',
      }),
      // Another schema: that model cannot say anything about it.
      sampleAlert({ ...found, features: { schema: 'other', values: [1] }, key: 'c', offender: '203.0.113.9' }),
    ];
    for (const alert of alerts) store.alerts.queue({ alert });
    await store.close();
    store = await openStore({ thread: false, kind: 'sqlite', path: join(dir, 'past.db') });
  });
  after(async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** The shipped model with a threshold that every score, or none, reaches. */
  function withThreshold(threshold: number): string {
    const copy = join(dir, `model-${threshold}`);
    cpSync(MODEL, copy, { recursive: true });
    reseal(copy, { card: { threshold } });
    return copy;
  }

  async function blocksWith(threshold: number) {
    const active = [policy()];
    const report = await backtestStored(
      store,
      {
        active,
        candidate: active,
        options: policyOptionsSchema.parse({}),
        protected: [],
        model: withThreshold(threshold),
        sinceMs: START_MS - 1000,
        untilMs: START_MS + 1000,
      },
      () => undefined,
    );
    return report;
  }

  it('withdraws what the other model would not have found, and says how many it could judge', async () => {
    const report = await blocksWith(1);
    assert.deepEqual([report.alerts, report.rescored, report.otherSchema], [3, 2, 1]);
    assert.deepEqual([report.active.decisions, report.candidate?.decisions], [3, 1]);
  });

  it('control: agrees with the model in force when it finds the same', async () => {
    const report = await blocksWith(0);
    assert.deepEqual([report.active.decisions, report.candidate?.decisions], [3, 3]);
  });
});
