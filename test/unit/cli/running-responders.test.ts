import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { runningResponders } from '../../../src/cli/running-responders.js';

describe('responders that run here', () => {
  let proc: string;
  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), 'proc-'));
    add('self', ['node']);
  });
  afterEach(() => rmSync(proc, { recursive: true }));

  interface Process {
    net?: string;
    user?: string;
    env?: string[];
    capEff?: string;
  }
  function add(pid: string, args: string[], options: Process = {}): void {
    const { net = 'net:[1]', user = 'user:[1]', env = [], capEff = '0000000000001000' } = options;
    const dir = join(proc, pid);
    mkdirSync(join(dir, 'ns'), { recursive: true });
    writeFileSync(join(dir, 'cmdline'), [...args, ''].join('\0'));
    writeFileSync(join(dir, 'environ'), [...env, ''].join('\0'));
    writeFileSync(join(dir, 'status'), `Name:\tnode\nCapEff:\t${capEff}\n`);
    symlinkSync(net, join(dir, 'ns/net'));
    symlinkSync(user, join(dir, 'ns/user'));
    symlinkSync('/opt/box', join(dir, 'cwd'));
  }
  const MAIN = '/usr/lib/portcullis/dist/src/cli/main.js';

  it('are found with the configuration that they were given, however it was given', () => {
    add('1', ['node', MAIN, 'responder', '--config', 'a.yaml']);
    add('2', ['node', '--inspect', MAIN, 'responder', '--config=/etc/b.yaml']);
    add('3', ['node', MAIN, 'responder'], { env: ['HOME=/', 'PORTCULLIS_CONFIG=c.yaml'] });
    add('4', ['node', MAIN, 'responder', '--interface', 'eth0']);
    assert.deepEqual(
      runningResponders(proc).sort((a, b) => a.pid - b.pid),
      [
        { pid: 1, cwd: '/opt/box', config: '/opt/box/a.yaml' },
        { pid: 2, cwd: '/opt/box', config: '/etc/b.yaml' },
        { pid: 3, cwd: '/opt/box', config: '/opt/box/c.yaml' },
        { pid: 4, cwd: '/opt/box', config: undefined },
      ],
    );
  });

  it('are not other daemons, other programs, or those of another network namespace', () => {
    add('1', ['node', MAIN, 'server', '--config', 'a.yaml']);
    add('2', ['grep', 'responder', MAIN]);
    add('3', ['node', MAIN, 'responder'], { net: 'net:[2]' });
    mkdirSync(join(proc, '4'));
    assert.deepEqual(runningResponders(proc), []);
  });

  it('are not what only calls itself one: without the right to change the ruleset, or with it in a user namespace of its own', () => {
    add('1', ['node', MAIN, 'responder', '--config', '/tmp/a.yaml'], { capEff: '0000000000000000' });
    add('2', ['node', MAIN, 'responder', '--config', '/tmp/a.yaml'], { user: 'user:[2]', capEff: '000001ffffffffff' });
    add('3', ['node', MAIN, 'responder', '--config', '/tmp/a.yaml'], { capEff: '000001ffffffffff' });
    assert.deepEqual(
      runningResponders(proc).map(({ pid }) => pid),
      [3],
    );
  });
});
