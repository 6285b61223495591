import assert from 'node:assert/strict';
import test from 'node:test';
import type { Mode } from '../../../src/domain/decision.js';
import { createPolicyEngine, parsePolicy, policyOptionsSchema, type Policy } from '../../../src/policy/index.js';
import { parseCidr, cidrOverlaps } from '../../../src/util/ip.js';
import { makeAlert as alert, T0 } from './helpers.js';

function policy(extra = '', when = 'labels: [port_scan]'): Policy {
  const parsed = parsePolicy(
    `format: 1
name: scan
description: d
when: { ${when} }
respond:
  ladder:
    - { action: block, duration: 60 }
    - { action: block, duration: 600 }
  forget_after: 1h
  probation: 1h
${extra}`,
    'p.yaml',
  );
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.policy;
}

function engine(
  policies: Policy[],
  settings: { mode?: Mode; pausedUntilMs?: number; protectedNets?: string[]; options?: object } = {},
) {
  let n = 0;
  const made = createPolicyEngine(policyOptionsSchema.parse(settings.options ?? {}), {
    mode: () => settings.mode ?? 'enforce',
    pausedUntilMs: () => settings.pausedUntilMs ?? 0,
    newId: () => `d${++n}`,
    findProtected: (net) => {
      const hit = (settings.protectedNets ?? []).find((p) => cidrOverlaps(parseCidr(p)!, net));
      return hit === undefined ? undefined : { value: hit, reason: 'gateway', detail: 'eth0' };
    },
    findAllowed: () => undefined,
    blastRadius: () => undefined,
  });
  made.setPolicies(policies);
  return made;
}

test('an offence while a block is in force makes no second decision, and the next one after it climbs the ladder', () => {
  const e = engine([policy()]);
  assert.equal(e.judge(alert(), T0).decision?.durationSecs, 60);
  assert.equal(e.judge(alert(), T0 + 30_000).decision, undefined);
  const second = e.judge(alert(), T0 + 61_000).decision;
  assert.equal(second?.durationSecs, 600);
  assert.equal(second.step, 1);
});

test('an offender that stays quiet is forgotten and starts at the first step again', () => {
  const e = engine([policy()]);
  e.judge(alert(), T0);
  assert.equal(e.judge(alert(), T0 + 3_700_000).decision?.durationSecs, 60);
});

test('a block released as a mistake is forgiven, one that merely ended is not', () => {
  const forgiven = engine([policy()]);
  forgiven.ended(forgiven.judge(alert(), T0).decision!.id, true);
  assert.equal(forgiven.judge(alert(), T0 + 1000).decision?.step, 0);
  const ended = engine([policy()]);
  ended.ended(ended.judge(alert(), T0).decision!.id, false);
  assert.equal(ended.judge(alert(), T0 + 1000).decision?.step, 1);
});

test('a block takes the place of a decision that only counted, and of that one alone', () => {
  const settings: { mode: Mode } = { mode: 'suggest' };
  const e = engine([policy('mode: enforce')], settings);
  const counted = e.judge(alert(), T0);
  assert.equal(counted.decision?.simulated, true);
  settings.mode = 'enforce';
  const real = e.judge(alert(), T0 + 1000);
  assert.equal(real.decision?.simulated, false);
  assert.equal(real.replaces, counted.decision?.id);
  const later = e.judge(alert(), T0 + 700_000);
  assert.ok(later.decision);
  assert.equal(later.replaces, undefined, 'what has ended is not replaced');
});

test('a block takes the place of a rate limit of the same address, and a rate limit never that of a block', () => {
  const e = engine([policy('  when_spoofable: rate_limit')]);
  const slowed = e.judge(alert({ spoofable: true }), T0);
  assert.equal(slowed.decision?.action, 'rate_limit');
  const blocked = e.judge(alert(), T0 + 1000);
  assert.equal(blocked.decision?.action, 'block');
  assert.equal(blocked.replaces, slowed.decision.id);
  assert.equal(e.judge(alert({ spoofable: true }), T0 + 2000).decision, undefined);
});

