import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import { ActiveDecisions, type ActiveDecision } from '../../../src/enforce/active.js';
import { keepDecision } from '../../../src/enforce/journal-record.js';
import { decision } from './helpers.js';

type Step = { what: 'put' | 'apply' | 'remove'; id: number; isFeed: boolean; simulated: boolean };

const steps = fc.array(
  fc.record<Step>({
    what: fc.constantFrom('put', 'put', 'apply', 'remove'),
    id: fc.integer({ min: 0, max: 5 }),
    isFeed: fc.boolean(),
    simulated: fc.boolean(),
  }),
  { maxLength: 60 },
);

function entryOf(step: Step): ActiveDecision {
  const origin = step.isFeed ? 'feed' : 'policy';
  return {
    kept: keepDecision(decision(`192.0.2.${step.id}`, { id: `d${step.id}`, origin })),
    simulated: step.simulated,
    deadlineMs: 1000,
    set: 'block4_32',
    note: undefined,
    heldBack: false,
    applied: false,
    list: undefined,
  };
}

/** Walks everything, as the counters must not. */
function counted(active: ActiveDecisions): { desired: number; unapplied: number; singles: string[] } {
  const all = [...active.values()];
  const real = all.filter((e) => !e.simulated);
  return {
    desired: real.length,
    unapplied: real.filter((e) => !e.applied).length,
    singles: all.filter((e) => e.kept.origin !== 'feed').map((e) => e.kept.id),
  };
}

describe('the decisions in force', () => {
  it('are counted as they come and go, the same as by walking them', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const active = new ActiveDecisions();
        const gone: ActiveDecision[] = [];
        for (const step of list) {
          const known = active.get(`d${step.id}`);
          if (known) gone.push(known);
          if (step.what === 'put') active.put(entryOf(step));
          else if (step.what === 'remove') active.remove(`d${step.id}`);
          // What has been replaced or removed may still be acknowledged.
          else for (const entry of [...gone, ...(known ? [known] : [])]) active.markApplied(entry);
          const { desired, unapplied, singles } = counted(active);
          assert.deepEqual([active.desired, active.unapplied], [desired, unapplied]);
          assert.deepEqual([...active.singleIds()].sort(), singles.sort());
        }
      }),
    );
  });

  it('are none when they are cleared', () => {
    const active = new ActiveDecisions();
    active.put(entryOf({ what: 'put', id: 1, isFeed: false, simulated: false }));
    active.clear();
    assert.deepEqual([active.size, active.desired, active.unapplied, [...active.singleIds()]], [0, 0, 0, []]);
  });
});
