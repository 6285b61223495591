import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Alert } from '../../../src/domain/alert.js';
import { openStore, type Store } from '../../../src/store/index.js';
import { sampleAlert, START_MS } from './samples.js';

/** Past the number of rows that are looked up one by one, so that lists are walked. */
const ROWS = 5200;
const LABELS = ['port_scan', 'beacon', 'dns_tunnel'];

/** What the store must answer, said without any index. */
const MEANS: readonly [q: string, holds: (alert: Alert) => boolean][] = [
  ['', () => true],
  ['label:beacon', (a) => a.label === 'beacon'],
  ['label:b*', (a) => a.label.startsWith('b')],
  ['is:open', () => true],
  ['is:open label:port_scan', (a) => a.label === 'port_scan'],
  ['ip:198.51.100.7', (a) => a.offender === '198.51.100.7'],
  ['ip:192.0.2.10', () => true],
  ['ip:192.0.2.10 sid:3', (a) => a.signatureId === 3],
  ['ip:198.51.100.0/25', (a) => Number(a.offender.split('.')[3]) < 128],
  ['severity>=high', (a) => a.severity === 'high'],
  ['severity>=high -label:beacon', (a) => a.severity === 'high' && a.label !== 'beacon'],
  ['score>0.99', (a) => a.score > 0.99],
  ['scan', (a) => a.title.includes('scan') || a.label.includes('scan')],
  ['number 17', (a) => a.title.includes('number') && a.title.includes('17')],
  ['"number 1717"', (a) => a.title.includes('number 1717')],
  ['beacon -scan', (a) => a.label === 'beacon' && !a.title.includes('scan')],
  ['nothing-has-this', () => false],
  [`after:${START_MS + 100_000} before:${START_MS + 200_000} label:beacon`, (a) =>
    a.label === 'beacon' && a.lastMs >= START_MS + 100_000 && a.lastMs < START_MS + 200_000],
  ['sid:4 is:archived', () => false],
]; // prettier-ignore

describe('pages of a long list', () => {
  let store: Store;
  const alerts: Alert[] = [];
  before(async () => {
    store = await openStore({ kind: 'sqlite', path: ':memory:', thread: false, batchRows: 500 });
    for (let n = 0; n < ROWS; n++) {
      const offender = `198.51.100.${n % 251}`;
      alerts.push(
        sampleAlert({
          // Many share a time: the order among them is that of their ids.
          lastMs: START_MS + Math.floor(n / 7) * 1000,
          label: LABELS[(n * n) % 3] ?? 'beacon',
          title: n % 5 === 0 ? `scan number ${n}` : `thing number ${n % 1800}`,
          severity: n % 11 === 0 ? 'high' : 'medium',
          signatureId: n % 7,
          score: (n % 1000) / 1000,
          offender,
          srcIp: offender,
        }),
      );
      store.alerts.queue({ alert: alerts[n]! });
    }
    await store.flush();
  });
  after(() => store.close());

  async function everyPage(q: string, limit: number): Promise<string[]> {
    const ids: string[] = [];
    let cursor: string | null | undefined;
    let pages = 0;
    while (cursor !== null && pages++ < 5000) {
      const page: Awaited<ReturnType<Store['alerts']['list']>> = await store.alerts.list({ limit, cursor, q });
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    return ids;
  }

  it('hold exactly the rows that a search means, newest first, each once', async () => {
    for (const [q, holds] of MEANS) {
      const expected = alerts
        .filter(holds)
        .sort((a, b) => b.lastMs - a.lastMs || (b.id < a.id ? -1 : 1))
        .map(({ id }) => id);
      assert.deepEqual(await everyPage(q, 200), expected, q);
    }
  });

  it('hold the same rows whatever their length', async () => {
    const q = 'severity>=high -label:port_scan';
    const whole = await everyPage(q, 200);
    assert.ok(whole.length > 200);
    assert.deepEqual(await everyPage(q, 23), whole);
    assert.notDeepEqual(await everyPage('severity>=high', 23), whole, 'mutation control');
  });
});
