import assert from 'node:assert/strict';
import { test } from 'node:test';
import { correlateOptionsSchema } from '../../../src/correlate/options.js';
import { warmUp } from '../../../src/daemons/server/warm-up.js';
import { loadPolicyFolder, policyOptionsSchema } from '../../../src/policy/index.js';

const rounds = 60;
const correlate = correlateOptionsSchema.parse({});
const policy = policyOptionsSchema.parse({});

test('the warm-up goes the whole way: with the shipped policies its detections become decisions', async () => {
  const { policies } = await loadPolicyFolder('policies');
  const decisions = warmUp({ correlate, policy, policies, rounds });
  assert.ok(decisions >= rounds / 3, `${decisions} decisions of ${rounds} detections`);
});

test('without policies it decides nothing, and harms nothing', () => {
  assert.equal(warmUp({ correlate, policy, policies: [], rounds }), 0);
});
