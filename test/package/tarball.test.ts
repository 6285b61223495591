import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { machineMissing, openMachine, until, type Machine } from './machine.js';

const UNITS = ['server', 'responder', 'sensor'].map((name) => `portcullis-${name}.service`);
/** Logs in with the first password and asks who is there, from within the machine. Arguments: the password. */
const LOGIN = `
const api = 'http://127.0.0.1:8443/api/v1';
const ask = (path, token, body) => fetch(api + path, { method: body ? 'POST' : 'GET', body: body && JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...(token && { authorization: 'Bearer ' + token }) } });
const login = await ask('/auth/login', undefined, { username: 'admin', password: process.argv[1] });
const { accessToken } = await login.json();
const next = { current: process.argv[1], next: 'a-longer-pass-phrase-7' };
const changed = await ask('/auth/password', accessToken, next);
const list = await ask('/alerts', (await changed.json()).accessToken);
console.log([login.status, changed.status, list.status].join());
`;

const missing = machineMissing();

describe('the tarball on Debian 12, as the install page says', { skip: missing ?? false }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-tarball-'));
  let machine: Machine;
  let tarball = '';
  let home = '';
  before(async () => {
    const args = ['scripts/package.mjs', '--no-build', '--no-deb', '--out', dir];
    execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    tarball = readdirSync(dir).find((name) => name.endsWith('.tar.gz')) ?? '';
    home = `/opt/${tarball.replace('.tar.gz', '')}`;
    machine = openMachine('tartest');
    for (const name of [tarball, 'SHA256SUMS']) copyFileSync(join(dir, name), join(machine.root, 'root', name));
    await machine.boot();
  });
  after(async () => {
    await machine?.close();
    rmSync(dir, { recursive: true });
  });

  const sums = (): number =>
    machine.attempt('sh', '-c', 'cd /root && sha256sum --check --ignore-missing SHA256SUMS').code;
  const passwordIn = (path: string): string => readFileSync(join(machine.root, path), 'utf8').split('\n')[1] ?? '';
  const login = (password: string): string =>
    machine.attempt(`${home}/bin/node`, '--input-type=module', '-e', LOGIN, password).output.trim();
  const answers = (): boolean =>
    machine.attempt(`${home}/bin/node`, '-e', 'fetch("http://127.0.0.1:8443/ready").then((r) => process.exit(+!r.ok))')
      .code === 0;

  it('has the checksum that comes with it, and its bill of materials', () => {
    assert.equal(sums(), 0);
    machine.run('tar', '-xf', `/root/${tarball}`, '-C', '/opt');
    appendFileSync(join(machine.root, 'root', tarball), 'x');
    assert.notEqual(sums(), 0, 'the control: one byte more');
    const bom = JSON.parse(readFileSync(join(machine.root, home, 'sbom.cdx.json'), 'utf8')) as {
      components: { name: string; version: string }[];
    };
    const there = JSON.parse(readFileSync(join(machine.root, home, 'node_modules/koa/package.json'), 'utf8')) as {
      version: string;
    };
    assert.equal(bom.components.find(({ name }) => name === 'koa')?.version, there.version);
  });

  it('runs in the foreground, takes the first password, and ends when it is told to', async () => {
    const pid = (): string => machine.attempt('cat', '/root/pid').output.trim();
    const shell = `echo $$ >/root/pid; cd ${home} && exec ./bin/portcullis run --interface eth0`;
    const running = spawn(machine.enter[0]!, [...machine.enter.slice(1), 'sh', '-c', shell], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(running, 'exit');
    let said = '';
    running.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    try {
      await until('the first password is shown', () => /Password: +\S+ /.test(said), 90);
      assert.ok(answers());
      assert.equal(login('not the password'), '401,401,401');
      assert.equal(login(/Password: +(\S+) /.exec(said)?.[1] ?? ''), '200,200,200');
    } finally {
      // Not a program of its own in a minimal Debian.
      machine.attempt('sh', '-c', `kill -TERM ${pid()}`);
    }
    assert.deepEqual(await ended, [0, null]);
    assert.equal(answers(), false);
  });

  it('runs as units, each with its account and its sandbox', async () => {
    const config = '/etc/portcullis';
    const steps = [
      `ln -s ${home}/bin/portcullis /usr/bin/`,
      `mkdir -p ${config} /etc/sysusers.d /etc/tmpfiles.d && cd ${home}/systemd`,
      'cp portcullis.sysusers.conf /etc/sysusers.d/portcullis.conf',
      'cp portcullis.tmpfiles.conf /etc/tmpfiles.d/portcullis.conf',
      'cp portcullis*.service portcullis*.timer portcullis.target /etc/systemd/system/',
      `cp portcullis.yaml ${config}/ && cp -r ../policies ${config}/`,
      'systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload',
      'systemctl enable --now portcullis.target portcullis-server portcullis-responder portcullis-sensor',
    ];
    const { code, output } = machine.attempt('sh', '-ec', steps.join('\n'));
    assert.equal(code, 0, output);
    const state = (unit: string): string => machine.attempt('systemctl', 'is-active', unit).output.trim();
    await until('all three work', () => UNITS.every((unit) => state(unit) === 'active'), 120);
    const owner = machine.run('sh', '-c', 'stat -c %U /proc/$(systemctl show --value -p MainPID portcullis-server)');
    assert.equal(owner.trim(), 'portcullis');
    assert.equal(login(passwordIn('var/lib/portcullis/first-login')), '200,200,200');
    machine.run('systemctl', 'stop', 'portcullis.target');
    await until('all three have ended', () => UNITS.every((unit) => state(unit) === 'inactive'), 30);
  });
});
