import assert from 'node:assert/strict';
import test from 'node:test';
import type { Decision } from '../../../src/domain/decision.js';
import { createResponseMemory } from '../../../src/daemons/server/response-memory.js';

const real = { simulated: false } as Decision;
const counted = { simulated: true } as Decision;

test('an alert that grows while its block is in force still counts as blocked', () => {
  const memory = createResponseMemory();
  assert.equal(memory.of('a', undefined), undefined);
  assert.equal(memory.of('a', counted), 'simulated');
  assert.equal(memory.of('a', real), 'blocked');
  assert.equal(memory.of('a', undefined), 'blocked');
  assert.equal(memory.of('a', counted), 'blocked');
  assert.equal(memory.of('b', undefined), undefined);
});