test('of several decisions on an address the newest is remembered after a restart, in whatever order they come', () => {
  const before = engine([policy()]);
  const first = before.judge(alert(), T0).decision!;
  const second = before.judge(alert(), T0 + 61_000).decision!;
  for (const order of [
    [first, second],
    [second, first],
  ]) {
    const e = engine([policy()]);
    e.restore(order);
    assert.equal(e.judge(alert(), T0 + 120_000).decision, undefined, 'the second is in force for ten minutes');
    assert.equal(e.judge(alert(), T0 + 700_000).decision?.step, 1);
  }
});

test('IPv6 neighbours in one /64 share their history', () => {
  const e = engine([policy()]);
  e.judge(alert({ offender: '2001:db8::1' }), T0);
  assert.equal(e.judge(alert({ offender: '2001:db8::2' }), T0 + 61_000).decision?.step, 1);
});

test("what a rule's author wrote as action is an input: a policy may ask for it, and without one it orders nothing", () => {
  const signature = { tiers: ['signature' as const], label: 'port_scan', offender: '203.0.113.8' };
  const dropped = alert({ ...signature, metadata: { rule_action: ['drop'] } });
  assert.equal(engine([]).judge(dropped, T0).decision, undefined, 'no policy, no block');
  const asked = policy('', 'labels: [port_scan], signature: { actions: [drop, reject] }');
  assert.equal(engine([asked]).judge(dropped, T0).decision?.action, 'block');
  const { verdict, decision } = engine([asked]).judge(alert(signature), T0);
  assert.equal(decision, undefined, 'the action of a rule that says alert is alert');
  assert.match(JSON.stringify(verdict), /rule action alert not in drop, reject/);
});

test('the mode of the box caps the mode of the policy', () => {
  const observed = engine([policy()], { mode: 'observe' }).judge(alert(), T0);
  assert.equal(observed.decision?.simulated, true);
  assert.equal(observed.verdict.mode, 'observe');
  const modest = engine([policy('mode: suggest\n')]).judge(alert(), T0);
  assert.equal(modest.verdict.mode, 'suggest');
  assert.equal(modest.decision?.simulated, true);
});

test('a real block follows a simulated one when the mode changes', () => {
  const settings: { mode: Mode } = { mode: 'observe' };
  const e = createSwitching(settings);
  assert.equal(e.judge(alert(), T0).decision?.simulated, true);
  settings.mode = 'enforce';
  assert.equal(e.judge(alert(), T0 + 1000).decision?.simulated, false);
});

function createSwitching(settings: { mode: Mode }) {
  const e = createPolicyEngine(policyOptionsSchema.parse({}), {
    mode: () => settings.mode,
    pausedUntilMs: () => 0,
    newId: () => 'd',
    findProtected: () => undefined,
    findAllowed: () => undefined,
    blastRadius: () => undefined,
  });
  e.setPolicies([policy()]);
  return e;
}

test('a pause simulates and says for how long', () => {
  const { verdict, decision } = engine([policy()], { pausedUntilMs: T0 + 90_000 }).judge(alert(), T0);
  assert.equal(decision?.simulated, true);
  assert.match(verdict.guards[0]?.text ?? '', /paused for 1m 30s/);
});

test('the cap of blocks a minute trips into suggesting and recovers', () => {
  const e = engine([policy('caps: { blocks_per_minute: 3 }\n')]);
  const judge = (i: number, at: number) => e.judge(alert({ offender: `203.0.113.${i}` }), at);
  for (let i = 1; i <= 3; i++) assert.equal(judge(i, T0).decision?.simulated, false);
  const fourth = judge(4, T0 + 1000);
  assert.equal(fourth.decision?.simulated, true);
  assert.match(fourth.verdict.guards[0]?.text ?? '', /reach the cap/);
  assert.equal(judge(5, T0 + 61_000).decision?.simulated, false);
});

