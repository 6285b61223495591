import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createRemediationFeed } from '../../../src/daemons/server/remediation.js';
import type { Decision } from '../../../src/domain/decision.js';
import { startHarness, type Harness } from '../../unit/api/harness.js';
import { waitFor } from '../forward/support/receivers.js';

const SPACE = `pc-cs-${process.pid}`;
const [HOST, OFFENDER, GUARDED] = ['10.213.77.1', '10.213.77.66', '10.213.77.2'];
const DIR = process.env['PORTCULLIS_CROWDSEC_BOUNCER'] ?? join(tmpdir(), 'portcullis-test-crowdsec');
const BOUNCER = join(DIR, 'usr/bin/crowdsec-firewall-bouncer');

/** Debian's bouncer, unpacked: installing it would start it. @returns why it is missing, or false. */
function unpackBouncer(): string | false {
  if (process.getuid?.() !== 0) return 'needs root for a network namespace';
  try {
    if (!existsSync(BOUNCER)) {
      const packages = join(DIR, 'packages');
      mkdirSync(packages, { recursive: true });
      const options = { cwd: packages, stdio: 'pipe', timeout: 60_000 } as const;
      execFileSync('apt-get', ['download', 'crowdsec-firewall-bouncer'], options);
      for (const file of readdirSync(packages))
        execFileSync('dpkg', ['-x', join(packages, file), DIR], { stdio: 'pipe' });
    }
    return false;
  } catch (error) {
    return `crowdsec-firewall-bouncer cannot be fetched: ${String(error).slice(0, 200)}`;
  }
}

