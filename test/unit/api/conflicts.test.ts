import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { Incident } from '../../../src/domain/incident.js';
import { sampleIncident } from '../store/samples.js';
import { assertProblem, startHarness, type Harness } from './harness.js';

describe('two people who change the same incident', () => {
  let h: Harness;
  let anna: string;
  let bert: string;
  before(async () => {
    h = await startHarness();
    for (const name of ['anna', 'bert']) await h.addUser(name, 'analyst');
    [anna, bert] = [(await h.login('anna')).token, (await h.login('bert')).token];
  });
  after(() => h.close());
  const take = (id: string, token: string, owner: string, expect?: object) =>
    h.call('PATCH', `/incidents/${id}`, { token, body: { state: 'open', owner, ...(expect ? { expect } : {}) } });

  it('the second of those who take it at once is told whose it is, and takes nothing', async () => {
    const incident = sampleIncident({ id: randomUUID() });
    h.store.incidents.queue(incident);
    const seen = { state: incident.state, owner: null };
    const answers = await Promise.all([take(incident.id, anna, 'anna', seen), take(incident.id, bert, 'bert', seen)]);
    const winner = answers.findIndex(({ status }) => status === 200);
    const refused = answers.find(({ status }) => status !== 200);
    assert.ok(winner >= 0 && refused, JSON.stringify(answers.map(({ text }) => text)));
    const name = ['anna', 'bert'][winner];
    assert.match(
      assertProblem(refused, 409, 'incident.conflict').detail ?? '',
      new RegExp(`open and belongs to ${name}`),
    );
    assert.equal((await h.store.incidents.get(incident.id))?.owner, name);
    const changes = h.audited.filter(({ object, action }) => object === incident.id && action === 'incident.change');
    assert.equal(changes.length, 1, 'what was refused is no change in the audit log');
  });

  it('who has seen how it is may change it, and who expects nothing changes it in any case', async () => {
    const incident = sampleIncident({ id: randomUUID() });
    h.store.incidents.queue(incident);
    assert.equal((await take(incident.id, anna, 'anna')).status, 200);
    const after = await take(incident.id, bert, 'bert', { owner: 'anna' });
    assert.equal((after.body as Incident).owner, 'bert');
    assertProblem(await take(randomUUID(), bert, 'bert', { owner: 'anna' }), 404, 'api.not_found');
    assertProblem(await take(incident.id, bert, 'bert', { title: 'x' }), 400, 'request.invalid');
  });
});
