import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { nodeArgs } from '../../support/program.js';
import { Child } from '../../timing/capture/child.js';
import { cannotRun, ip } from '../../timing/capture/netns.js';

const run = promisify(execFile);
const MAIN = nodeArgs('src/cli/main.ts');
/** Link type of a capture file: the last word of its header. */
const linkTypeOf = (file: string): number => readFileSync(file).readUInt32LE(20);

describe('portcullis capture', { skip: cannotRun() }, () => {
  const netns = `cap-command-${process.pid}`;
  let dir: string;
  let tun: Child;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'capture-'));
    ip('netns', 'add', netns);
    tun = new Child(netns, 'tun-child.ts', {});
    await tun.next();
    ip('-n', netns, 'addr', 'add', '10.98.0.1/30', 'dev', 'tun0');
    ip('-n', netns, 'link', 'set', 'tun0', 'up');
  });
  after(async () => {
    await tun.stop();
    ip('netns', 'delete', netns);
    rmSync(dir, { recursive: true });
  });

  it('writes what a tunnel carries as a file that other programs read, with its label beside it', async () => {
    const file = join(dir, 'tunnel.pcap');
    const args = ['capture', '--interface', 'tun0', '--duration', '0', '--label', 'scan', '--out', file];
    const capture = spawn('ip', ['netns', 'exec', netns, process.execPath, ...MAIN, ...args], { stdio: 'pipe' });
    let said = '';
    const heard = (pattern: RegExp): Promise<void> =>
      new Promise((resolve, reject) => {
        capture.stderr.on('data', (text: Buffer) => {
          said += text.toString();
          if (pattern.test(said)) resolve();
        });
        capture.on('exit', () => {
          reject(new Error(said));
        });
      });
    await heard(/^recording tun0/m);
    // Nobody answers, which is no matter.
    spawnSync('ip', ['netns', 'exec', netns, 'ping', '-q', '-c', '5', '-i', '0.2', '-W', '0.2', '10.98.0.2']);
    const ended = once(capture, 'exit');
    capture.kill('SIGINT');
    assert.deepEqual(await ended, [0, null], said);
    assert.equal(linkTypeOf(file), 101, 'raw IP');
    const labels = `${file}.labels.csv`;
    const { stdout } = await run(process.execPath, [...MAIN, 'features', file, '--labels', labels, '--out', '-']);
    const [header = '', ...rows] = stdout.trim().split('\n');
    assert.match(header, /,label$/);
    assert.ok(rows.length > 0 && rows.every((row) => row.endsWith(',scan')), stdout);
  });
});
