import assert from 'node:assert/strict';
import test from 'node:test';
import { fc } from '../../support/fuzz.js';
import type { ProvenDecision, Statement } from '../../../src/fleet/seal.js';
import { aDecision, makeFleet } from './support.js';

const fleet = makeFleet({
  box1: { role: 'box', site: 'hq' },
  box2: { role: 'box', site: 'hq' },
  branch: { role: 'box', site: 'berlin' },
  server1: { role: 'server', site: 'hq' },
});
const active = (decision: ProvenDecision): Statement => ({ state: 'active', decision });
const said = (by: string, issuer = by, reach = 'all', version = 1): Statement =>
  active(fleet.sealer(by).decision(aDecision(), { issuer, reach, version }));

test('a decision that a member has signed counts; one signed with another key does not', () => {
  const trust = fleet.trust('box2');
  assert.equal(trust.refuse(said('box1')), undefined);
  const forged = active(fleet.stranger('box1').decision(aDecision(), { issuer: 'box1', reach: 'all', version: 1 }));
  assert.match(trust.refuse(forged) ?? '', /signature is not that of box1/);
  assert.match(trust.refuseDecision(aDecision()) ?? '', /not signed/);
});

test('whatever is changed in a signed decision, its signature does not fit any more', () => {
  const trust = fleet.trust('box2');
  const changes: Partial<ProvenDecision>[] = [
    { value: '198.51.100.77' },
    { action: 'rate_limit' },
    { scope: 'cidr' },
    { traffic: 'both' },
    { durationSecs: 0 },
    { expiresMs: 0 },
    { origin: 'operator' },
    { id: '01890000-0000-7000-8000-000000000000' },
    { port: 22 },
    { reason: 'another' },
  ];
  fc.assert(
    fc.property(fc.constantFrom(...changes), (change) => {
      const statement = said('box1');
      assert.equal(statement.state, 'active');
      if (statement.state !== 'active') return;
      assert.equal(trust.refuse(statement), undefined);
      assert.match(trust.refuse(active({ ...statement.decision, ...change })) ?? '', /signature/);
    }),
  );
  const wider = said('box1', 'box1', 'site:hq');
  if (wider.state === 'active') wider.decision.proof.reach = 'all';
  assert.match(trust.refuse(wider) ?? '', /signature/);
});

test('a box speaks for itself, a server for anybody', () => {
  const trust = fleet.trust('box2');
  assert.match(trust.refuse(said('box1', 'branch')) ?? '', /may not speak for branch/);
  assert.equal(trust.refuse(said('server1', 'branch')), undefined);
});

test('a decision reaches the boxes it is for', () => {
  const site = said('box1', 'box1', 'site:hq');
  assert.equal(fleet.trust('box2').refuse(site), undefined);
  assert.equal(fleet.trust('branch').concerns(site), false);
  assert.match(fleet.trust('branch').refuse(site) ?? '', /it is for site:hq/);
});

test('a box may take decisions from its own site or from servers only', () => {
  const byBox = said('box1');
  assert.equal(fleet.trust('box2', 'site').refuse(byBox), undefined);
  assert.match(fleet.trust('branch', 'site').refuse(byBox) ?? '', /not accepted here/);
  assert.match(fleet.trust('box2', 'servers').refuse(byBox) ?? '', /not accepted here/);
  assert.equal(fleet.trust('box2', 'servers').refuse(said('server1')), undefined);
  assert.equal(fleet.trust('box1', 'servers').refuse(byBox), undefined, 'its own always');
});

test('a newer roster takes a member off; an older or forged one changes nothing', () => {
  const trust = fleet.trust('box2');
  const byBox = said('box1');
  assert.equal(trust.refuse(byBox), undefined);
  const without = fleet.members.filter((m) => m.name !== 'box1');
  const other = makeFleet({ box1: { role: 'server', site: 'hq' } });
  assert.match(trust.offer(other.roster(9)) ?? '', /authority/);
  assert.equal(trust.refuse(byBox), undefined);
  assert.equal(trust.offer(fleet.roster(2, without)), undefined);
  assert.match(trust.refuse(byBox) ?? '', /not a member/);
  assert.match(trust.offer(fleet.roster(1)) ?? '', /not newer/);
  assert.match(trust.refuse(byBox) ?? '', /not a member/);
});
