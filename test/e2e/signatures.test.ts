import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { RuleDetail, RuleList, SensorStatus } from '../../src/contract/http.js';
import { Box } from '../lab/box/box.js';
import { kernelElement } from '../lab/box/kernel.js';
import { openLab, type Lab } from '../lab/lab.js';
import { Random } from '../lab/random.js';
import { ScenarioContext } from '../lab/scenario.js';
import { browsing } from '../lab/scenarios/browsing.js';
import { SCENARIOS } from '../lab/scenarios/index.js';
import { ATTACKER_ADDRESSES, CLIENT_ADDRESSES } from '../lab/topology.js';
import { waitFor } from '../lab/wait.js';
import { untilBlocked } from './support.js';

const [SQLMAP = '', PROBER = '', NMAP = '', HYDRA = '', DISABLED = ''] = ATTACKER_ADDRESSES;
const SSH_HYDRA = ATTACKER_ADDRESSES[7]!;
const [CLIENT = ''] = CLIENT_ADDRESSES;
const POLICY = `
format: 1
name: signature
description: A signature about a proven source blocks it.
when:
  tiers: [signature]
  min_severity: low
respond:
  ladder:
    - { action: block, scope: ip, duration: 10m }
  when_spoofable: monitor
`;

let lab: Lab;
let box: Box;
let context: ScenarioContext;

before(async () => {
  lab = await openLab({ services: ['web', 'ssh', 'ftp', 'dns'] });
  // Only signatures decide here: what is blocked was blocked because of one.
  const config = {
    detect: {
      behaviour: { enabled: false },
      models: { enabled: false },
      signature: { addresses: { HOME_NET: '[10.77.128.0/23]' } },
    },
  };
  box = await Box.start(lab, { mode: 'enforce', policies: { 'signature.yaml': POLICY }, config });
  await box.login();
  const options = { seed: 5, speed: 'fast', role: 'evaluate', seconds: 8, random: new Random(5) } as const;
  context = new ScenarioContext(lab, options);
});
after(() => lab?.close());

interface AlertItem {
  signatureId: number;
  title: string;
  offender: string;
  evidence: { name: string; value: string | number }[];
}
const alertsOf = async (address: string): Promise<AlertItem[]> =>
  (await box.api.get<{ items: AlertItem[] }>(`/alerts?limit=200&q=${encodeURIComponent(`ip:${address}`)}`)).items;
const sidsOf = async (address: string): Promise<number[]> => (await alertsOf(address)).map((a) => a.signatureId);
/** A block is in the kernel before its alert is in the database. */
const storedSidsOf = (address: string): Promise<number[]> =>
  waitFor('its alert is stored', async () => {
    const sids = await sidsOf(address);
    return sids.length > 0 ? sids : undefined;
  });
const curl = (host: 'attacker' | 'client', from: string, ...args: string[]) =>
  lab.hosts[host].run('curl', ['-s', '-o', '/dev/null', '-m', '5', '--interface', from, ...args]);
const url = (path: string): string => `http://${lab.hosts.victim.ip4}${path}`;
const element = (address: string) => kernelElement(lab.hosts.router, 'block4_32', address);

test('ordinary browsing, an API session, logins and transfers raise no signature', async () => {
  await browsing.run(context);
  const json = ['-H', 'Content-Type: application/json', '-H', 'Authorization: Bearer abc.def.ghi'];
  for (const path of ['/app/search?q=union+jack+select+committee', '/app/product?id=3', '/app/search?q=O%27Brien+or+1'])
    await curl('client', CLIENT, ...json, url(path));
  await curl(
    'client',
    CLIENT,
    ...json,
    '-d',
    '{"q":"drop table lamps; <b>bold</b>","script":"none"}',
    url('/app/search'),
  );
  await curl('client', CLIENT, '-d', 'user=alice&pass=Tulip-4417-garden', url('/app/login'));
  await curl('client', CLIENT, '--user', 'alice:Tulip-4417-garden', `ftp://${lab.hosts.victim.ip4}/`);
  // The control: this very path raises one.
  await curl('attacker', DISABLED, url('/app/search?q=1%20union%20select%20password%20from%20users'));
  await waitFor('the control is seen', async () => (await sidsOf(DISABLED)).length > 0);
  const { items } = await box.api.get<{ items: AlertItem[] }>('/alerts?limit=200');
  assert.deepEqual(
    items.filter((a) => a.offender !== DISABLED).map((a) => `${a.offender} ${a.title}`),
    [],
  );
});

test('sqlmap raises the signatures of SQL injection and is blocked', async () => {
  const scenario = SCENARIOS.find((s) => s.name === 'sql-injection')!;
  context.useSource('attacker', SQLMAP);
  const target = url('/app/product?id=7');
  assert.equal(scenario.kind, 'attack');
  const args = ['-u', target, '--batch', '--flush-session', '--output-dir', `${lab.dir}/sqlmap`, '--random-agent'];
  const running = lab.hosts.attacker.start(
    'sqlmap',
    [...args, '--technique', 'U', '--timeout', '2', '--retries', '0'],
    {
      limitSecs: 60,
    },
  );
  await untilBlocked(box, SQLMAP);
  await running.stop();
  const sids = await storedSidsOf(SQLMAP);
  assert.ok(
    sids.some((sid) => sid >= 9000100 && sid < 9000200),
    `only ${sids.join(', ')}`,
  );
});

