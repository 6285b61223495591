import assert from 'node:assert/strict';
import test from 'node:test';
import type { FleetPolicy } from '../../../src/contract/fleet.js';
import { createBoxPolicies } from '../../../src/daemons/server/box-policies.js';
import { createFleetPolicies } from '../../../src/daemons/server/fleet-policies.js';
import { createAddressMemory, ownAddresses } from '../../../src/daemons/server/fleet-peers.js';
import type { PolicyBook } from '../../../src/daemons/server/policies.js';
import type { PoliciesLink } from '../../../src/fleet/index.js';
import { policyDigest, type Policy, type PolicyEngine } from '../../../src/policy/index.js';
import { AppError } from '../../../src/util/errors.js';
import { silentLogger } from '../../../src/util/logger.js';
import { waitFor } from '../../lab/wait.js';

const DIR = 'policies';
const entry = (yaml: string | null, version = 1): FleetPolicy => ({
  ...{ version, yaml, policyVersion: version, actor: 'anna', comment: 'why', savedMs: 7 },
});

/** What a fleet holds, shared by all in a test. */
function makeLink(held = new Map<string, FleetPolicy>(), isListed = true): PoliciesLink {
  return {
    current: () => [...held],
    get: (name) => held.get(name),
    set: (name, policy) => void held.set(name, { ...policy, version: (held.get(name)?.version ?? 0) + 1 }),
    isListed: () => isListed,
  };
}

/** A server with texts instead of files. */
function makeServer(link: PoliciesLink, saved: Record<string, string> = {}) {
  const audited: object[] = [];
  const superseded: string[] = [];
  const failed: string[] = [];
  let told: Parameters<PolicyBook['onChange']>[0] = () => undefined;
  let isAway = false;
  const control = createFleetPolicies({
    policies: {
      saved: async (name) => saved[name] ?? null,
      savedNames: async () => Object.keys(saved),
      async adopt(name, yaml) {
        if (isAway) throw new Error('the database is away');
        if (yaml === 'bad') throw new AppError({ kind: 'user', code: 'policy.invalid', message: 'no' });
        if ((saved[name] ?? null) === yaml) return false;
        if (yaml === null) delete saved[name];
        else saved[name] = yaml;
        return true;
      },
      onChange: (handler) => void (told = handler),
    },
    versionOf: () => 3,
    link: () => link,
    supersede: async (name) => void superseded.push(name),
    audit: { append: async (record: object) => void audited.push(record) } as never,
    failed: (message) => void failed.push(message),
    log: silentLogger,
  });
  return {
    ...{ control, saved, audited, superseded, failed },
    save(name: string, yaml: string) {
      saved[name] = yaml;
      told(name, { actor: 'bert', comment: 'better' });
    },
    away: (is: boolean) => void (isAway = is),
  };
}

test('a policy saved at one server is saved at the other, with audit, and a pending change of it there is settled', async () => {
  const link = makeLink();
  const [one, two] = [makeServer(link), makeServer(link)];
  for (const { control } of [one, two]) control.tick();
  one.save('scan', 'text 1');
  await waitFor('it is said', () => link.get('scan'));
  assert.deepEqual(link.get('scan')?.policyVersion, 3);
  two.control.heard('scan');
  await waitFor('it is audited', () => two.audited.length > 0);
  assert.equal(two.saved['scan'], 'text 1');
  assert.deepEqual(two.superseded, ['scan']);
  assert.deepEqual(two.audited, [
    {
      ...{ actor: 'bert', address: '', outcome: 'success', action: 'policy.adopt', object: 'scan', reason: 'better' },
      ...{ before: { yaml: null }, after: { yaml: 'text 1' } },
    },
  ]);
  assert.deepEqual([one.audited, one.superseded], [[], []], 'nothing at the one that said it');
});

test('at its start a server follows the fleet, not its own files, and says only what the fleet does not know', async () => {
  const link = makeLink(
    new Map([
      ['scan', entry('theirs')],
      ['gone', entry(null)],
    ]),
  );
  const server = makeServer(link, { scan: 'mine', gone: 'mine', alone: 'mine' });
  server.control.tick();
  await waitFor('its own is said', () => link.get('alone'));
  assert.deepEqual(server.saved, { scan: 'theirs', alone: 'mine' });
  assert.equal(link.get('scan')?.yaml, 'theirs');
});

