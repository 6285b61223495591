import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { BulkRelease, ImportResult } from '../../../src/contract/http.js';
import { sampleDecision } from '../store/samples.js';
import { assertProblem, startHarness, type Harness } from './harness.js';

describe('many decisions at once', () => {
  let h: Harness;
  let token: string;
  before(async () => {
    h = await startHarness();
    await h.addUser('olga', 'operator');
    token = (await h.login('olga')).token;
  });
  after(() => h.close());
  const post = (path: string, body: object) => h.call('POST', path, { token, body });
  const LIST = [
    '203.0.113.7',
    '203.0.113.99',
    '192.0.2.1',
    '2001:DB8::1',
    'nonsense',
    '203.0.113.7/32',
    '198.51.100.0/24',
  ];

  it('are checked first: each value with what would happen to it, and nothing is done', async () => {
    const before = h.control.calls.length;
    const answer = await post('/decisions/import', { values: LIST, durationSecs: 60, reason: 'a list', dryRun: true });
    assert.equal(answer.status, 200, answer.text);
    const { items, ok } = answer.body as ImportResult;
    assert.deepEqual(
      items.map(({ value, outcome }) => [value, outcome]),
      [
        ['203.0.113.7', 'ok'],
        ['203.0.113.99', 'known'],
        ['192.0.2.1', 'protected'],
        ['2001:db8::1', 'ok'],
        ['nonsense', 'invalid'],
        ['203.0.113.7', 'repeated'],
        ['198.51.100.0/24', 'ok'],
      ],
    );
    assert.equal(ok, 3);
    assert.match(items[2]?.message ?? '', /gateway/);
    assert.equal(h.control.calls.length, before, 'nothing was added');
  });

  it('are made as the check said, with one entry in the audit log', async () => {
    const answer = await post('/decisions/import', { values: LIST, durationSecs: 60, reason: 'a list' });
    const { items, ok } = answer.body as ImportResult;
    assert.equal(ok, 3);
    for (const { outcome, decisionId } of items) assert.equal(decisionId !== null, outcome === 'ok');
    const stored = await h.store.decisions.get(items[0]?.decisionId ?? '');
    assert.deepEqual([stored?.value, stored?.actor, stored?.reason], ['203.0.113.7', 'olga', 'a list']);
    const entries = h.audited.filter(({ action }) => action === 'decision.import');
    assert.equal(entries.length, 1);
    assert.match(JSON.stringify(entries[0]), /198\.51\.100\.0\/24/);
  });

  it('are lifted together; those that ended meanwhile are named', async () => {
    const [one, two] = [sampleDecision({ expiresMs: 0 }), sampleDecision({ expiresMs: 0 })];
    await h.store.decisions.save({ decision: one });
    await h.store.decisions.save({ decision: two });
    const gone = '01960000-0000-7000-8000-000000000000';
    const answer = await post('/decisions/release', { ids: [one.id, gone, two.id, one.id], reason: 'tidy up' });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.body as BulkRelease, { released: [one.id, two.id], gone: [gone] });
    assert.equal((await h.store.decisions.get(two.id))?.enforcement, 'revoked');
    assert.equal(h.audited.at(-1)?.action, 'decision.bulk_release');
  });

  it('that fail in the middle leave what was done before in the audit log', async () => {
    const [one, two] = [sampleDecision({ expiresMs: 0 }), sampleDecision({ expiresMs: 0 })];
    await h.store.decisions.save({ decision: one });
    const before = h.audited.length;
    const release = h.control.releaseDecision;
    h.control.releaseDecision = (id, ...rest) => {
      if (id === two.id) throw new Error('the database is away');
      return release(id, ...rest);
    };
    const answer = await post('/decisions/release', { ids: [one.id, two.id], reason: 'tidy up' });
    h.control.releaseDecision = release;
    assert.equal(answer.status, 500);
    assert.deepEqual(h.audited.slice(before).map(({ action, object }) => [action, object]), [['decision.bulk_release', '1']]); // prettier-ignore
  });

  it('are refused in a list without end, and without a reason', async () => {
    const many = Array.from({ length: 1001 }, (_, n) => `203.0.${n >> 8}.${n & 255}`);
    const request = { values: many, durationSecs: 60, reason: 'a list' };
    assertProblem(await post('/decisions/import', request), 400, 'request.invalid');
    assertProblem(await post('/decisions/import', { ...request, values: LIST, reason: '' }), 400, 'request.invalid');
    assertProblem(await post('/decisions/release', { ids: [], reason: 'x' }), 400, 'request.invalid');
  });
});

describe('a decision that is lifted and its address exempted in one step', () => {
  let h: Harness;
  before(async () => {
    h = await startHarness();
    await h.addUser('olga', 'operator');
  });
  after(() => h.close());

  it('is answered with both, and is one entry in the audit log; a second time it leaves nothing behind', async () => {
    const { token } = await h.login('olga');
    const decision = sampleDecision({ value: '203.0.113.44', expiresMs: 0 });
    await h.store.decisions.save({ decision });
    const ask = () =>
      h.call('POST', `/decisions/${decision.id}/allow`, { token, body: { durationSecs: 60, comment: 'a partner' } });
    const first = await ask();
    assert.equal(first.status, 200, first.text);
    assert.equal(h.audited.at(-1)?.action, 'decision.allow');
    assert.equal((await ask()).status, 404);
    const allowed = await h.store.allowlist.list({ limit: 10 });
    assert.deepEqual(allowed.items.map(({ value }) => value), ['203.0.113.44']); // prettier-ignore
  });
});
