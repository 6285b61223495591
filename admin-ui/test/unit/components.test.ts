import { mount } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { beforeEach, describe, expect, it } from 'vitest';
import CanaryGauge from '@/components/CanaryGauge.vue';
import EnforcementMark from '@/components/EnforcementMark.vue';
import EnforcementGauge from '@/components/EnforcementGauge.vue';
import EvidenceCard from '@/components/EvidenceCard.vue';
import SeverityBadge from '@/components/SeverityBadge.vue';
import ShareBars from '@/components/ShareBars.vue';
import StateBlock from '@/components/StateBlock.vue';
import { highlightRule } from '@/components/rule-text';
import { incidentMoments } from '@/components/timeline';
import { ApiError } from '@/api/errors';
import { ENFORCEMENTS } from '@domain/decision';
import { SEVERITIES } from '@domain/severity';
import { safeNext } from '@/safe-next';
import { makeWorld } from '../support/mock-data';

beforeEach(() => setActivePinia(createPinia()));

describe('the kernel mark', () => {
  it.each(ENFORCEMENTS)('for %s is green only when the kernel applied a real decision', (enforcement) => {
    for (const simulated of [false, true]) {
      const mark = mount(EnforcementMark, { props: { decision: { enforcement, simulated } } });
      expect(mark.classes('tone-ok')).toBe(enforcement === 'applied' && !simulated);
      expect(mark.text()).not.toBe('');
      expect(mark.find('svg').exists()).toBe(true);
    }
  });
});

describe('text of others', () => {
  const value = 'invoice\u202egpj.exe\u200b';
  it('shows what would hide or reorder it, wherever a component writes it', () => {
    const card = mount(EvidenceCard, {
      props: {
        evidence: [
          { name: 'matched_bytes', value },
          { name: 'host', value },
        ],
      },
    });
    expect(card.text()).not.toContain('\u202e');
    expect(card.text().split('invoice\\u202egpj.exe\\u200b')).toHaveLength(3);
  });
  it('and in what shows when the pointer rests on it', () => {
    const rows = [{ name: value, value: 1, text: '1' }];
    const bars = mount(ShareBars, { props: { rows } });
    expect(bars.find('[title]').attributes('title')).toBe('invoice\\u202egpj.exe\\u200b');
  });
});

describe('severity', () => {
  it('has a shape and a word of its own each, not colour alone', () => {
    const looks = SEVERITIES.map((severity) => {
      const badge = mount(SeverityBadge, { props: { severity } });
      return `${badge.text()}|${badge.find('path').attributes('d')}`;
    });
    expect(new Set(looks).size).toBe(SEVERITIES.length);
  });
});

describe('the enforcement gauge', () => {
  const status = makeWorld(Date.now(), 'enforce').status;
  const gauge = (responder: Partial<typeof status.responder>) =>
    mount(EnforcementGauge, { props: { status: { ...status, responder: { ...status.responder, ...responder } } } });

  it('is calm when wanted and kernel state are equal', () => {
    expect(gauge({ desired: 5, enforced: 5 }).classes('tone-ok')).toBe(true);
  });
  it('alarms when a block is missing in the kernel', () => {
    const wrapper = gauge({ desired: 5, enforced: 4 });
    expect(wrapper.classes('tone-danger')).toBe(true);
    expect(wrapper.text()).toContain('1 block is missing');
  });
  it('does not claim a number that nobody reported', () => {
    const wrapper = gauge({ connected: false, desired: 5, enforced: 5 });
    expect(wrapper.classes('tone-danger')).toBe(true);
    expect(wrapper.text()).toContain('?');
  });
});

describe('attacker-controlled text', () => {
  const HOSTILE = '<img src=x onerror=alert(1)><script>alert(2)</script>';
  it('stays text in evidence', () => {
    const card = mount(EvidenceCard, {
      props: {
        evidence: [
          { name: 'matched_bytes', value: HOSTILE },
          { name: 'rule', value: `alert tcp any any -> any any (msg:"${HOSTILE}"; content:"<b>"; sid:1;)` },
          { name: 'x', value: 1, text: HOSTILE },
        ],
      },
    });
    expect(card.text()).toContain(HOSTILE);
    expect(card.element.querySelector('img, script, b')).toBeNull();
  });
});

describe('rule text', () => {
  it('marks patterns, with escaped quotes, and loses nothing', () => {
    const rule =
      'alert http any any -> any any (msg:"content"; content:"a\\"b"; nocase; pcre:"/x+/i"; content:!"no"; sid:1;)';
    const parts = highlightRule(rule);
    expect(parts.map((p) => p.text).join('')).toBe(rule);
    expect(parts.filter((p) => p.marked).map((p) => p.text)).toEqual(['a\\"b', '/x+/i', 'no']);
  });
});

describe('states of a screen', () => {
  const state = (error: ApiError | null, extra: object = {}) =>
    mount(StateBlock, { props: { filled: false, error, ...extra }, slots: { default: 'DATA' } });

  it.each([404, 405, 501])('says that a part is not available for %i, without a retry', (status) => {
    const block = state(new ApiError(status, 'http.x', 'x'));
    expect(block.text()).toContain('Not available');
    expect(block.find('button').exists()).toBe(false);
  });
  it('offers to try again when the server is away', () => {
    expect(
      state(new ApiError(0, 'network.unreachable', 'x'))
        .find('button')
        .exists(),
    ).toBe(true);
  });
  it('shows old data rather than an error', () => {
    expect(state(new ApiError(0, 'network.unreachable', 'x'), { filled: true }).text()).toBe('DATA');
  });
  it('tells loading from empty', () => {
    expect(state(null, { loading: true }).find('[data-testid="state-loading"]').exists()).toBe(true);
    expect(state(null, { emptyTitle: 'Quiet' }).text()).toContain('Quiet');
  });
});

describe('the canary', () => {
  const look = (ok: boolean | null): string => {
    const global = { stubs: { RouterLink: true } };
    const gauge = mount(CanaryGauge, {
      props: { canary: { lastMs: 1, ok, detail: 'no route', nextMs: null } },
      global,
    });
    return ['ok', 'bad'].filter((tone) => gauge.find(`.${tone}`).exists()).join();
  };

  it('is red when a block did not hold, and neither red nor green when that cannot be proved here', () => {
    expect([look(true), look(false), look(null)]).toEqual(['ok', 'bad', '']);
  });
});

describe('the incident timeline', () => {
  it('folds a run of equal alerts into one line with their number', () => {
    const [first] = makeWorld(Date.now(), 'enforce').alerts;
    if (!first) throw new Error('no alert');
    const alerts = [1, 2, 3].map((n) => ({ ...first, id: String(n), firstMs: n }));
    const moments = incidentMoments(alerts, [], []);
    expect(moments).toHaveLength(1);
    expect(moments[0]?.text).toContain('3 times');
  });
});

describe('the way back after the sign-in', () => {
  it.each([
    ['/alerts?q=ip:203.0.113.7', '/alerts?q=ip:203.0.113.7'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    ['javascript:alert(1)', '/'],
    [undefined, '/'],
  ])('from %s leads to %s', (next, path) => expect(safeNext(next)).toBe(path));
});
