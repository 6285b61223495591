import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CHANGEABLE, configKeys, CONSOLE_SETTINGS_FILE, loadConfig } from '../../../src/config/index.js';
import { toSnake } from '../../../src/config/snake.js';
import { behaviourOptionsSchema } from '../../../src/detect/behaviour/index.js';

const SECTIONS = Object.entries(behaviourOptionsSchema.parse({})).filter(
  ([, options]) => typeof options === 'object' && 'enabled' in options,
);

test('every behaviour detector has a switch that the console may turn, and what it turns is a key of the configuration', () => {
  const keys = new Set(configKeys().map(({ key }) => key));
  assert.ok(SECTIONS.length >= 14, `${SECTIONS.length} sections`);
  for (const [section] of SECTIONS) assert.equal(CHANGEABLE[`detect.behaviour.${toSnake(section)}.enabled`], 'restart');
  for (const key of Object.keys(CHANGEABLE)) assert.ok(keys.has(key), key);
});

test('a detector that was switched off and one whose threshold was changed in the console are so after the next start', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'console-settings-'));
  try {
    const file = join(dir, 'portcullis.yaml');
    writeFileSync(file, `data_dir: ${dir}\n`);
    const changes = { 'detect.behaviour.beacon.enabled': false, 'detect.behaviour.port_scan.ports': 25 };
    writeFileSync(join(dir, CONSOLE_SETTINGS_FILE), JSON.stringify({ ...changes, 'enforce.backend': 'dry_run' }));
    const { behaviour } = (await loadConfig(file)).detect;
    assert.equal(behaviour.beacon.enabled, false);
    assert.equal(behaviour.portScan.ports, 25);
    assert.equal(behaviour.arp.enabled, true, 'the others stay on');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
