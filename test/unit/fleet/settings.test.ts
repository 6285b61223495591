import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import type { FleetSettings, SignedSettings } from '../../../src/contract/fleet.js';
import {
  checkSettings,
  NOT_NEWER,
  openSettingsBook,
  packSettings,
  SETTINGS_PURPOSE,
  unpackSettings,
} from '../../../src/fleet/fleet-settings.js';
import type { Sealer } from '../../../src/fleet/seal.js';
import { makeFleet } from './support.js';

const fleet = makeFleet({ box1: { role: 'box', site: 'hq' }, server1: { role: 'server', site: 'hq' } });
const trust = fleet.trust('box1');
const dir = mkdtempSync(join(tmpdir(), 'portcullis-settings-'));
after(() => rmSync(dir, { recursive: true }));

function signed(signer: string, sealer: Sealer, change: Partial<FleetSettings> = {}): SignedSettings {
  const text = JSON.stringify({ version: 1, allow: [], pausedUntilMs: 0, ...change });
  return { signer, text, signature: sealer.text(SETTINGS_PURPOSE, text) };
}

test('settings count when a server has signed them, and not from a box, a stranger, or changed on the way', () => {
  const good = signed('server1', fleet.sealer('server1'));
  assert.deepEqual(checkSettings(good, trust), { version: 1, allow: [], pausedUntilMs: 0 });
  assert.match(String(checkSettings(signed('box1', fleet.sealer('box1')), trust)), /not a server/);
  assert.match(String(checkSettings(signed('server1', fleet.stranger('server1')), trust)), /signature/);
  const changed = { ...good, text: good.text.replace('"pausedUntilMs":0', '"pausedUntilMs":9') };
  assert.match(String(checkSettings(changed, trust)), /signature/);
  const purposeless = { ...good, signature: fleet.sealer('server1').text('portcullis roster 1', good.text) };
  assert.match(String(checkSettings(purposeless, trust)), /signature/);
});

test('a version from the far future does not count: nothing could ever replace it', () => {
  const far = signed('server1', fleet.sealer('server1'), { version: Date.now() + 2 * 86_400_000 });
  assert.match(String(checkSettings(far, trust)), /future/);
});

test('the newest settings stay, over a restart too', () => {
  const path = join(dir, 'settings.json');
  const book = openSettingsBook(path, trust);
  const sealer = fleet.sealer('server1');
  assert.equal(book.offer(signed('server1', sealer, { version: 5, pausedUntilMs: 50 })), undefined);
  assert.equal(book.offer(signed('server1', sealer, { version: 4, pausedUntilMs: 40 })), NOT_NEWER);
  assert.equal(book.current()?.settings.pausedUntilMs, 50);
  assert.equal(openSettingsBook(path, trust).current()?.settings.pausedUntilMs, 50);
  const without = fleet.trust('box1');
  without.offer(
    fleet.roster(
      2,
      fleet.members.filter((m) => m.name !== 'server1'),
    ),
  );
  assert.equal(openSettingsBook(path, without).current(), undefined, 'not of a server that was revoked');
});

test('an allowlist as long as it may be fits into one message of a NATS server', () => {
  const allow = Array.from({ length: 16_384 }, (_, i) => ({
    ...{ id: `0190-${(i * 2_654_435_761) >>> 0}`, value: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` },
    ...{ owner: 'anna', comment: `customer ${i}`, createdMs: 1_700_000_000_000 + i, expiresMs: 0 },
  }));
  const message = signed('server1', fleet.sealer('server1'), { allow });
  const packed = packSettings(message);
  assert.ok(packed.length < 1024 * 1024, `${packed.length} bytes`);
  assert.deepEqual(unpackSettings(packed), message);
  assert.equal(unpackSettings('no gzip'), undefined);
});
