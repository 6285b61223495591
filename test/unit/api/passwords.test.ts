import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createPasswords, defaultPasswords } from '../../../src/api/index.js';
import { PASSWORD, quickPasswords, startHarness, type Harness } from './harness.js';

/** scrypt at the cost of the OWASP password storage cheat sheet. */
const PRODUCT = /^scrypt\$15\$8\$3\$[\w-]{22}\$[\w-]{43}$/;

test('passwords are hashed at the cost of the product unless another one is asked for, and only the right one fits', async () => {
  const hash = await createPasswords().hash('Pa55 wort é');
  assert.match(hash, PRODUCT);
  assert.notEqual(await quickPasswords.hash('Pa55 wort é'), await quickPasswords.hash('Pa55 wort é'), 'the same salt');
  // Another way to write the same letter; and whoever checks need not hash at the cost it was made with.
  assert.ok(await quickPasswords.verify('Pa55 wort e\u0301', hash));
  assert.ok(!(await defaultPasswords.verify('Pa55 wort e', await quickPasswords.hash('Pa55 wort é'))));
  for (const bad of [undefined, '', 'plain$Pa55 wort é']) {
    assert.ok(!(await quickPasswords.verify('Pa55 wort é', bad)), String(bad));
  }
});

test('a user who does not exist costs a check as much as one who does', async () => {
  const cpuMs = async (task: () => Promise<unknown>): Promise<number> => {
    const start = process.cpuUsage();
    await task();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  };
  const nobody = await cpuMs(() => defaultPasswords.verify(PASSWORD, undefined));
  // The least of some: whatever else this process does meanwhile is counted as well.
  let quick = Infinity;
  for (let i = 0; i < 5; i++) quick = Math.min(quick, await cpuMs(() => quickPasswords.verify(PASSWORD, undefined)));
  assert.ok(nobody > 3 * quick, `${nobody} ms of processor time, at a 6,000th of the work ${quick}`);
});

describe('a server that is not told how to hash', () => {
  let h: Harness;
  before(async () => {
    h = await startHarness({}, {});
    await h.addUser('olga', 'admin');
  });
  after(() => h.close());

  test('renews a hash of another cost at the next login, and makes those of new passwords and users at its own', async () => {
    const stored = async (name: string): Promise<string> => (await h.store.users.get(name))?.passwordHash ?? '';
    const first = await stored('olga');
    assert.match(first, /^scrypt\$4\$8\$1\$/);
    const { token } = await h.login('olga');
    const renewed = await stored('olga');
    assert.match(renewed, PRODUCT);
    const added = await h.call('POST', '/users', { token, body: { name: 'nils', role: 'viewer' } });
    assert.equal(added.status, 201, added.text);
    assert.match(await stored('nils'), PRODUCT);
    const body = { current: PASSWORD, next: 'another horse altogether' };
    assert.equal((await h.call('POST', '/auth/password', { token, body })).status, 200);
    assert.match(await stored('olga'), PRODUCT);
    assert.notEqual(await stored('olga'), renewed);
  });
});
