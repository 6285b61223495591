import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { buildPackages, SECOND_VERSION, type Packages } from './build.js';
import { ALL_MIGRATIONS, FIRST_MIGRATIONS, makeFirstDatabase, readDatabase } from './first-release.js';
import { BOX_ADDRESS, machineMissing, OUTSIDE_ADDRESSES, openMachine, until, type Machine } from './machine.js';
import { installProbe, probeAsRoot, probeInUnit, type ProbeResult } from './privileges.js';

const DAEMONS = ['server', 'responder', 'sensor'];
const UNITS = DAEMONS.map((name) => `portcullis-${name}.service`);
const CONFIG = 'etc/portcullis/portcullis.yaml';
const [FRIEND, SCANNER, OFFENDER] = OUTSIDE_ADDRESSES as [string, string, string];

const missing = machineMissing();

describe('the package on Debian 12 with its own systemd', { skip: missing ?? false }, () => {
  let packages: Packages;
  let machine: Machine;
  before(async () => {
    packages = buildPackages();
    machine = openMachine('pkgtest');
    copyFileSync(packages.first, join(machine.root, 'root/first.deb'));
    copyFileSync(packages.second, join(machine.root, 'root/second.deb'));
    await machine.boot();
  });
  after(async () => {
    await machine.close();
    packages.close();
  });

  const property = (unit: string, name: string): string =>
    machine.run('systemctl', 'show', '--value', '-p', name, unit).trim();
  const areActive = (): boolean => UNITS.every((unit) => property(unit, 'ActiveState') === 'active');
  const allWork = () => until('all three daemons work', areActive, 180);
  const answers = (from: string): boolean =>
    machine.outside('ping', '-n', '-c', '1', '-W', '1', '-I', from, BOX_ADDRESS).code === 0;
  const scan = (from: string) =>
    machine.outside('nmap', '-n', '-Pn', '-sS', '-p', '1-200', '-T4', '-e', 'eth0', '-S', from, BOX_ADDRESS);
  const decisions = () =>
    JSON.parse(machine.run('portcullis', 'decision', 'list', '--json')) as {
      value: string;
      simulated: boolean;
      enforcement: string;
    }[];
  const table = (): string => machine.attempt('nft', 'list', 'table', 'inet', 'portcullis').output;
  const setMode = (mode: string): void => {
    const file = join(machine.root, CONFIG);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^mode: \w+/m, `mode: ${mode}`));
  };

  it('installs, starts all three daemons in observe mode, and keeps its secrets to itself', async () => {
    const { code, output } = machine.attempt('dpkg', '-i', '/root/first.deb');
    assert.equal(code, 0, output);
    assert.match(output, /started in observe mode/);
    await allWork();
    for (const unit of UNITS) assert.equal(property(unit, 'NRestarts'), '0', unit);
    assert.match(
      property('portcullis-server.service', 'StatusText'),
      /console at http:\/\/127\.0\.0\.1:8443, .*observe/,
    );
    const mode = (path: string): string => (statSync(join(machine.root, path)).mode & 0o777).toString(8);
    assert.equal(mode('etc/portcullis'), '750');
    assert.equal(mode('var/lib/portcullis/first-login'), '600');
    assert.equal(mode('var/lib/portcullis/portcullis.db'), '600');
    assert.equal(mode('var/lib/portcullis-responder'), '700');
    const journal = machine.run('journalctl', '-u', 'portcullis-server', '-o', 'cat', '--no-pager');
    const password = readFileSync(join(machine.root, 'var/lib/portcullis/first-login'), 'utf8').split('\n')[1]!;
    assert.ok(password.length >= 12);
    assert.ok(!journal.includes(password), 'the password is not in the journal');
  });

  it('proves on a timer that a scan is seen and blocked, in a sandbox without any capability', () => {
    assert.equal(property('portcullis-canary.timer', 'ActiveState'), 'active');
    assert.equal(property('portcullis-canary.service', 'CapabilityBoundingSet'), '');
    const { code, output } = machine.attempt('systemctl', 'start', 'portcullis-canary.service');
    assert.equal(code, 0, output);
    const { result } = JSON.parse(machine.run('cat', '/run/portcullis-canary/result.json')) as {
      result?: { ok: boolean };
    };
    assert.equal(result?.ok, true, JSON.stringify(result));
  });

  it('sees a scan in observe mode and blocks nothing', async () => {
    scan(SCANNER);
    await until(
      'the scan has a simulated decision',
      () => decisions().some((d) => d.value === SCANNER && d.simulated),
      30,
    );
    assert.ok(answers(SCANNER));
    assert.match(table(), /counter blocked \{\s+packets 0 /);
    assert.match(table(), /counter limited \{\s+packets 0 /);
    assert.match(table(), /counter watched \{\s+packets [1-9]/, 'it is only counted');
  });

  it('enforces when it is told to: a scanner is slowed in the kernel, an operator’s block stops at once', async () => {
    setMode('enforce');
    machine.run('systemctl', 'restart', 'portcullis.target');
    await allWork();
    scan(SCANNER);
    await until('the kernel holds the scanner', () => table().includes(SCANNER), 30);
    assert.ok(answers(OFFENDER));
    machine.run('portcullis', 'decision', 'add', OFFENDER, '--for', '1h', '--reason', 'test');
    await until(
      'the block is applied',
      () => decisions().some((d) => d.value === OFFENDER && d.enforcement === 'applied'),
      10,
    );
    assert.ok(!answers(OFFENDER));
    assert.ok(answers(FRIEND));
  });

  it('starts a daemon again that is killed, and one that hangs; the block holds', async () => {
    mkdirSync(join(machine.root, 'etc/systemd/system/portcullis-sensor.service.d'), { recursive: true });
    writeFileSync(
      join(machine.root, 'etc/systemd/system/portcullis-sensor.service.d/watchdog.conf'),
      '[Service]\nWatchdogSec=4\n',
    );
    machine.run('systemctl', 'daemon-reload');
    machine.run('systemctl', 'kill', '-s', 'KILL', 'portcullis-server', 'portcullis-responder', 'portcullis-sensor');
    assert.ok(!answers(OFFENDER), 'with every process dead');
    await until(
      'each was started again',
      () => areActive() && UNITS.every((u) => property(u, 'NRestarts') !== '0'),
      180,
    );
    const restarts = Number(property('portcullis-sensor.service', 'NRestarts'));
    machine.run('systemctl', 'kill', '-s', 'STOP', 'portcullis-sensor');
    await until(
      'the watchdog has noticed',
      () => Number(property('portcullis-sensor.service', 'NRestarts')) > restarts,
      60,
    );
    await allWork();
    assert.match(
      machine.run('journalctl', '-u', 'portcullis-sensor', '-o', 'cat', '--no-pager'),
      /[Ww]atchdog timeout/,
    );
    assert.ok(!answers(OFFENDER));
  });

  it('confines each daemon to its own work', () => {
    installProbe(machine);
    assert.deepEqual(
      Object.entries(probeAsRoot(machine)).filter(([, said]) => said !== 'ok'),
      [],
      'as root all of it can be done, so what follows is the sandbox',
    );
    const allowed = (result: ProbeResult): string[] =>
      Object.entries(result)
        .filter(([, said]) => said === 'ok')
        .map(([what]) => what);
    assert.deepEqual(allowed(probeInUnit(machine, 'sensor')), [
      'packet socket',
      'dial as the sensor',
      'read the configuration',
    ]);
    assert.deepEqual(allowed(probeInUnit(machine, 'responder')), [
      'internet socket',
      'change nftables',
      'change a link',
      'dial as the responder',
      'read the journal of the responder',
      'read the configuration',
    ]);
    assert.deepEqual(allowed(probeInUnit(machine, 'inline')), [
      'raw socket',
      'internet socket',
      'send to a neighbour',
      'change nftables',
      'change a link',
      'dial as inline',
      'read the configuration',
    ]);
    assert.deepEqual(allowed(probeInUnit(machine, 'server')), [
      'internet socket',
      'send to a neighbour',
      'dial as the sensor',
      'dial as the responder',
      'dial as inline',
      'read the database',
      'read the keys',
      'read the configuration',
    ]);
  });

  it('judges packets inline in the sandbox of its unit', async (t) => {
    const queue =
      'nft -c "add table inet q; add chain inet q c; add rule inet q c queue num 0" || command -v iptables-nft';
    if (machine.attempt('sh', '-c', queue).code !== 0) {
      t.skip('this kernel has no queue statement, and the machine was made without iptables');
      return;
    }
    const config = readFileSync(join(machine.root, CONFIG), 'utf8');
    writeFileSync(join(machine.root, CONFIG), config.replace(/^inline:$/m, 'inline:\n  enabled: true'));
    machine.run('systemctl', 'start', 'portcullis-inline');
    assert.equal(property('portcullis-inline.service', 'ActiveState'), 'active');
    const journal = (): string => machine.run('journalctl', '-u', 'portcullis-inline', '-o', 'cat', '--no-pager');
    await until('packets are judged', () => journal().includes('Packets are judged'), 30);
    assert.doesNotMatch(journal(), /EPERM/);
    machine.run('systemctl', 'stop', 'portcullis-inline');
    assert.equal(machine.attempt('nft', 'list', 'tables').output.includes('portcullis_inline'), false);
    writeFileSync(join(machine.root, CONFIG), config);
  });

  it('has blocks in the kernel before the network comes up, after a reboot', async () => {
    await machine.shutdown();
    const booting = machine.boot();
    let slipped = 0;
    let isUp = false;
    void booting.then(() => (isUp = true));
    while (!isUp) {
      if (answers(OFFENDER)) slipped++;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await booting;
    await allWork();
    assert.equal(slipped, 0, 'the blocked address was never answered while the machine started');
    assert.ok(!answers(OFFENDER));
    assert.ok(answers(FRIEND));
    const at = (unit: string, name: string): number => Number(property(unit, `${name}TimestampMonotonic`));
    const restored = at('portcullis-responder.service', 'ActiveEnter');
    assert.ok(restored > 0 && restored <= at('network-pre.target', 'ActiveEnter'));
    assert.ok(restored <= at('systemd-networkd.service', 'InactiveExit'));
  });

  it('upgrades with configuration, data and blocks as they were', async () => {
    const before = readFileSync(join(machine.root, CONFIG), 'utf8');
    const decided = decisions()
      .map((d) => d.value)
      .sort();
    const { code, output } = machine.attempt('dpkg', '-i', '/root/second.deb');
    assert.equal(code, 0, output);
    assert.ok(!answers(OFFENDER));
    await allWork();
    assert.match(machine.run('dpkg', '-s', 'portcullis'), new RegExp(`Version: ${SECOND_VERSION}`));
    assert.equal(readFileSync(join(machine.root, CONFIG), 'utf8'), before);
    assert.deepEqual(
      decisions()
        .map((d) => d.value)
        .sort(),
      decided,
    );
    assert.ok(!answers(OFFENDER));
  });

  it('is gone when it is removed, lifts its blocks, keeps data, and does not start by itself where it might enforce', () => {
    machine.run('dpkg', '-r', 'portcullis');
    assert.equal(machine.attempt('nft', 'list', 'tables').output.includes('portcullis'), false);
    assert.ok(answers(OFFENDER));
    const running = machine.run('sh', '-c', 'readlink /proc/[0-9]*/exe | grep -c ^/usr/lib/portcullis || true');
    assert.equal(running.trim(), '0');
    assert.ok(existsSync(join(machine.root, 'var/lib/portcullis/portcullis.db')));
    assert.ok(existsSync(join(machine.root, CONFIG)));
    const { output } = machine.attempt('dpkg', '-i', '/root/second.deb');
    assert.match(output, /not started, because it may enforce here/);
    assert.ok(!areActive());
  });

  it('leaves nothing when it is purged, but what others put there', () => {
    machine.run('dpkg', '-P', 'portcullis');
    const left = machine.run(
      'sh',
      '-c',
      'find / -xdev -iname "*portcullis*" -not -path "/proc/*" -not -path "/root/*"',
    );
    const ours = left
      .split('\n')
      .filter(
        (path) =>
          path !== '' && !/^\/etc\/(systemd\/system\/portcullis-sensor\.service\.d|.*passwd|.*group)/.test(path),
      );
    assert.deepEqual(ours, []);
    assert.match(machine.run('dpkg', '-l'), /nftables/);
  });

  it('takes over the configuration and the database of the first release, and enforces what was in force', async () => {
    machine.run('dpkg', '-i', '/root/first.deb');
    await allWork();
    machine.run('systemctl', 'stop', 'portcullis.target');
    const data = join(machine.root, 'var/lib/portcullis');
    for (const file of readdirSync(data)) if (file.startsWith('portcullis.db')) rmSync(join(data, file));
    const database = join(data, 'portcullis.db');
    await makeFirstDatabase(database);
    machine.run('chown', 'portcullis:portcullis', '/var/lib/portcullis/portcullis.db');
    const before = readDatabase(database);
    assert.deepEqual(before.migrations, FIRST_MIGRATIONS, 'the control: as the first release left it');
    assert.equal(before.alerts, 40);
    setMode('enforce');
    const config = `${readFileSync(join(machine.root, CONFIG), 'utf8')}\n# a line of the operator\n`;
    writeFileSync(join(machine.root, CONFIG), config);
    const { code, output } = machine.attempt('dpkg', '-i', '--force-confold', '/root/second.deb');
    assert.equal(code, 0, output);
    assert.ok(!areActive(), 'what was stopped stays so');
    machine.run('systemctl', 'start', 'portcullis.target');
    await allWork();
    assert.equal(readFileSync(join(machine.root, CONFIG), 'utf8'), config);
    assert.match(machine.run('portcullis', 'check'), /valid/);
    const after = readDatabase(database);
    assert.deepEqual(after, { ...before, migrations: ALL_MIGRATIONS });
    await until('the block without an end is listed', () => decisions().some((d) => d.value === '203.0.113.3'), 30);
    await until('the kernel holds it', () => table().includes('203.0.113.3'), 30);
  });
});
