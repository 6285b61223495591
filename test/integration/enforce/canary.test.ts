import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { afterEach, describe, it } from 'node:test';
import { createCanaryDetection } from '../../../src/daemons/canary/detection.js';
import { behaviourOptionsSchema } from '../../../src/detect/behaviour/index.js';
import { runNamespaceCanary } from '../../../src/enforce/index.js';
import { options } from '../../unit/enforce/helpers.js';
import { skipReason } from './net.js';

describe('the canary in private namespaces', { skip: skipReason, timeout: 120_000 }, () => {
  afterEach(() => {
    const left = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
    assert.equal(
      left.some((name) => name.startsWith(`pcl-canary-${process.pid}`)),
      false,
    );
  });

  it('proves the ruleset', async () => {
    const { steps } = await runNamespaceCanary(options());
    assert.deepEqual(
      steps.filter((s) => !s.ok),
      [],
    );
    assert.equal(steps.length, 7);
  });

  it('proves the whole way, each step timed: packets, detection, decision, drop, release', async () => {
    const { ok, steps } = await runNamespaceCanary(options(), createCanaryDetection(behaviourOptionsSchema.parse({})));
    assert.ok(ok, JSON.stringify(steps, null, 1));
    const order = [
      'a sensor watches',
      'leads to a decision',
      'to the detection',
      'to the decision',
      'kernel element',
      'dropped and counted',
      'lifted',
      'passes again',
    ];
    const places = order.map((text) => steps.findIndex((s) => s.name.includes(text) && s.ms > 0));
    assert.ok(
      places.every((place, i) => place > (places[i - 1] ?? 0)),
      JSON.stringify(steps, null, 1),
    );
  });

  it('control: fails when the sensor does not notice what comes', async () => {
    const blind = behaviourOptionsSchema.parse({ portScan: { enabled: false } });
    const { ok, steps } = await runNamespaceCanary(options(), createCanaryDetection(blind, 8000));
    assert.equal(ok, false);
    assert.match(steps.at(-1)?.name ?? '', /leads to a decision/);
    assert.match(steps.at(-1)?.detail ?? '', /no "decision" within 8 s/);
  });
});
