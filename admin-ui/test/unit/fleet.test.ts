import { flushPromises, mount } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fleetApi } from '@/api/fleet';
import type { Fleet, FleetMember } from '@/api/types';
import { enforcedShare, fleetProblems, memberProblems } from '@/components/fleet/fleet-problems';
import FleetView from '@/views/FleetView.vue';
import { ALONE, makeFleet, makeMember } from '../support/mock-fleet';

const NOW = Date.UTC(2026, 10, 21, 12);
const responder = (desired: number, enforced: number, connected = true) => ({
  connected,
  backend: 'nftables',
  desired,
  enforced,
});

const policies = (digest: string, source: 'fleet' | 'own' = 'fleet') => ({ count: 7, digest, source, savedMs: 0 });

beforeEach(() => setActivePinia(createPinia()));
afterEach(() => vi.restoreAllMocks());

describe('what is wrong with a member', () => {
  it.each<[string, Partial<FleetMember>, string[]]>([
    ['nothing', {}, []],
    ['nothing, with nothing to enforce', { responder: responder(0, 0) }, []],
    ['it is silent, and its old figures are not judged', { alive: false, responder: responder(9, 1) }, ['heard']],
    ['one decision is missing', { responder: responder(412, 411) }, ['1 decision of 412 is not in force']],
    ['its responder is away', { responder: responder(9, 1, false) }, ['responder is not connected']],
    ['its version is another', { version: '0.9.4' }, ['version 0.9.4, this server 1.0.0']],
    ['it refused decisions', { decisions: { known: 1, refused: 2, waiting: 0, lagP95Ms: 1 } }, ['refused 2 decisions']],
    ['its spool overran', { spool: { waiting: 1, bytes: 1, dropped: 7 } }, ['7 records dropped']],
    ['it decides otherwise', { policies: policies('0000c1d20b7e') }, ['policies are not those of this server']],
    ['nothing, as it was told to keep to its own files', { policies: policies('0000c1d20b7e', 'own') }, []],
    ['nothing, as an earlier version does not tell', { policies: null }, []],
    ['it is blind', { sensor: { connected: false, interfaces: [], packets: 0, kernelDrops: 0 } }, ['sensor is not']],
  ])('says: %s', (_what, other, expected) => {
    const found = memberProblems(makeMember('box1', NOW, other), makeMember('server1', NOW, {})).map((p) => p.text);
    expect(found).toHaveLength(expected.length);
    expected.forEach((text, i) => expect(found[i]).toContain(text));
  });

  it('does not miss a sensor or a responder on a server', () => {
    const away = { role: 'server' as const, responder: responder(0, 0, false) };
    const blind = { connected: false, interfaces: [], packets: 0, kernelDrops: 0 };
    expect(memberProblems(makeMember('server2', NOW, { ...away, sensor: blind }), undefined)).toEqual([]);
  });

  it('lists members in danger before those with a warning', () => {
    const items = fleetProblems(makeFleet(NOW));
    expect(items.map((i) => [i.name, i.tone])).toEqual([
      ['box2', 'tone-danger'],
      ['box4', 'tone-danger'],
      ['box3', 'tone-warn'],
    ]);
  });

  it('never calls more than is wanted more than all', () => {
    expect(enforcedShare(responder(4, 5))).toBe(1);
    expect(enforcedShare(responder(4, 3))).toBe(0.75);
  });
});

describe('the fleet view', () => {
  async function open(fleet: Fleet) {
    vi.spyOn(fleetApi, 'get').mockResolvedValue(fleet);
    const view = mount(FleetView);
    await flushPromises();
    return view;
  }

  it('explains how to make a fleet when there is none', async () => {
    const view = await open(ALONE);
    expect(view.get('[data-testid="fleet-alone"]').text()).toMatch(/portcullis fleet init .*portcullis fleet join/s);
    expect(view.text()).toContain('docs/operations/fleet.md');
    expect(view.find('[data-testid="fleet-bus"]').exists()).toBe(false);
    view.unmount();
  });

  it('says that the bus is away, and why', async () => {
    const fleet = makeFleet(NOW);
    const self = { name: 'server1', site: 'hq', connected: false, server: '', lastError: 'connection refused' };
    const view = await open({ ...fleet, self });
    expect(view.get('[data-testid="fleet-bus"]').text()).toContain('connection refused');
    expect(view.get('[data-testid="fleet-nats"]').classes()).toContain('tone-danger');
    view.unmount();
  });

  it('shows in green only what is heard now', async () => {
    const fleet = makeFleet(NOW);
    const members = [
      makeMember('box1', NOW),
      makeMember('box2', NOW, { alive: false }),
      makeMember('box3', NOW, { responder: responder(412, 411) }),
    ];
    const view = await open({ ...fleet, members });
    const tones = view.findAll('[data-testid="fleet-enforced"]').map((e) => e.element.parentElement?.className);
    expect(tones).toEqual(['duo tone-ok', 'duo tone-muted', 'duo tone-danger']);
    view.unmount();
  });

  it('shows what other members say as text', async () => {
    const hostile = '<img src=x onerror=alert(1)>';
    const fleet = makeFleet(NOW);
    const view = await open({ ...fleet, members: [makeMember('box9', NOW, { version: hostile, mode: hostile })] });
    expect(view.text()).toContain(hostile);
    expect(view.find('img').exists()).toBe(false);
    view.unmount();
  });
});
