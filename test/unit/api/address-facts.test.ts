import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createAddressFacts, type Names } from '../../../src/api/address-facts.js';
import { silentLogger } from '../../../src/util/logger.js';
import { mmdbFile } from '../util/mmdb-file.js';

/** A resolver that knows these, and counts what it is asked. */
function zone(reverse: Record<string, string[]>, forward: Record<string, string[]> = {}) {
  const asked: string[] = [];
  const names: Names = {
    reverse(address) {
      asked.push(address);
      return reverse[address] ? Promise.resolve(reverse[address]) : Promise.reject(new Error('ENOTFOUND'));
    },
    forward: (name) => Promise.resolve(forward[name] ?? []),
  };
  return { asked, names };
}

describe('what is known of an address', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'facts-'));
  });
  after(() => {
    rmSync(dir, { recursive: true });
  });

  it('is nothing, and nobody is asked, unless the configuration says so', async () => {
    const { asked, names } = zone({ '192.0.2.1': ['a.example'] });
    const book = createAddressFacts({ reverseDns: false }, silentLogger, { names });
    assert.deepEqual(await book.get('192.0.2.1'), {
      address: '192.0.2.1',
      reverseName: null,
      country: null,
      network: null,
    });
    assert.deepEqual(asked, []);
  });

  it('has a name that is confirmed only when it leads back to the address', async () => {
    const { names } = zone(
      { '192.0.2.1': ['mail.example'], '192.0.2.2': ['www.bank.example'], '192.0.2.3': ['<img src=x>', 'a b'] },
      { 'mail.example': ['192.0.2.9', '192.0.2.1'], 'www.bank.example': ['198.51.100.1'] },
    );
    const book = createAddressFacts({ reverseDns: true }, silentLogger, { names });
    assert.deepEqual((await book.get('192.0.2.1')).reverseName, { name: 'mail.example', confirmed: true });
    assert.deepEqual((await book.get('192.0.2.2')).reverseName, { name: 'www.bank.example', confirmed: false });
    assert.equal((await book.get('192.0.2.3')).reverseName, null, 'what is no name is not shown');
  });

  it('is asked for once an hour, also when there was no answer, and only so much at a time', async () => {
    const { asked, names } = zone({});
    let nowMs = 1000;
    const book = createAddressFacts({ reverseDns: true }, silentLogger, { names, now: () => nowMs });
    await book.get('192.0.2.1');
    await book.get('192.0.2.1');
    assert.equal(asked.length, 1);
    nowMs += 3_600_001;
    await book.get('192.0.2.1');
    assert.equal(asked.length, 2);
    await Promise.all(Array.from({ length: 50 }, (_, n) => book.get(`198.51.100.${n}`)));
    assert.equal(asked.length, 2 + 16);
  });

  it('has country and network from databases of the operator, and does without one that is broken', async () => {
    const place = mmdbFile([['192.0.2.0', 24, { country: { iso_code: 'de' } }], ['203.0.113.0', 24, { registered_country: { iso_code: 'FR' } }]]); // prettier-ignore
    const owner = mmdbFile([['192.0.2.0', 25, { autonomous_system_number: 64_500, autonomous_system_organization: 'Example Networks of Everywhere' }]]); // prettier-ignore
    const files = { countryDatabase: join(dir, 'c.mmdb'), asnDatabase: join(dir, 'a.mmdb') };
    writeFileSync(files.countryDatabase, place);
    writeFileSync(files.asnDatabase, owner);
    const book = createAddressFacts({ reverseDns: false, ...files }, silentLogger);
    const { country, network } = await book.get('192.0.2.77');
    assert.deepEqual([country, network], ['DE', { asn: 64_500, name: 'Example Networks of Everywhere' }]);
    assert.deepEqual((await book.get('192.0.2.200')).network, null);
    assert.deepEqual((await book.get('203.0.113.1')).country, 'FR');
    assert.deepEqual((await book.get('2001:db8::1')).country, null);
    writeFileSync(files.asnDatabase, 'nothing');
    const broken = createAddressFacts({ reverseDns: false, ...files }, silentLogger);
    assert.deepEqual((await broken.get('192.0.2.77')).network, null);
    assert.equal((await broken.get('192.0.2.77')).country, 'DE');
  });
});
