import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { readAddresses, truthProblems } from '../../lab/check-truth.js';
import { openLab, type Lab } from '../../lab/lab.js';
import { pidsIn, sweepStale } from '../../lab/netns.js';
import { Random } from '../../lab/random.js';
import { runScenario } from '../../lab/run-scenario.js';
import { ScenarioContext, type Role } from '../../lab/scenario.js';
import { SCENARIOS } from '../../lab/scenarios/index.js';
import { syslogFile } from '../../lab/services/rsyslog.js';
import { waitFor } from '../../lab/wait.js';

const out = mkdtempSync(join(tmpdir(), 'portcullis-lab-test-'));
after(() => rmSync(out, { recursive: true }));

const labsOf = (pid: number): string[] =>
  existsSync('/run/netns') ? readdirSync('/run/netns').filter((name) => name.startsWith(`pcl-${pid}-`)) : [];

function scenario(name: string) {
  const found = SCENARIOS.find((s) => s.name === name);
  assert.ok(found, `scenario ${name}`);
  return found;
}

test('every service of the lab answers over IPv4 and, where it listens there, over IPv6', async () => {
  const lab = await openLab({ services: ['web', 'ssh', 'ftp', 'dns', 'mail', 'stream', 'syslog'] });
  try {
    const { client, victim, siem, router } = lab.hosts;
    const curl = async (...args: string[]): Promise<string> =>
      (await client.run('curl', ['-sk', '-m', '5', ...args])).stdout;
    assert.match(await curl(`http://${victim.ip4}/`), /It works/);
    assert.match(await curl(`http://[${victim.ip6}]/`), /It works/);
    assert.match(await curl('-u', 'bob:sunshine', 'https://www.lab.example/private/'), /members only/);
    assert.match(await curl('-d', 'user=bob&pass=wrong', `http://${victim.ip4}/app/login`), /Invalid user name/);
    assert.match(
      await curl('-T', '/etc/hostname', '-u', 'bob:sunshine', '-w', '%{http_code}', `ftp://${victim.ip4}/`),
      /226/,
    );
    const ssh = ['ssh', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'];
    const login = (password: string) => client.run('sshpass', ['-p', password, ...ssh, `bob@${victim.ip4}`, 'id -un']);
    assert.equal((await login('sunshine')).stdout, 'bob\n');
    assert.notEqual((await login('wrong')).code, 0);
    await router.run('logger', ['-n', siem.ip4, '-P', '514', '-d', 'sent by UDP']);
    await router.run('logger', ['-n', siem.ip4, '-P', '514', '-T', 'sent by TCP']);
    await waitFor('both messages are in the file', () => {
      const text = existsSync(syslogFile(lab.dir)) ? readFileSync(syslogFile(lab.dir), 'utf8') : '';
      return text.includes('sent by UDP') && text.includes('sent by TCP');
    });
  } finally {
    await lab.close();
  }
});

test('a scan leaves a capture that its truth explains, and a wrong truth is found out', async () => {
  const dir = join(out, 'scan');
  const truth = await runScenario(scenario('scan-syn'), {
    out: dir,
    seed: 7,
    speed: 'normal',
    role: 'train',
    seconds: 1,
  });
  const [step] = truth.steps;
  assert.ok(step);
  assert.ok(truth.packets >= 2000, `1000 ports asked and answered, ${truth.packets} packets`);
  const problems = (steps: typeof truth.steps) => truthProblems(steps, readAddresses(join(dir, 'capture.pcap')));
  assert.deepEqual(await problems(truth.steps), []);
  assert.match(
    (await problems([{ ...step, sources: ['10.77.66.250'] }])).join(),
    /no packet of port_scan.*belong to no step/,
  );
  assert.match(
    (await problems([{ ...step, startUs: step.startUs - 60e6, endUs: step.startUs - 50e6 }])).join(),
    /no packet/,
  );
  assert.match((await problems([])).join(), /belong to no step/);
});

test('a seed repeats its choices, and train and evaluation runs share no attacker', () => {
  const choose = (seed: number, role: Role): string[] =>
    new ScenarioContext({} as Lab, { random: new Random(seed), speed: 'normal', role, seconds: 1 }).attackers(20);
  assert.deepEqual(choose(3, 'train'), choose(3, 'train'));
  assert.notDeepEqual(choose(3, 'train'), choose(4, 'train'));
  const train = new Set([1, 2, 3, 4, 5, 6, 7, 8].flatMap((seed) => choose(seed, 'train')));
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 7, 8].flatMap((seed) => choose(seed, 'evaluate')).filter((a) => train.has(a)),
    [],
  );
});

test('closing a lab ends its programs and removes its namespaces', async () => {
  const lab = await openLab({ services: ['dns'] });
  const { netns } = lab.hosts.victim;
  const pids = pidsIn(netns);
  assert.ok(pids.length > 0, 'dnsmasq runs in the namespace');
  await lab.close();
  assert.deepEqual(labsOf(process.pid), []);
  assert.ok(!existsSync(join('/etc/netns', netns)));
  await waitFor('its programs are gone', () => pids.every((pid) => !existsSync(`/proc/${pid}`)));
});

test('a lab whose owner ends by SIGTERM goes with it; what a SIGKILL leaves is swept', async () => {
  const code = `import { openLab } from './test/lab/lab.ts'; await openLab({ services: ['dns'] }); console.log('open'); setInterval(() => {}, 1000);`;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => owner.stdout.once('data', resolve));
    const { pid = 0 } = owner;
    assert.equal(labsOf(pid).length, 6);
    owner.kill(signal);
    await new Promise((resolve) => owner.once('close', resolve));
    if (signal === 'SIGKILL') assert.equal(sweepStale().filter((name) => name.startsWith(`pcl-${pid}-`)).length, 6);
    assert.deepEqual(labsOf(pid), []);
  }
});
