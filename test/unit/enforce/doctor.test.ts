import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import { parseRuleset } from '../../../src/enforce/doctor/model.js';
import { checkRuleset } from '../../../src/enforce/doctor/ruleset-checks.js';
import { options } from './helpers.js';

type Json = Record<string, unknown>;

const OURS: Json[] = [
  { table: { family: 'inet', name: 'portcullis' } },
  {
    chain: {
      family: 'inet',
      table: 'portcullis',
      name: 'from_prerouting',
      type: 'filter',
      hook: 'prerouting',
      prio: -300,
      policy: 'accept',
    },
  },
  { chain: { family: 'inet', table: 'portcullis', name: 'screen4' } },
];
const chain = (table: string, name: string, hook: string, prio: number, family = 'inet'): Json => ({
  chain: { family, table, name, type: 'filter', hook, prio, policy: 'accept' },
});
const rule = (table: string, name: string, expr: Json[], family = 'inet'): Json => ({
  rule: { family, table, chain: name, expr },
});
const established = [
  { match: { op: 'in', left: { ct: { key: 'state' } }, right: ['established', 'related'] } },
  { accept: null },
];

const judge = (items: Json[], more: Record<string, unknown> = {}) => {
  const found = checkRuleset(parseRuleset([...OURS, ...items]), options(more));
  return (id: string) => found.find((i) => i.id === id);
};

describe('the doctor reads a ruleset', () => {
  it('and finds nothing wrong with ours alone', () => {
    const found = checkRuleset(parseRuleset(OURS), options());
    assert.deepEqual(
      found.filter((i) => i.status !== 'ok'),
      [],
    );
    assert.match(found[0]!.detail, /prerouting -300/);
  });

  const cases: [string, Json[], Record<string, unknown>, string, 'ok' | 'warning' | 'problem', RegExp][] = [
    [
      'a dormant table',
      [{ table: { family: 'bridge', name: 'portcullis', flags: ['dormant'] } }],
      {},
      'ruleset.table',
      'problem',
      /dormant/,
    ],
    [
      'established-accept in our chain',
      [rule('portcullis', 'screen4', established)],
      {},
      'ruleset.established',
      'problem',
      /goes on/,
    ],
    [
      'established-accept in a chain of another table',
      [chain('fw', 'forward', 'forward', 0), rule('fw', 'forward', established)],
      {},
      'ruleset.established',
      'ok',
      /inet fw forward accept.*own chain only/,
    ],
    [
      'a flowtable',
      [{ flowtable: { family: 'inet', table: 'fw', name: 'fast', hook: 'ingress', prio: 0, dev: ['eth0', 'eth1'] } }],
      {},
      'ruleset.flowtable',
      'problem',
      /eth0, eth1/,
    ],
    [
      'a flowtable behind our ingress hook',
      [{ flowtable: { family: 'inet', table: 'fw', name: 'fast', hook: 'ingress', prio: 0, dev: 'eth0' } }],
      { ingress_interfaces: ['eth0'] },
      'ruleset.flowtable',
      'ok',
      /first/,
    ],
    [
      'a queue before us',
      [chain('ips', 'pre', 'prerouting', -400), rule('ips', 'pre', [{ queue: { num: 0 } }])],
      {},
      'ruleset.earlier',
      'warning',
      /inet ips pre/,
    ],
    [
      'a harmless chain before us',
      [chain('raw', 'pre', 'prerouting', -400)],
      {},
      'ruleset.earlier',
      'ok',
      /inet raw pre/,
    ],
    [
      'Docker with our hook at input only',
      [{ chain: { family: 'ip', table: 'nat', name: 'DOCKER' } }],
      { hooks: [{ hook: 'input', priority: -300 }] },
      'ruleset.companions',
      'problem',
      /containers/,
    ],
    ['Docker', [{ chain: { family: 'ip', table: 'nat', name: 'DOCKER' } }], {}, 'ruleset.companions', 'ok', /DNAT/],
    [
      'fail2ban and firewalld',
      [{ table: { family: 'inet', name: 'f2b-table' } }, { table: { family: 'inet', name: 'firewalld' } }],
      {},
      'ruleset.companions',
      'ok',
      /fail2ban/,
    ],
    [
      'an interval set elsewhere',
      [{ set: { family: 'ip', table: 'geo', name: 'de', flags: ['interval'], size: 5 } }],
      {},
      'ruleset.intervals',
      'ok',
      /ip geo de/,
    ],
    ['a bridge filter', [chain('br', 'fwd', 'forward', 0, 'bridge')], {}, 'ruleset.bridge', 'warning', /bridge br fwd/],
  ];
  for (const [what, items, more, id, status, detail] of cases) {
    it(`and judges ${what}`, () => {
      const item = judge(items, more)(id);
      assert.equal(item?.status, status, JSON.stringify(item));
      assert.match(item.detail, detail);
      if (status !== 'ok') assert.ok((item.fix ?? '').length > 10, 'names the fix');
    });
  }

  it('and warns when our table is not there', () => {
    const found = checkRuleset(parseRuleset([]), options());
    assert.equal(found.find((i) => i.id === 'ruleset.table')?.status, 'warning');
  });

  it('and never fails on items it does not know', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.dictionary(
            fc.constantFrom('table', 'chain', 'rule', 'set', 'x'),
            fc.dictionary(fc.constantFrom('name', 'expr', 'flags', 'dev', 'prio'), fc.jsonValue()),
            { minKeys: 1 },
          ),
        ),
        (items) => {
          assert.ok(checkRuleset(parseRuleset(items), options()).length > 0);
        },
      ),
    );
  });
});
