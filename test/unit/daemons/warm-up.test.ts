import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../../src/config/index.js';
import { correlateOptionsSchema } from '../../../src/correlate/options.js';
import { warmUpResponder } from '../../../src/daemons/responder-warm-up.js';
import { warmUpSensor } from '../../../src/daemons/sensor/warm-up.js';
import { warmUp, warmUpInParts } from '../../../src/daemons/server/warm-up.js';
import { enforceOptionsSchema } from '../../../src/enforce/index.js';
import { loadPolicyFolder, policyOptionsSchema } from '../../../src/policy/index.js';

const rounds = 60;
const correlate = correlateOptionsSchema.parse({});
const policy = policyOptionsSchema.parse({});

test('the warm-up goes the whole way: with the shipped policies its detections become decisions', async () => {
  const { policies } = await loadPolicyFolder('policies');
  const decisions = warmUp({ correlate, policy, policies, rounds });
  assert.ok(decisions >= rounds / 3, `${decisions} decisions of ${rounds} detections`);
});

test('in parts, for a daemon that works meanwhile, it decides the same', async () => {
  const { policies } = await loadPolicyFolder('policies');
  const parts = warmUpInParts({ correlate, policy, policies, rounds });
  assert.deepEqual(parts.next(), { done: false, value: undefined });
  assert.deepEqual(parts.next(), { done: true, value: warmUp({ correlate, policy, policies, rounds }) });
});

test('without policies it decides nothing, and harms nothing', () => {
  assert.equal(warmUp({ correlate, policy, policies: [], rounds }), 0);
});

test('the warm-up of the responder applies and lifts each decision, past the guard against many changes', async () => {
  const options = enforceOptionsSchema.parse({ guard: { max_changes_per_minute: 10 } });
  assert.equal(await warmUpResponder(options, rounds), 2 * rounds);
});

test('the warm-up of the sensor finds each of its scans, and none when scans are not looked for', async () => {
  const config = await loadConfig(undefined);
  assert.ok(warmUpSensor(config, 10) >= 10);
  const { behaviour } = config.detect;
  const without = { ...behaviour, portScan: { ...behaviour.portScan, enabled: false } };
  assert.equal(warmUpSensor({ ...config, detect: { ...config.detect, behaviour: without } }, 10), 0);
});
