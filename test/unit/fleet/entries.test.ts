import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import type { FleetSettings, SignedEntry } from '../../../src/contract/fleet.js';
import { ADDRESSES, PEERS, POLICIES, policyKey, SETTINGS, SETTINGS_KEY } from '../../../src/fleet/entries.js';
import type { Sealer } from '../../../src/fleet/seal.js';
import {
  checkEntry,
  entryText,
  NOT_NEWER,
  openEntryBook,
  packEntry,
  unpackEntry,
} from '../../../src/fleet/signed-entry.js';
import { makeFleet } from './support.js';

const fleet = makeFleet({
  box1: { role: 'box', site: 'hq' },
  server1: { role: 'server', site: 'hq' },
  server2: { role: 'server', site: 'hq' },
});
const trust = fleet.trust('box1');
const dir = mkdtempSync(join(tmpdir(), 'portcullis-entries-'));
after(() => rmSync(dir, { recursive: true }));

function signed(
  signer: string,
  change: Partial<FleetSettings> = {},
  sealer: Sealer = fleet.sealer(signer),
): SignedEntry {
  const text = JSON.stringify({ version: 1, allow: [], pausedUntilMs: 0, ...change });
  return { signer, text, signature: sealer.text(SETTINGS.purpose, entryText(SETTINGS_KEY, text)) };
}
const checked = (entry: SignedEntry): string => String(checkEntry(SETTINGS, SETTINGS_KEY, entry, trust));

test('settings count when a server has signed them, and not from a box, a stranger, or changed on the way', () => {
  const good = signed('server1');
  assert.deepEqual(checkEntry(SETTINGS, SETTINGS_KEY, good, trust), { version: 1, allow: [], pausedUntilMs: 0 });
  assert.match(checked(signed('box1')), /not a server/);
  assert.match(checked(signed('server1', {}, fleet.stranger('server1'))), /signature/);
  assert.match(checked({ ...good, text: good.text.replace('"pausedUntilMs":0', '"pausedUntilMs":9') }), /signature/);
  const purposeless = fleet.sealer('server1').text('portcullis roster 1', entryText(SETTINGS_KEY, good.text));
  assert.match(checked({ ...good, signature: purposeless }), /signature/);
});

test('a policy that was signed under one name does not count under another, and none from a box counts', () => {
  const text = JSON.stringify({ version: 1, yaml: null, policyVersion: 0, actor: 'anna', comment: '', savedMs: 0 });
  const by = (signer: string): SignedEntry => ({
    ...{ signer, text },
    signature: fleet.sealer(signer).text(POLICIES.purpose, entryText(policyKey('scan'), text)),
  });
  assert.equal(typeof checkEntry(POLICIES, policyKey('scan'), by('server1'), trust), 'object', 'the control');
  assert.match(String(checkEntry(POLICIES, policyKey('flood'), by('server1'), trust)), /signature/);
  assert.match(String(checkEntry(POLICIES, policyKey('scan'), by('box1'), trust)), /not a server/);
});

test('a member says its own addresses and nobody else does, not even a server', () => {
  const text = JSON.stringify({ version: 1, addresses: ['192.0.2.1'] });
  const said = (signer: string, key: string): string | object => {
    const signature = fleet.sealer(signer).text(ADDRESSES.purpose, entryText(key, text));
    return checkEntry(ADDRESSES, key, { signer, text, signature }, trust);
  };
  assert.equal(typeof said('box1', 'address.box1'), 'object', 'the control');
  assert.match(String(said('box1', 'address.server1')), /another/);
  assert.match(String(said('server1', 'address.box1')), /another/);
});

test('a server says its own peers, and neither a box nor another server does', () => {
  const peer = { value: '192.0.2.9', reason: 'siem', detail: 'destination soc', expiresMs: 0 };
  const said = (signer: string, key: string, more: object = {}): string | object => {
    const text = JSON.stringify({ version: 1, entries: [{ ...peer, ...more }] });
    const signature = fleet.sealer(signer).text(PEERS.purpose, entryText(key, text));
    return checkEntry(PEERS, key, { signer, text, signature }, trust);
  };
  assert.equal(typeof said('server1', 'peers.server1'), 'object', 'the control');
  assert.match(String(said('server1', 'peers.server2')), /another/);
  assert.match(String(said('box1', 'peers.box1')), /not a server/);
  assert.match(String(said('server1', 'peers.server1', { reason: 'own_address' })), /contract/);
});

test('a version from the far future does not count: nothing could ever replace it', () => {
  assert.match(checked(signed('server1', { version: Date.now() + 2 * 86_400_000 })), /future/);
});

test('the newest entry stays, over a restart too', () => {
  const path = join(dir, 'settings.json');
  const book = openEntryBook(path, SETTINGS, trust);
  assert.equal(book.offer(SETTINGS_KEY, signed('server1', { version: 5, pausedUntilMs: 50 })), undefined);
  assert.equal(book.offer(SETTINGS_KEY, signed('server1', { version: 4, pausedUntilMs: 40 })), NOT_NEWER);
  assert.equal(book.get(SETTINGS_KEY)?.value.pausedUntilMs, 50);
  assert.equal(openEntryBook(path, SETTINGS, trust).get(SETTINGS_KEY)?.value.pausedUntilMs, 50);
  const without = fleet.trust('box1');
  const left = fleet.members.filter((m) => m.name !== 'server1');
  without.offer(fleet.roster(2, left));
  assert.equal(openEntryBook(path, SETTINGS, without).get(SETTINGS_KEY), undefined, 'not of a server that was revoked');
});

test('of two servers that write in the same millisecond all choose the same, whichever they hear first', () => {
  const [one, two] = [signed('server1', { pausedUntilMs: 1 }), signed('server2', { pausedUntilMs: 2 })];
  const heard = [[one, two] as const, [two, one] as const].map((entries, i) => {
    const book = openEntryBook(join(dir, `tie${i}.json`), SETTINGS, trust);
    for (const entry of entries) book.offer(SETTINGS_KEY, entry);
    return book.get(SETTINGS_KEY)?.value.pausedUntilMs;
  });
  assert.deepEqual(heard, [2, 2]);
});

test('an allowlist as long as it may be fits into one message of a NATS server', () => {
  const allow = Array.from({ length: 16_384 }, (_, i) => ({
    ...{ id: `0190-${(i * 2_654_435_761) >>> 0}`, value: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` },
    ...{ owner: 'anna', comment: `customer ${i}`, createdMs: 1_700_000_000_000 + i, expiresMs: 0 },
  }));
  const message = signed('server1', { allow });
  const packed = packEntry(message);
  assert.ok(packed.length < 1024 * 1024, `${packed.length} bytes`);
  assert.deepEqual(unpackEntry(packed), message);
  assert.equal(unpackEntry('no gzip'), undefined);
});
