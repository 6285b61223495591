import type { Scenario } from '../scenario.js';

/** People reading a web site: pages with their images, thinking time, several at once from different addresses. */
export const browsing: Scenario = {
  name: 'browsing',
  summary: 'users with a page, its images and thinking time each',
  kind: 'benign',
  services: ['web', 'dns'],
  run: async (context) => {
    const users = context.at({ slow: 3, normal: 8, fast: 20 });
    const sources = context.clients(users);
    const facts = { label: 'benign', malicious: false, sources, targets: [context.victim.ip4] };
    await context.traffic(facts, 'client', 'browse', { sources, target: context.victim.ip4 });
  },
};

/** Fifty users behind one address: many flows and a few failures, and nothing wrong with it. */
export const nat: Scenario = {
  name: 'nat',
  summary: 'fifty users behind one address browse at once',
  kind: 'benign',
  services: ['web', 'dns'],
  run: async (context) => {
    const [source = ''] = context.clients();
    const users = context.at({ slow: 15, normal: 50, fast: 100 });
    const facts = { label: 'benign', malicious: false, sources: [source], targets: [context.victim.ip4] };
    await context.traffic(facts, 'client', 'browse', {
      sources: new Array(users).fill(source),
      target: context.victim.ip4,
    });
  },
};
