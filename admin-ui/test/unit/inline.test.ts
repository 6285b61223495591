import { flushPromises, mount, type VueWrapper } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createMemoryHistory, createRouter } from 'vue-router';
import { INLINE_MODES as CONTRACT_MODES } from '@contract/inline';
import { api } from '@/api';
import { packetsApi } from '@/api/captures';
import { inlineApi } from '@/api/inline';
import type { InlineStatus, Role } from '@/api/types';
import InlineDrops from '@/components/inline/InlineDrops.vue';
import InlineGauge from '@/components/inline/InlineGauge.vue';
import InlineHealth from '@/components/inline/InlineHealth.vue';
import InlineModePanel from '@/components/inline/InlineModePanel.vue';
import InlineWorkers from '@/components/inline/InlineWorkers.vue';
import { alertSearch, inlineFigures, inlineWarnings } from '@/components/inline/inline-figures';
import { INLINE_MODES } from '@/components/inline/inline-modes';
import { useSession } from '@/stores/session';
import { makeWorld } from '../support/mock-data';
import { makeDrop, makeDrops, makeInline, makeWorker, NOT_INLINE } from '../support/mock-inline';

const NOW = Date.UTC(2026, 10, 21, 12);
const id = (name: string): string => `[data-testid="${name}"]`;

beforeEach(() => setActivePinia(createPinia()));
afterEach(() => vi.restoreAllMocks());

it('offers the modes of the contract, in its order', () => expect(INLINE_MODES).toEqual(CONTRACT_MODES));

/** The code of a dialog is loaded when it is first opened; the machine may be busy. */
const BUSY_MS = 30_000;

describe('the figures', () => {
  const figure = (counts: Record<string, number>, key: string) => inlineFigures(counts).find((f) => f.key === key);

  it('sum up the exceptions of all kinds, and name them', () => {
    const exceptions = figure({ exception_midstream: 7, exception_urgent: 1, exception_memory: 0 }, 'exceptions');
    expect(exceptions).toMatchObject({ text: '8', tone: 'tone-warn', title: 'begun before us: 7, urgent data: 1' });
  });
  it('are calm at zero, also when the daemon does not count that', () => {
    expect(figure({ dropped: 0 }, 'dropped')).toMatchObject({ text: '0', tone: '' });
    expect(figure({}, 'conflicts')).toMatchObject({ text: '0', tone: '' });
  });
  it('tell what would be dropped from what is dropped', () => {
    expect(figure({ dropped: 1, would_drop: 1 }, 'dropped')?.tone).toBe('tone-danger');
    expect(figure({ dropped: 1, would_drop: 1 }, 'would_drop')?.tone).toBe('tone-sim');
  });
});

describe('the warnings', () => {
  const state = makeInline(NOW).state;
  const overloaded = state && { ...state, state: 'overloaded' as const };
  it.each<[string, Partial<InlineStatus>, string[]]>([
    ['nothing', {}, []],
    ['nothing where it is not set up', { enabled: false, connected: false }, []],
    ['traffic passes when the daemon is away', { connected: false }, ['away']],
    ['overload', { state: overloaded }, ['overloaded']],
    ['a mode that something caps', { effectiveMode: 'observe' }, ['capped']],
    ['the worst first', { connected: false, state: overloaded, effectiveMode: 'observe' }, ['away', 'capped']],
  ])('say: %s', (_what, other, expected) => {
    expect(inlineWarnings({ ...makeInline(NOW), ...other }).map((w) => w.key)).toEqual(expected);
  });
  it('say what becomes of the traffic', () => {
    const away = (fail: 'open' | 'closed') => inlineWarnings({ ...makeInline(NOW), connected: false, fail })[0]?.text;
    expect(away('open')).toContain('passes unjudged');
    expect(away('closed')).toContain('is dropped');
  });
});

describe('the time of a packet', () => {
  const stages = (status: InlineStatus) => mount(InlineHealth, { props: { status } }).find(id('inline-stages'));
  it('is told by stage', () => {
    expect(stages(makeInline(NOW)).text()).toBe('wait 300 µs · decode 3 µs · judge 60 µs · verdict 40 µs');
  });
  it('is not told by a daemon that does not say', () => {
    const status = makeInline(NOW);
    delete status.state!.stages;
    expect(stages(status).exists()).toBe(false);
  });
});

describe('the alert of a stopped packet', () => {
  it('is searched by sender and signature, and not at all without a signature', () => {
    expect(alertSearch(makeDrop(NOW, 0))).toBe('ip:203.0.113.7 sid:9000101');
    expect(alertSearch(makeDrop(NOW, 0, { signatureId: 0 }))).toBeUndefined();
  });
});

describe('the processes', () => {
  it('claim no latency of a process that judged nothing', () => {
    const idle = { count: 0, p50Us: 0, p95Us: 0, p99Us: 0 };
    const text = (latency: typeof idle) =>
      mount(InlineWorkers, { props: { workers: [makeWorker(0, { latency })] } }).text();
    expect(text(idle)).not.toContain('µs');
    expect(text({ ...idle, count: 1, p99Us: 9 })).toContain('9 µs');
  });
  it('say which is silent and which is overloaded', () => {
    const workers = [
      makeWorker(0),
      makeWorker(1, { overloaded: true }),
      makeWorker(2, { alive: false, overloaded: true }),
    ];
    const wrapper = mount(InlineWorkers, { props: { workers } });
    expect(wrapper.findAll('.chip').map((c) => c.text())).toEqual(['Judging', 'Overloaded', 'No life']);
  });
});

