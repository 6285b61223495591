import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ResponseRequest, ResponseResult } from '../../../src/contract/http.js';
import { startHarness, type Harness } from '../../unit/api/harness.js';

const docs = (path: string): string => fileURLToPath(new URL(`../../../docs/siem/${path}`, import.meta.url));
const hasPython = spawnSync('python3', ['--version']).error === undefined;

interface Template {
  actions?: { block: { webhook: { body: string } } };
  rule_action_body?: string;
}

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a script, answering each line it writes with the next of `answers`. */
function run(command: string, args: string[], input: string, env: object = {}, answers: string[] = []): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
    const result: Run = { code: null, stdout: '', stderr: '' };
    child.stdout.on('data', (data: Buffer) => {
      result.stdout += data.toString();
      const answer = answers.shift();
      if (answer !== undefined) child.stdin.write(`${answer}\n`);
      if (answers.length === 0) child.stdin.end();
    });
    child.stderr.on('data', (data: Buffer) => (result.stderr += data.toString()));
    child.once('close', (code) => resolve({ ...result, code }));
    child.stdin.write(input);
    if (answers.length === 0) child.stdin.end();
  });
}

describe('ready pieces for SIEMs that ask for blocks, against the API', () => {
  let h: Harness;
  let dir = '';
  let token = '';
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'portcullis-inbound-'));
    h = await startHarness();
    await h.addUser('olga', 'operator');
    const session = await h.login('olga');
    const body = { name: 'soar', role: 'operator', scope: 'respond', expiresInSecs: 3600 };
    const made = await h.call('POST', '/tokens', { token: session.token, body });
    token = (made.body as { secret: string }).secret;
    writeFileSync(join(dir, 'token'), `${token}\n`);
    const { respond } = h.control;
    h.control.respond = async (request, actor) => {
      const answers = await respond(request, actor);
      return answers.map((a) =>
        a.value === '192.0.2.1'
          ? { ...a, outcome: 'refused' as const, code: 'decision.protected', message: 'it is the gateway' }
          : a,
      );
    };
  });
  after(async () => {
    await h.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const asked = (): ResponseRequest[] =>
    h.control.calls.filter(([name]) => name === 'respond').map(([, request]) => request as ResponseRequest);

  describe('Splunk alert action', { skip: hasPython ? false : 'python3 is not installed' }, () => {
    const script = docs('splunk/bin/portcullis_respond.py');
    const payload = (src: unknown, change: object = {}) => ({
      sid: 'scheduler__admin__search__RMD5_at_1_2',
      search_name: 'SSH brute force',
      configuration: { url: h.api.url, token_file: join(dir, 'token'), op: 'block', duration_secs: '600', ...change },
      result: { src },
    });
    const start = (src: unknown, change?: object) =>
      run('python3', [script, '--execute'], JSON.stringify(payload(src, change)));

    it('asks for each address of the result, once', async () => {
      const calls = asked().length;
      const first = await start(['203.0.113.7', '203.0.113.8']);
      assert.equal(first.code, 0, first.stderr);
      assert.match(first.stderr, /block 203\.0\.113\.8: accepted/);
      assert.equal((await start(['203.0.113.7', '203.0.113.8'])).code, 0);
      const [request, ...more] = asked().slice(calls);
      assert.equal(more.length, 0, 'the second start got the first answer');
      assert.deepEqual(
        request?.items.map((i) => [i.op, i.value, i.op === 'block' ? i.durationSecs : 0]),
        [
          ['block', '203.0.113.7', 600],
          ['block', '203.0.113.8', 600],
        ],
      );
      assert.equal(request?.items[0]?.reason, 'Splunk search SSH brute force');
    });

    it('fails clearly when refused, without an address, with a wrong token and without a server', async () => {
      const refused = await start('192.0.2.1');
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /decision\.protected it is the gateway/);
      assert.equal((await start('')).code, 1);
      writeFileSync(join(dir, 'wrong'), 'pct_wrong');
      const wrong = await start('203.0.113.9', { token_file: join(dir, 'wrong') });
      assert.equal(wrong.code, 1);
      assert.match(wrong.stderr, /401.*auth\.token_invalid/);
    });

    it('releases when told to', async () => {
      assert.equal((await start('203.0.113.7', { op: 'release' })).code, 0);
      assert.equal(asked().at(-1)?.items[0]?.op, 'release');
    });
  });

  describe('Wazuh active response', { skip: hasPython ? false : 'python3 is not installed' }, () => {
    const script = docs('wazuh/portcullis-respond');
    const start = async (command: string, srcip: string, answers: string[] = []): Promise<Run & { log: string }> => {
      writeFileSync(join(dir, 'settings.json'), JSON.stringify({ url: h.api.url, token_file: join(dir, 'token') }));
      const alert = { id: `1795.${srcip}`, rule: { id: '5763', description: 'sshd: brute force' }, data: { srcip } };
      const message = { version: 1, origin: { name: 'node01', module: 'wazuh-execd' }, command, parameters: { alert } };
      const env = {
        PORTCULLIS_RESPOND_SETTINGS: join(dir, 'settings.json'),
        PORTCULLIS_RESPOND_LOG: join(dir, 'ar.log'),
      };
      const result = await run('python3', [script], `${JSON.stringify(message)}\n`, env, answers);
      return { ...result, log: readFileSync(join(dir, 'ar.log'), 'utf8') };
    };
    const go = JSON.stringify({ version: 1, command: 'continue', parameters: {} });

    it('blocks after asking the daemon, releases on delete, and stops when told to', async () => {
      const add = await start('add', '203.0.113.20', [go]);
      assert.equal(add.code, 0, add.log);
      assert.deepEqual((JSON.parse(add.stdout) as { parameters: unknown }).parameters, { keys: ['203.0.113.20'] });
      assert.match(add.log, /block 203\.0\.113\.20: accepted/);
      assert.equal(asked().at(-1)?.items[0]?.reason, 'Wazuh rule 5763: sshd: brute force');
      assert.equal((await start('delete', '203.0.113.20')).code, 0);
      assert.equal(asked().at(-1)?.items[0]?.op, 'release');
      const calls = asked().length;
      const abort = await start('add', '203.0.113.21', [
        JSON.stringify({ version: 1, command: 'abort', parameters: {} }),
      ]);
      assert.equal(abort.code, 0);
      assert.equal(asked().length, calls);
    });

    it('says in its log why a block was refused', async () => {
      const refused = await start('add', '192.0.2.1', [go]);
      assert.equal(refused.code, 2);
      assert.match(refused.log, /refused decision\.protected it is the gateway/);
    });
  });

  const templates: [string, (json: Template) => string | undefined][] = [
    ['elastic/watcher.json', (json) => json.actions?.block.webhook.body],
    ['elastic/kibana-connector.json', (json) => json.rule_action_body],
  ];
  for (const [file, bodyOf] of templates) {
    it(`${file}: its body, filled in, is accepted`, async () => {
      const template = bodyOf(JSON.parse(readFileSync(docs(file), 'utf8')) as Template) ?? '';
      const filled = template.replaceAll(/\{\{([^}]+)\}\}/g, (_, name: string) =>
        name.endsWith('.ip') ? '203.0.113.30' : `filled-in-${name.replaceAll('.', '-')}`,
      );
      assert.doesNotMatch(filled, /[{]{2}/);
      const answer = await h.call('POST', '/response-requests', { token, body: filled });
      assert.equal(answer.status, 200, answer.text);
      assert.equal((answer.body as ResponseResult).accepted, 1);
    });
  }
});