const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });
const inside = (...args: string[]): string =>
  execFileSync('ip', ['netns', 'exec', SPACE, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const reaches = (from: string): boolean =>
  spawnSync('ping', ['-c', '1', '-W', '1', '-I', from, GUARDED], { stdio: 'ignore' }).status === 0;

function blockOf(id: string, value: string, change: Partial<Decision> = {}): Decision {
  const nowMs = Date.now();
  return {
    ...{ id, action: 'block', scope: 'ip', value, traffic: 'from', durationSecs: 600, createdMs: nowMs },
    ...{ expiresMs: nowMs + 600_000, origin: 'policy', actor: 'scans', policy: 'scans', reason: 'port scan' },
    ...{ alertIds: [], simulated: false, mode: 'enforce', step: 0, enforcement: 'applied' },
    trace: { packetUs: 0, detectedUs: 0, alertUs: 0, decidedUs: 0, receivedUs: 0, kernelUs: 0 },
    ...change,
  };
}

describe("CrowdSec's firewall bouncer from Debian", { skip: unpackBouncer() }, () => {
  const feed = createRemediationFeed(Date.now);
  let h: Harness;
  let dir = '';
  let bouncer: ChildProcess | undefined;
  let output = '';

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'portcullis-cs-'));
    const [outer, inner] = [`pcs${process.pid}o`, `pcs${process.pid}i`];
    ip('netns', 'add', SPACE);
    ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', SPACE);
    ip('addr', 'add', `${HOST}/24`, 'dev', outer);
    ip('addr', 'add', `${OFFENDER}/24`, 'dev', outer);
    ip('link', 'set', outer, 'up');
    ip('-n', SPACE, 'addr', 'add', `${GUARDED}/24`, 'dev', inner);
    ip('-n', SPACE, 'link', 'set', inner, 'up');
    ip('-n', SPACE, 'link', 'set', 'lo', 'up');
    h = await startHarness({ host: HOST, plainHttp: true });
    h.control.remediation = feed;
  });
  after(async () => {
    bouncer?.kill('SIGKILL');
    await h.close();
    spawnSync('ip', ['netns', 'del', SPACE]);
    rmSync(dir, { recursive: true, force: true });
  });

  async function key(scope: string): Promise<string> {
    await h.addUser(`u${scope}`, 'viewer');
    const { token } = await h.login(`u${scope}`);
    const body = { name: scope, role: 'viewer', scope, expiresInSecs: 3600 };
    return ((await h.call('POST', '/tokens', { token, body })).body as { secret: string }).secret;
  }

  function start(apiKey: string): void {
    const table = (name: string) => `{ enabled: true, set-only: false, table: ${name}, chain: ${name}-chain }`;
    writeFileSync(
      join(dir, 'bouncer.yaml'),
      `mode: nftables
pid_dir: ${dir}
update_frequency: 1s
daemonize: false
log_mode: stdout
log_level: debug
api_url: ${h.api.url}/
api_key: ${apiKey}
disable_ipv6: false
deny_action: DROP
supported_decisions_types: [ban]
nftables: { ipv4: ${table('crowdsec')}, ipv6: ${table('crowdsec6')} }
prometheus: { enabled: false }
`,
    );
    const args = ['netns', 'exec', SPACE, BOUNCER, '-c', join(dir, 'bouncer.yaml')];
    bouncer = spawn('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [bouncer.stdout!, bouncer.stderr!]) stream.on('data', (d: Buffer) => (output += d.toString()));
  }

  it('is refused with a wrong key', async () => {
    for (const apiKey of ['', 'pct_wrong', 'x y']) {
      const answer = await h.call('GET', '//v1/decisions/stream?startup=true', { headers: { 'X-Api-Key': apiKey } });
      assert.equal(answer.status, 403);
      assert.deepEqual(answer.body, { message: 'access forbidden' });
    }
    const respond = await key('respond');
    assert.equal((await h.call('GET', '//v1/decisions', { headers: { 'X-Api-Key': respond } })).status, 403);
  });

  it('blocks in its kernel what we decided, and lets go what we lifted', async () => {
    const apiKey = await key('remediation');
    assert.ok(reaches(OFFENDER), 'nothing is blocked yet');
    feed.changed(blockOf('0', '198.51.100.9'));
    start(apiKey);
    await waitFor(`the first decision is in its set: ${output}`, () =>
      inside('nft', 'list', 'ruleset').includes('198.51.100.9'),
    );

    const block = blockOf('1', OFFENDER);
    const range = blockOf('2', '203.0.113.0/24', { scope: 'cidr' });
    const v6 = blockOf('3', '2001:db8::7');
    const service = blockOf('4', HOST, { scope: 'service', proto: 6, port: 22 });
    for (const decision of [block, range, v6, service]) feed.changed(decision);
    await waitFor(`the offender is cut off: ${output}`, () => !reaches(OFFENDER));
    assert.ok(reaches(HOST), 'an address of which one service is blocked keeps the others');
    const ruleset = inside('nft', 'list', 'ruleset');
    for (const value of [OFFENDER, '203.0.113.0', '2001:db8::7'])
      assert.ok(ruleset.includes(value), `${value}: ${ruleset}`);

    feed.changed({ ...block, enforcement: 'revoked' });
    await waitFor(`the offender is back: ${output}`, () => reaches(OFFENDER));
    assert.ok(!inside('nft', 'list', 'ruleset').includes(OFFENDER));
  });

  it('is answered as CrowdSec answers, for single addresses', async () => {
    await h.addUser('live', 'viewer');
    const { token } = await h.login('live');
    const body = { name: 'nginx', role: 'viewer', scope: 'remediation', expiresInSecs: 3600 };
    const { secret } = (await h.call('POST', '/tokens', { token, body })).body as { secret: string };
    const ask = async (query: string) =>
      (await h.call('GET', `//v1/decisions?${query}`, { headers: { 'X-Api-Key': secret } })).body;
    const hit = (await ask('ip=203.0.113.44')) as Record<string, unknown>[];
    assert.equal(hit.length, 1);
    assert.equal(hit[0]?.['value'], '203.0.113.0/24');
    assert.equal(hit[0]['scope'], 'Range');
    assert.equal(hit[0]['type'], 'ban');
    assert.match(String(hit[0]['duration']), /^0h(9|10)m\d+(\.\d+)?s$/);
    assert.ok(Number.isSafeInteger(hit[0]['id']));
    assert.equal(await ask('ip=192.0.2.1'), null);
    assert.equal(await ask('ip=203.0.113.44&type=captcha'), null);
    assert.deepEqual(await ask('ip=nonsense'), { message: 'nonsense is no address or range' });
  });
});