test('probing as Nikto does raises signatures of several kinds and is blocked', async () => {
  const probes = ['/../../../../etc/passwd', '/index.php?page=php://filter/convert.base64-encode/resource=index', '/.git/config', '/.env', '/search?q=%3Cscript%3Ealert(1)%3C/script%3E', '/cgi-bin/test.cgi?a=;cat%20/etc/passwd']; // prettier-ignore
  const all = probes.flatMap((path) => ['--path-as-is', '-o', '/dev/null', url(path)]);
  // One program, many requests: the first finding blocks, so what follows may not arrive.
  await curl('attacker', PROBER, '-A', 'Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:Port Check)', ...all);
  await untilBlocked(box, PROBER);
  const sids = await storedSidsOf(PROBER);
  assert.ok(sids.includes(9000301), `only ${sids.join(', ')}`);
});

test('scripts of nmap raise their signature and are blocked', async () => {
  const args = [
    '-S',
    NMAP,
    '-e',
    'eth0',
    '-n',
    '-Pn',
    '-sT',
    '-p',
    '80',
    '--script',
    'http-title,http-headers,http-methods',
  ];
  await lab.hosts.attacker.run('nmap', [...args, lab.hosts.victim.ip4], { limitSecs: 60 });
  await untilBlocked(box, NMAP);
  assert.ok((await storedSidsOf(NMAP)).includes(9000302));
});

test('hydra on FTP raises the signature of refused logins and is blocked', async () => {
  context.useSource('attacker', HYDRA);
  const passwords = Array.from({ length: 60 }, (_, i) => `guess${i}`).join('\n');
  const write = ['-c', `printf '%s\\n' "$0" > ${lab.dir}/guesses`, passwords];
  await lab.hosts.attacker.run('sh', write);
  const args = ['-I', '-l', 'alice', '-P', `${lab.dir}/guesses`, '-t', '8', lab.hosts.victim.ip4, 'ftp'];
  const running = lab.hosts.attacker.start('hydra', args, { limitSecs: 60, cwd: lab.dir });
  await untilBlocked(box, HYDRA);
  await running.stop();
  assert.ok((await storedSidsOf(HYDRA)).includes(9000400));
});

test('hydra on SSH raises the signature of its library and is blocked', async () => {
  const args = ['-I', '-l', 'alice', '-P', `${lab.dir}/guesses`, '-t', '8', lab.hosts.victim.ip4, 'ssh'];
  context.useSource('attacker', SSH_HYDRA);
  const running = lab.hosts.attacker.start('hydra', args, { limitSecs: 60, cwd: lab.dir });
  await untilBlocked(box, SSH_HYDRA);
  await running.stop();
  const sids = await storedSidsOf(SSH_HYDRA);
  // One connection tells the library, several in a minute the guessing.
  assert.ok(sids.includes(9000407) || sids.includes(9000310), `only ${sids.join(', ')}`);
});

test('an alert shows the rule and the bytes that matched; the rule counts it', async () => {
  const alert = (await alertsOf(PROBER)).find((a) => a.signatureId === 9000301);
  const evidence = new Map(alert?.evidence.map((e) => [e.name, String(e.value)]));
  assert.match(evidence.get('rule') ?? '', /sid:9000301/);
  assert.match(evidence.get('matched_bytes') ?? '', /Nikto/i);
  assert.equal(evidence.get('matched_buffer'), 'http.user_agent');
  assert.ok((await box.api.get<RuleDetail>('/rules/1/9000301')).hits > 0);
});

const loadedRules = async (): Promise<number> => {
  const { sensors } = await box.api.get<{ sensors: SensorStatus[] }>('/status');
  return Number(sensors[0]!.stats['signature_rules']);
};

test('a rule that is switched off raises nothing any more, at once and without a restart', async () => {
  const { counts } = await box.api.get<RuleList>('/rules');
  assert.ok(counts.enabled > 50);
  const loaded = await loadedRules();
  const answer = await box.api.ask('PATCH', '/rules/1/9000300', { enabled: false, comment: 'our own sqlmap' });
  assert.equal(answer.status, 200);
  const after = await box.api.get<RuleList>('/rules?state=disabled');
  assert.deepEqual(after.items.map((r) => r.sid), [9000300]); // prettier-ignore
  const from = ATTACKER_ADDRESSES[5]!;
  const probe = (agent: string) => curl('attacker', from, '-A', agent, url('/'));
  await waitFor('the new rules are in force', async () => (await loadedRules()) === loaded - 1);
  await probe('sqlmap/1.8');
  // The other rule is the control.
  await probe('Mozilla/5.00 (Nikto/2.5.0)');
  await untilBlocked(box, from);
  assert.deepEqual((await storedSidsOf(from)).sort(), [9000301]);
  assert.match((await element(from)) ?? '', /timeout/);
});
