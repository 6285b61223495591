import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionsOf } from '../../../scripts/detection/blocks.js';
import type { Detection } from '../../../src/domain/detection.js';
import { BEHAVIOURS } from '../../../src/detect/behaviour/catalogue.js';
import { Reporter } from '../../../src/detect/behaviour/reporter.js';

/** A host sweep as the detectors report it. */
function sweep(offender: string, more: { spoofable?: boolean; noBlock?: boolean } = {}): Detection[] {
  const out: Detection[] = [];
  new Reporter({ emit: (d) => out.push(d) }, 60).report({
    entry: BEHAVIOURS.hostSweep,
    offender,
    srcIp: offender,
    srcPort: 4000,
    dstIp: '10.77.128.10',
    dstPort: 80,
    proto: 6,
    spoofable: false,
    score: 0.9,
    confidence: 0.95,
    evidence: [],
    packetUs: 1.8e15,
    packetNumber: 1,
    ...more,
  });
  return out;
}

test('what the shipped policies do to a source is told: block, slow down, or nothing', async () => {
  const home = ['10.77.128.0/17'];
  assert.deepEqual([...(await actionsOf(sweep('203.0.113.9'), home))], [['203.0.113.9', 'block']]);
  assert.deepEqual(
    [...(await actionsOf(sweep('203.0.113.9', { spoofable: true }), home))],
    [['203.0.113.9', 'rate_limit']],
  );
  assert.deepEqual([...(await actionsOf(sweep('203.0.113.9', { noBlock: true }), home))], []);
  assert.deepEqual([...(await actionsOf([], home))], []);
});