test('a protected offender is refused with the reason', () => {
  const { verdict, decision } = engine([policy()], { protectedNets: ['203.0.113.7'] }).judge(alert(), T0);
  assert.equal(decision, undefined);
  assert.match(verdict.reason, /203\.0\.113\.7 is protected \(gateway: eth0\)/);
});

test('the verdict names the first condition that failed in each policy that was asked', () => {
  const { verdict } = engine([policy()]).judge(alert({ label: 'other' }), T0);
  assert.deepEqual(verdict.considered, [{ policy: 'scan', matched: false, failed: 'label other not in port_scan' }]);
});

test('a network that offends is stopped as a network: its attacked service first, then all of it', () => {
  const parsed = parsePolicy(
    `format: 1
name: guess
description: d
when: { labels: ['*brute_force'] }
respond:
  ladder:
    - { action: block, scope: service, duration: 60 }
    - { action: block, scope: ip, duration: 600 }
  when_spoofable: rate_limit
`,
    'p.yaml',
  );
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const e = engine([parsed.policy]);
  const by = { label: 'network_brute_force', offender: '203.0.113.0/24', srcPort: 40_000, dstPort: 22, ports: [22] };
  const first = e.judge(alert(by), T0).decision;
  assert.deepEqual([first?.scope, first?.value, first?.port], ['service', '203.0.113.0/24', 22]);
  const second = e.judge(alert(by), T0 + 120_000).decision;
  assert.deepEqual([second?.scope, second?.value], ['cidr', '203.0.113.0/24']);
  const several = engine([parsed.policy]).judge(
    alert({ ...by, offender: '203.0.113.7', ports: [21, 22] }),
    T0,
  ).decision;
  assert.deepEqual([several?.scope, several?.value], ['ip', '203.0.113.7'], 'no single service to name');
  const forged = engine([parsed.policy]).judge(alert({ ...by, ports: [22, 23], spoofable: true }), T0).decision;
  assert.deepEqual([forged?.action, forged?.scope], ['rate_limit', 'cidr']);
});

test('the memory of offenders is bounded and what is forgotten is counted', () => {
  const e = engine([policy('caps: { blocks_per_minute: 100000, active: 100000 }\n')], {
    options: { max_offenders: 100 },
  });
  for (let i = 0; i < 250; i++) e.judge(alert({ offender: `198.51.${100 + (i >> 8)}.${i & 255}` }), T0 + i);
  assert.equal(e.stats().offenders, 100);
  assert.equal(e.stats().offenders_evicted, 150);
});

test('after a restart the restored decisions count as offences', () => {
  const before = engine([policy()]);
  const decision = before.judge(alert(), T0).decision!;
  const after = engine([policy()]);
  after.restore([decision]);
  assert.equal(after.judge(alert(), T0 + 1000).decision, undefined);
  assert.equal(after.judge(alert(), T0 + 61_000).decision?.step, 1);
});

test('a flood of forged sources blocks nobody, and neither decisions nor memory grow with it', () => {
  const e = engine([policy('caps: { blocks_per_minute: 5 }\n')]);
  const made = { real: 0, simulated: 0, wide: 0 };
  for (let i = 0; i < 20_000; i++) {
    const offender = `198.${18 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;
    const { decision } = e.judge(alert({ offender, srcIp: offender, spoofable: true }), T0 + i);
    if (!decision) continue;
    if (decision.action === 'block' && !decision.simulated) made.wide++;
    made[decision.simulated ? 'simulated' : 'real']++;
  }
  assert.deepEqual(made, { real: 5, simulated: 50, wide: 0 });
  const forged = e.judge(alert({ offender: '198.19.255.1', spoofable: true }), T0 + 20_000);
  assert.equal(forged.verdict.guards.at(-1)?.effect, 'refused');
  const proved = e.judge(alert({ offender: '203.0.113.200' }), T0 + 20_000).decision;
  assert.deepEqual([proved?.action, proved?.simulated], ['block', false], 'a real offender among them is blocked');
});
