import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DataSource } from 'typeorm';
import { migrations } from '../../../migrations/index.js';
import { openDataSource } from '../../../src/store/data-source.js';
import { openStore, type Store } from '../../../src/store/index.js';
import { uuid7 } from '../../../src/util/uuid7.js';
import { storeOptionsSchema, type StoreOptions } from '../../../src/store/options.js';
import { sampleAlert, sampleDecision, sampleFlow } from './samples.js';

const NOW_MS = Date.UTC(2026, 0, 31, 12);

/** What an operator would miss: everything that was there in the first release. */
async function contents(store: Store): Promise<unknown> {
  const page = { limit: 200 };
  return {
    alerts: (await store.alerts.list(page)).items,
    decisions: (await store.decisions.list({ ...page, state: 'all' }, NOW_MS)).items,
    inForce: await store.decisions.active(NOW_MS),
    flows: (await store.flows.list(page)).items,
    allowlist: await store.allowlist.active(NOW_MS),
    users: await store.users.all(),
    labels: await store.labels.since(0, 100),
    policies: await store.policies.current(),
    audit: (await store.audit.list(page)).items,
    mode: await store.settings.get('mode'),
    found: (await store.alerts.list({ ...page, q: 'scan' })).items.map((alert) => alert.id),
  };
}

/** Data of some weeks: 40 alerts, as many decisions of which every third has no end, flows, an exemption, an audit record. */
export async function fill(store: Store): Promise<void> {
  for (let i = 0; i < 40; i++) {
    const alert = sampleAlert({
      title: i % 2 === 0 ? 'Port scan of one host' : `Password guessing “${i}”`,
      lastMs: NOW_MS - i,
    });
    store.alerts.queue({ alert });
    // Only people may block without an end.
    const forever = { expiresMs: 0, durationSecs: 0, origin: 'operator', actor: 'admin' } as const;
    const end = i % 3 === 0 ? forever : { expiresMs: NOW_MS + 1e6 };
    await store.decisions.save({ decision: sampleDecision({ value: `203.0.113.${i}`, ...end }) });
    store.flows.queue('edge', sampleFlow());
  }
  await store.flush();
  await store.settings.set('mode', { mode: 'enforce', configured: 'observe' }, 'admin');
  await store.allowlist.add({
    id: '01890000-0000-7000-8000-000000000009',
    value: '198.51.100.0/24',
    owner: 'ops',
    comment: 'partner',
    createdMs: NOW_MS,
    expiresMs: 0,
  });
  for (let i = 0; i < 5; i++) {
    await store.labels.add({
      ...{ id: uuid7(), alertId: uuid7(), verdict: 'true_positive', class: 'port_scan', user: 'admin' },
      ...{ createdMs: NOW_MS - i, alertLabel: 'port_scan', features: { schema: 'flow/1', values: [0.5, i] } },
    });
  }
  await store.policies.add({ name: 'scanners', yaml: 'name: scanners', actor: 'admin', comment: 'the first' });
  await store.audit.append({
    actor: 'admin',
    address: '',
    action: 'mode.set',
    object: 'mode',
    outcome: 'success',
    reason: '',
  });
}

/** Undoes every migration but the first: the tables, and what is in them, as the first release had them. */
export async function undoToFirst(options: Partial<StoreOptions>): Promise<DataSource> {
  const source = await openDataSource(storeOptionsSchema.parse(options), migrations);
  for (let i = 1; i < migrations.length; i++) await source.undoLastMigration({ transaction: 'each' });
  return source;
}

/** Databases of earlier releases, on one kind of database. `keep` is asked for the same database twice. */
export function upgradeCases(name: string, fresh: () => Promise<Partial<StoreOptions>>): void {
  describe(`upgrade on ${name}`, () => {
    it('takes a database with data down to the first release and up again without losing any of it', async () => {
      const options = await fresh();
      const first = await openStore({ thread: false, ...options });
      await fill(first);
      const before = await contents(first);
      await first.close();
      const source = await undoToFirst(options);
      const applied = (await source.query('SELECT name FROM migrations')) as { name: string }[];
      assert.deepEqual(
        applied.map((row) => row.name),
        [migrations[0]!.name],
      );
      const old = (await source.query('SELECT body, search FROM alerts')) as { body: string; search: string }[];
      assert.equal(old.length, 40);
      assert.ok(
        old.every((row) => row.body.length > 100 && row.search.length > 0),
        'as the first release kept alerts',
      );
      await source.destroy();
      const second = await openStore({ thread: false, ...options });
      try {
        assert.deepEqual(await contents(second), before);
        await second.settings.set('mode', { mode: 'observe', configured: 'observe' }, 'admin');
        assert.notDeepEqual(await contents(second), before, 'mutation control: a change is seen');
      } finally {
        await second.close();
      }
    });

    it('refuses the database of a later release and leaves it as it is', async () => {
      const options = await fresh();
      await (await openStore({ thread: false, ...options })).close();
      const source = await openDataSource(storeOptionsSchema.parse(options), migrations);
      try {
        const add = "INSERT INTO migrations (timestamp, name) VALUES (9999999999999, 'Later9999999999999')";
        await source.query(add);
        await assert.rejects(openStore({ thread: false, ...options }), { code: 'store.later_version', kind: 'user' });
        await source.query("DELETE FROM migrations WHERE name LIKE 'Later%'");
      } finally {
        await source.destroy();
      }
      await (await openStore({ thread: false, ...options })).close();
    });
  });
}
