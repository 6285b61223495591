import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLayout, specFor } from '../../../src/enforce/layout.js';
import { maskText, renderExtension, renderRuleset } from '../../../src/enforce/ruleset.js';
import { parseCidr } from '../../../src/util/ip.js';
import { options } from './helpers.js';

const text = (more: Record<string, unknown> = {}): string => renderRuleset(createLayout(options(more)), []);
/** Lines of one chain. */
const chain = (ruleset: string, name: string): string[] => {
  const lines = ruleset.split('\n').map((l) => l.trim());
  const from = lines.indexOf(`chain ${name} {`);
  assert.ok(from >= 0, `there is a chain ${name}`);
  return lines.slice(from + 1, lines.indexOf('}', from));
};

describe('the ruleset', () => {
  it('exempts first, counts watched traffic last, and has no interval set', () => {
    const screen = chain(text(), 'screen4');
    assert.equal(screen[0], 'jump exempt4');
    const order = screen.slice(1).map((l) => /@([a-z]+)4_/.exec(l)?.[1]);
    assert.deepEqual([...new Set(order)], ['svc', 'flow', 'slow', 'block', 'feed', 'watch']);
    assert.ok(
      screen.every((l) => !/watch.*(drop|deny)/.test(l)),
      'watching never drops',
    );
    assert.doesNotMatch(text(), /interval/);
  });

  it('limits the log and never the drop', () => {
    for (const name of ['deny', 'deny_out']) {
      const lines = chain(text(), name);
      assert.equal(lines.length, 2);
      assert.match(lines[0]!, /^limit rate 5\/second burst 20 packets log prefix/);
      assert.match(lines[1]!, /^counter name \w+ drop$/);
    }
    assert.equal(chain(text({ log_blocked: false }), 'deny').length, 1);
  });

  it('never counts or drops a protected address at either end', () => {
    for (const name of ['exempt4', 'exempt6', 'exempt_out4', 'exempt_out6']) {
      for (const line of chain(text(), name)) assert.match(line, /@(protect|allow)\d_\d+ accept$/);
    }
    assert.equal(chain(text(), 'screen_out6')[0], 'jump exempt_out6');
  });

  it('stands at the hooks and priorities of the options', () => {
    assert.match(text(), /hook prerouting priority -300; policy accept/);
    const other = text({
      hooks: [
        { hook: 'input', priority: -5 },
        { hook: 'forward', priority: -6 },
      ],
      ingress_interfaces: ['eth0.5'],
      bridge: true,
    });
    assert.doesNotMatch(other.split('table bridge portcullis {')[0]!, /hook prerouting/);
    for (const part of [
      'hook input priority -5',
      'hook forward priority -6',
      'hook ingress device "eth0.5"',
      'chain from_ingress_eth0_5',
      'table bridge portcullis {',
    ]) {
      assert.ok(other.includes(part), part);
    }
  });

  it('is one transaction that replaces the table with its elements', () => {
    const layout = createLayout(options());
    const element = { set: 'block4_24', ip: parseCidr('203.0.113.0/24')! };
    const lines = renderRuleset(layout, [
      { element, timeoutMs: 1500.4 },
      { element: { ...element, set: 'out4_32' }, timeoutMs: 0 },
    ]).split('\n');
    assert.deepEqual(lines.slice(0, 3), [
      'add table inet portcullis',
      'delete table inet portcullis',
      'table inet portcullis {',
    ]);
    assert.ok(lines.includes('add element inet portcullis block4_24 { 203.0.113.0 timeout 1501ms }'));
    assert.ok(lines.includes('add element inet portcullis out4_32 { 203.0.113.0 }'));
  });

  it('grows by an exempting set with a rule at both ends', () => {
    const lines = renderExtension(createLayout(options()), specFor('allow', 6, 45, options()))
      .trim()
      .split('\n');
    assert.equal(lines.length, 3);
    assert.match(lines[1]!, /exempt6 ip6 saddr & ffff:ffff:fff8:: @allow6_45 accept$/);
    assert.match(lines[2]!, /exempt_out6 ip6 daddr/);
  });

  it('writes masks as nft reads them', () => {
    assert.deepEqual(
      [24, 20, 8, 31].map((p) => maskText(4, p)),
      ['255.255.255.0', '255.255.240.0', '255.0.0.0', '255.255.255.254'],
    );
    assert.deepEqual(
      [64, 48, 56, 127].map((p) => maskText(6, p)),
      ['ffff:ffff:ffff:ffff::', 'ffff:ffff:ffff::', 'ffff:ffff:ffff:ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe'],
    );
  });

  it('takes only options that make sense', () => {
    for (const bad of [
      { table: 'a b' },
      { table: '; drop' },
      { ingress_interfaces: ['a"b'] },
      { prefix_lengths4: [24] },
      { unknown: 1 },
      { guard: { widest: 3 } },
    ]) {
      assert.throws(() => options(bad), JSON.stringify(bad));
    }
  });
});