describe('the mode switch', () => {
  function panel(role: Role, status: InlineStatus): VueWrapper {
    useSession().user = { name: 'x', role, mustChangePassword: false };
    return mount(InlineModePanel, { props: { status }, attachTo: document.body });
  }
  const isOff = (wrapper: VueWrapper): boolean =>
    wrapper.get(id('inline-mode-observe')).attributes('disabled') !== undefined;

  it.each<[Role, boolean]>([
    ['viewer', true],
    ['analyst', true],
    ['operator', false],
    ['admin', false],
  ])('for a %s is locked: %s', (role, locked) => {
    const wrapper = panel(role, makeInline(NOW));
    expect(isOff(wrapper)).toBe(locked);
    wrapper.unmount();
  });
  it('is locked for everybody while the daemon is away', () => {
    const wrapper = panel('admin', { ...makeInline(NOW), connected: false });
    expect(isOff(wrapper)).toBe(true);
    wrapper.unmount();
  });
  it('asks first, and lets the change be taken back by itself', { timeout: 60_000 }, async () => {
    const set = vi.spyOn(inlineApi, 'setMode').mockResolvedValue(makeInline(NOW, 'enforce'));
    const status = vi.spyOn(api, 'status').mockResolvedValue(makeWorld(NOW, 'enforce').status);
    const wrapper = panel('operator', makeInline(NOW, 'observe'));
    await wrapper.get(id('inline-mode-enforce')).trigger('click');
    const ok = await vi.waitFor(() => {
      const button = document.querySelector<HTMLButtonElement>(id('inline-mode-confirm'));
      if (!button) throw new Error('no dialog yet');
      return button;
    }, BUSY_MS);
    expect(document.body.textContent).toContain('in all its processes');
    expect(set).not.toHaveBeenCalled();
    ok.click();
    await flushPromises();
    expect(set).toHaveBeenCalledExactlyOnceWith('enforce', 300);
    expect(wrapper.emitted('changed')).toHaveLength(1);
    // The bar that asks for the confirmation lives on it.
    expect(status).toHaveBeenCalledOnce();
    wrapper.unmount();
  });
});

describe('the list of stopped packets', () => {
  async function drops(role: Role): Promise<VueWrapper> {
    useSession().user = { name: 'x', role, mustChangePassword: false };
    vi.spyOn(inlineApi, 'drops').mockResolvedValue({ items: makeDrops(NOW), nextCursor: null });
    const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:all(.*)*', component: {} }] });
    const wrapper = mount(InlineDrops, { global: { plugins: [router] } });
    await flushPromises();
    return wrapper;
  }

  it('tells what was dropped from what would have been, and shows titles as text', async () => {
    const wrapper = await drops('viewer');
    const verdicts = wrapper.findAll(id('inline-verdict'));
    expect(verdicts.map((v) => v.text())).toEqual(['Dropped', 'Would reject', 'Dropped']);
    expect(verdicts.map((v) => v.classes('simulated'))).toEqual([false, true, false]);
    expect(wrapper.text()).toContain('<b>not bold</b>');
    expect(wrapper.find('b').exists()).toBe(false);
    wrapper.unmount();
  });

  it.each<[Role, boolean]>([
    ['viewer', false],
    ['analyst', true],
  ])('leads a %s to the alert and asks for its packets: %s', async (role, asks) => {
    const [first] = makeWorld(NOW, 'enforce').alerts;
    if (!first) throw new Error('no alert');
    const alert = { ...first, evidence: [{ name: 'matched_bytes', value: '<img src=x> UNION SELECT' }] };
    vi.spyOn(api, 'alerts').mockResolvedValue({ items: [alert], nextCursor: null });
    const packets = vi.spyOn(packetsApi, 'list').mockResolvedValue({ items: [], nextCursor: null, total: 0 });
    const wrapper = await drops(role);
    await wrapper.get(id('inline-drop-details')).trigger('click');
    await flushPromises();
    expect(wrapper.get(id('inline-drop-alert')).attributes('href')).toBe(`/alerts/${alert.id}`);
    expect(wrapper.get(id('inline-drop-rule')).attributes('href')).toBe('/rules/1/9000101');
    expect(wrapper.get(id('evidence-bytes')).text()).toContain('<img src=x> UNION SELECT');
    expect(wrapper.find('img').exists()).toBe(false);
    expect(packets.mock.calls.map(([from]) => from)).toEqual(asks ? [{ kind: 'alerts', id: alert.id }] : []);
    wrapper.unmount();
  });
});

describe('the card on the overview', () => {
  async function gauge(status: InlineStatus): Promise<VueWrapper> {
    vi.spyOn(inlineApi, 'get').mockResolvedValue(status);
    const wrapper = mount(InlineGauge, { global: { stubs: { RouterLink: true } } });
    await flushPromises();
    return wrapper;
  }
  it.each<[string, InlineStatus, boolean]>([
    ['on', makeInline(NOW), true],
    ['off', makeInline(NOW, 'off'), false],
    ['not set up', NOT_INLINE, false],
  ])('of inline verdicts that are %s: shown is %s', async (_what, status, shown) => {
    const wrapper = await gauge(status);
    expect(wrapper.find(id('inline-gauge')).exists()).toBe(shown);
    wrapper.unmount();
  });
  it('shows no figure of a daemon that is away', async () => {
    const wrapper = await gauge({ ...makeInline(NOW), connected: false });
    expect(wrapper.find(id('inline-gauge-depth')).exists()).toBe(false);
    expect(wrapper.text()).toContain('passes unjudged');
    wrapper.unmount();
  });
});
