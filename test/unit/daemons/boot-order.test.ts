import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

/** Values of a key in the unit file of a daemon, all lines together. */
function valuesOf(daemon: string, key: string): string[] {
  const text = readFileSync(new URL(`../../../systemd/portcullis-${daemon}.service`, import.meta.url), 'utf8');
  return [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].flatMap(([, value = '']) => value.split(/\s+/));
}

test('after a reboot blocks are restored before the network is up, and after the ruleset of the distribution', () => {
  const before = valuesOf('responder', 'Before');
  assert.ok(before.includes('network-pre.target'), 'before any interface is configured');
  assert.ok(valuesOf('responder', 'Wants').includes('network-pre.target'), 'or nothing would wait for it');
  assert.deepEqual(valuesOf('responder', 'DefaultDependencies'), ['no'], 'or it would wait for basic.target');
  assert.ok(valuesOf('responder', 'After').includes('nftables.service'), 'or that would flush our table');
  assert.deepEqual(valuesOf('responder', 'Type'), ['notify'], 'started means that the blocks are in the kernel');
});

test('capture starts when blocks are restored, and the responder waits for neither of the others', () => {
  assert.ok(valuesOf('sensor', 'After').includes('portcullis-responder.service'));
  for (const other of ['server', 'sensor']) {
    const unit = `portcullis-${other}.service`;
    for (const key of ['After', 'Requires', 'BindsTo']) assert.ok(!valuesOf('responder', key).includes(unit), key);
  }
});