test('before the bus has told what it holds, nothing that a file says is said', async () => {
  const link = makeLink(new Map([['first', entry('x')]]), false);
  const server = makeServer(link, { scan: 'mine' });
  server.control.tick();
  await waitFor('what is known is taken', () => server.saved['first']);
  assert.equal(link.get('scan'), undefined);
});

test('while the database is away a policy waits; one that cannot be read is reported once', async () => {
  const link = makeLink(
    new Map([
      ['scan', entry('x')],
      ['odd', entry('bad')],
    ]),
  );
  const server = makeServer(link);
  server.away(true);
  server.control.tick();
  await new Promise(setImmediate);
  assert.deepEqual(server.saved, {});
  server.away(false);
  await waitFor('it is taken', () => {
    server.control.tick();
    return server.saved['scan'];
  });
  assert.equal(server.failed.length, 1);
});

function makeBox(link: PoliciesLink | undefined) {
  let inForce: readonly Policy[] = [];
  const engine = {
    setPolicies: (policies: readonly Policy[]) => void (inForce = policies),
    policies: () => inForce,
  } as unknown as PolicyEngine;
  const failed: string[] = [];
  const fleet = (): PoliciesLink | undefined => link;
  const policies = createBoxPolicies({
    dir: DIR,
    engine,
    fleet,
    failed: (m) => void failed.push(m),
    log: silentLogger,
  });
  return { policies, failed, byName: (name: string) => inForce.find((p) => p.name === name), all: () => inForce };
}
const OFF = 'format: 1\nname: scan\ndescription: off\nenabled: false\noutcome: monitor\n';

test('a box decides by what a server has saved in the place of its own file, by the file again when that is taken back', async () => {
  const held = new Map([['scan', entry(OFF, 9)]]);
  const box = makeBox(makeLink(held));
  await box.policies.load();
  const count = box.all().length;
  assert.deepEqual([box.byName('scan')?.enabled, box.byName('scan')?.version], [false, 9]);
  const ours = policyDigest(box.all());
  held.set('scan', entry(null, 10));
  box.policies.heard();
  assert.equal(box.byName('scan')?.enabled, true);
  assert.equal(box.all().length, count);
  assert.notEqual(policyDigest(box.all()), ours, 'members that decide otherwise are told apart');
});

test('a text that this version cannot read leaves the one before it in force, and is counted', async () => {
  const held = new Map([['scan', entry(OFF, 9)]]);
  const box = makeBox(makeLink(held));
  await box.policies.load();
  held.set('scan', entry('format: 99\nname: scan\n', 10));
  box.policies.heard();
  assert.equal(box.byName('scan')?.version, 9);
  assert.equal(box.failed.length, 1);
});

test('a box that keeps to its own files does so', async () => {
  const box = makeBox(undefined);
  await box.policies.load();
  assert.equal(box.byName('scan')?.enabled, true);
});

test('the digest tells policies that say something else apart, and not those from another file or version', async () => {
  const box = makeBox(undefined);
  await box.policies.load();
  const other = [...box.all()].reverse().map((p) => ({ ...p, version: 5, source: 'elsewhere' }));
  assert.equal(policyDigest(other), policyDigest(box.all()));
  assert.notEqual(policyDigest(other.slice(1)), policyDigest(box.all()));
});

test('a member says the addresses that others know it by: not loopback, not link-local', () => {
  const info = (address: string, internal = false) =>
    ({ address, internal, family: 'IPv4', netmask: '', mac: '', cidr: null }) as const;
  const found = ownAddresses({
    lo: [info('127.0.0.1', true)],
    eth0: [info('192.0.2.7'), info('fe80::1'), info('2001:db8::7')] as never,
    eth1: [info('169.254.3.4'), info('192.0.2.7')],
  });
  assert.deepEqual(found, ['192.0.2.7', '2001:db8::7']);
});

test('a box whose link is down for a while is known by the same addresses, over a restart too, and not for ever', () => {
  const said = createAddressMemory(['192.0.2.7']);
  assert.deepEqual(said([], 0), ['192.0.2.7'], 'what it said before it was restarted');
  assert.deepEqual(said(['192.0.2.7', '192.0.2.8'], 1000), ['192.0.2.7', '192.0.2.8']);
  assert.deepEqual(said(['192.0.2.8'], 3_600_000), ['192.0.2.7', '192.0.2.8']);
  assert.deepEqual(said(['192.0.2.8'], 3_700_000), ['192.0.2.8']);
  const many = Array.from({ length: 40 }, (_, i) => `198.51.100.${i}`);
  assert.equal(said(many, 3_700_001).length, 32);
});
