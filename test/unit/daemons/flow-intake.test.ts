import assert from 'node:assert/strict';
import test from 'node:test';
import { createFlowIntake } from '../../../src/daemons/server/flow-intake.js';
import type { FlowRecord } from '../../../src/domain/flow.js';

const flows = (n: number): FlowRecord[] => Array.from({ length: n }, (_, i) => ({ flowId: i }) as FlowRecord);
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('records are worked on in their order, a few a turn, so that other events come between', async () => {
  const seen: number[] = [];
  const intake = createFlowIntake((_sensor, flow) => seen.push(flow.flowId), 1000);
  intake.push('a', flows(40));
  assert.equal(seen.length, 0);
  await turn();
  assert.ok(seen.length > 0 && seen.length < 40, `${seen.length} in the first turn`);
  for (let i = 0; i < 10; i++) await turn();
  assert.deepEqual(
    seen,
    flows(40).map((f) => f.flowId),
  );
});

test('what does not fit is dropped and counted, and drain works off the rest at once', () => {
  const seen: number[] = [];
  const intake = createFlowIntake((_sensor, flow) => seen.push(flow.flowId), 10);
  intake.push('a', flows(25));
  assert.deepEqual(intake.stats(), { flows_waiting: 10, flows_dropped: 15 });
  intake.drain();
  assert.equal(seen.length, 10);
  assert.deepEqual(intake.stats(), { flows_waiting: 0, flows_dropped: 15 });
});
