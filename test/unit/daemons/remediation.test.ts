import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import { createRemediationFeed } from '../../../src/daemons/server/remediation.js';
import type { Decision } from '../../../src/domain/decision.js';
import { parseCidr } from '../../../src/util/ip.js';

const NOW = 1_800_000_000_000;

function decision(id: string, value: string, change: Partial<Decision> = {}): Decision {
  return {
    id,
    action: 'block',
    scope: value.includes('/') ? 'cidr' : 'ip',
    value,
    traffic: 'from',
    durationSecs: 600,
    createdMs: NOW,
    expiresMs: NOW + 600_000,
    origin: 'policy',
    actor: 'p',
    reason: 'r',
    alertIds: [],
    simulated: false,
    mode: 'enforce',
    step: 0,
    enforcement: 'applied',
    trace: { packetUs: 0, detectedUs: 0, alertUs: 0, decidedUs: 0, receivedUs: 0, kernelUs: 0 },
    ...change,
  };
}
const values = (decisions: readonly Decision[]) => decisions.map((d) => d.value).sort();

describe('decisions for remediation components', () => {
  it('are all at first, then what changed', () => {
    const feed = createRemediationFeed(() => NOW);
    feed.changed(decision('1', '203.0.113.7'));
    assert.deepEqual(values(feed.changes('nginx', true).added), ['203.0.113.7']);
    assert.deepEqual(feed.changes('nginx', false), { isComplete: false, added: [], ended: [] });
    feed.changed(decision('2', '203.0.113.8'));
    feed.changed(decision('1', '203.0.113.7', { enforcement: 'revoked' }));
    const { added, ended } = feed.changes('nginx', false);
    assert.deepEqual([values(added), values(ended)], [['203.0.113.8'], ['203.0.113.7']]);
    assert.equal(feed.changes('haproxy', false).isComplete, true, 'who is not known gets everything');
  });

  it('do not end an address that another decision still blocks', () => {
    const feed = createRemediationFeed(() => NOW);
    feed.changed(decision('1', '203.0.113.7'));
    feed.changed(decision('2', '203.0.113.7', { expiresMs: NOW + 60_000 }));
    feed.changes('a', true);
    feed.changed(decision('1', '203.0.113.7', { enforcement: 'expired' }));
    const { added, ended } = feed.changes('a', false);
    assert.deepEqual(ended, []);
    assert.equal(added[0]?.expiresMs, NOW + 60_000);
  });

  it('come again when they were extended, although the decision is the same object', () => {
    const feed = createRemediationFeed(() => NOW);
    const one = decision('1', '203.0.113.7');
    feed.changed(one);
    feed.changes('a', true);
    one.expiresMs += 60_000;
    feed.changed(one);
    assert.equal(feed.changes('a', false).added[0]?.expiresMs, NOW + 660_000);
  });

  const kept: [string, Partial<Decision>][] = [
    ['one service', { scope: 'service', port: 22, proto: 6 }],
    ['a rate limit', { action: 'rate_limit' }],
    ['a simulated block', { simulated: true }],
    ['a quarantine of traffic to the address', { traffic: 'to' }],
    ['a block that the responder has not applied', { enforcement: 'pending' }],
    ['a block that is over', { expiresMs: NOW - 1 }],
  ];
  for (const [what, change] of kept) {
    it(`do not include ${what}`, () => {
      const feed = createRemediationFeed(() => NOW);
      feed.changed(decision('1', '203.0.113.7', change));
      assert.deepEqual(feed.changes('a', true).added, []);
      assert.deepEqual(feed.list({}), []);
    });
  }

  it('are found by an address they cover, and by a range they lie in', () => {
    const feed = createRemediationFeed(() => NOW);
    feed.restore([decision('1', '203.0.113.0/24'), decision('2', '198.51.100.7')]);
    assert.deepEqual(values(feed.list({ network: parseCidr('203.0.113.9')! })), ['203.0.113.0/24']);
    assert.deepEqual(values(feed.list({ network: parseCidr('192.0.2.1')! })), []);
    assert.deepEqual(values(feed.list({ within: parseCidr('198.51.0.0/16')! })), ['198.51.100.7']);
  });

  it('leave every reader with exactly what is in force, whenever it asks', () => {
    const step = fc.record({
      id: fc.nat(5),
      value: fc.nat(3),
      on: fc.boolean(),
      reader: fc.nat(2),
      asks: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const feed = createRemediationFeed(() => NOW);
        const truth = new Map<string, string>();
        const seen = [new Set<string>(), new Set<string>(), new Set<string>()];
        const ask = (reader: number): void => {
          const { isComplete, added, ended } = feed.changes(`r${reader}`, false);
          const mine = seen[reader]!;
          if (isComplete) mine.clear();
          for (const d of ended) mine.delete(d.value);
          for (const d of added) mine.add(d.value);
          assert.deepEqual([...mine].sort(), [...new Set(truth.values())].sort());
        };
        for (const { id, value, on, reader, asks } of steps) {
          const known = truth.get(String(id));
          const address = known ?? `203.0.113.${value}`;
          feed.changed(decision(String(id), address, on ? {} : { enforcement: 'revoked' }));
          if (on) truth.set(String(id), address);
          else truth.delete(String(id));
          if (asks) ask(reader);
        }
        for (const reader of seen.keys()) ask(reader);
      }),
      { numRuns: 200 },
    );
  });
});
