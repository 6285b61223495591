import { mount, RouterLinkStub } from '@vue/test-utils';
import { expect, it } from 'vitest';
import type { SetAside } from '@contract/http/training';
import SetAsidePanel from '@/components/models/SetAsidePanel.vue';

it('names whose labels were not believed, why, and what to look at', () => {
  const example = {
    ...{ alertId: 'a1', source: '198.51.100.7', alertLabel: 'port_scan', label: 'benign' },
    ...{ labeller: 'mallory', reason: 'evidence', witnesses: ['behaviour'] },
  };
  const byLabeller: SetAside['byLabeller'] = [
    { labeller: 'mallory', labels: 40, reasons: { evidence: 30, labeller: 10 }, distrusted: true },
    { labeller: 'ada', labels: 2, reasons: { disputed: 2 }, distrusted: false },
  ];
  const panel = mount(SetAsidePanel, {
    props: { setAside: { labels: 42, byLabeller, examples: [example] } },
    global: { stubs: { RouterLink: RouterLinkStub } },
  });
  const people = panel.findAll('ul')[0]!.findAll('li');
  expect(people.map((p) => p.find('b').text())).toEqual(['mallory', 'ada']);
  expect(people[0]!.text()).toContain('30: calls benign what another tier accuses; 10:');
  expect(people.map((p) => p.find('.tone-warn').exists())).toEqual([true, false]);
  expect(panel.findComponent(RouterLinkStub).props('to')).toBe('/alerts/a1');
  expect(panel.text()).toContain('mallory, behaviour');
});
