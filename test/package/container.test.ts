import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { mariaDbMissing, openMariaDb } from '../integration/store/mariadb.js';
import { stagePackage } from './build.js';
import { podmanRun, readCompose } from './compose.js';
import { baseSystem, BOX_ADDRESS, machineMissing, onPath, OUTSIDE_ADDRESSES, until } from './machine.js';

const TOOLS = ['buildah', 'podman', 'runc'];
const absent = TOOLS.filter((name) => !onPath(name));
const missing = machineMissing() ?? (absent.length > 0 ? `not installed: ${absent.join(', ')}` : undefined);
const [BOX, OUT] = ['ctest-box', 'ctest-out'];
const [FRIEND, OFFENDER] = OUTSIDE_ADDRESSES as [string, string];
const BASE = 'localhost/portcullis-test-debian';
const IMAGE = 'localhost/portcullis';
const SERVICES = ['server', 'responder', 'sensor'];
const NATS_BASE = 'localhost/portcullis-test-nats';
const NATS_IMAGE = 'localhost/portcullis-nats';
const NATS_SERVER = '/usr/sbin/nats-server';
const noTools = ['nats-server', 'socat'].filter((name) => !onPath(name));
const MIDDLE = ['nats', 'server'];
const noMiddle = noTools.length > 0 ? `not installed: ${noTools.join(', ')}` : (mariaDbMissing() ?? false);

/** podman as it runs without systemd and with both kinds of control groups. */
const ENGINE = '[engine]\ncgroup_manager = "cgroupfs"\nruntime = "runc"\n';
/** In the place of the engine's and the file's: a shell may not give more than it has. */
const LIMITS = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];

/**
 * The image, built by buildah on a Debian of debootstrap's, and `docker/compose.yaml` as it stands, started by podman in a
 * network namespace that stands for the host. The build stage is left out: it is what `npm run package --stage` lays out.
 */
describe('the containers of docker/', { skip: missing ?? false }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-container-'));
  const env = { ...process.env, CONTAINERS_CONF: join(dir, 'containers.conf') };
  const run = (command: string, ...args: string[]): string =>
    execFileSync(command, args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 300_000 });
  const attempt = (command: string, ...args: string[]): { code: number; output: string } => {
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env, timeout: 300_000 });
    return { code: status ?? -1, output: `${stdout}${stderr}` };
  };
  const inBox = (...argv: string[]) => attempt('nsenter', `--net=/run/netns/${BOX}`, ...argv);
  const name = (service: string): string => `ctest_${service}`;
  const inMiddle = (service: string): string => `ctest_middle_${service}`;
  /** Standard output of a container that runs once, without a network. */
  const once = (...args: string[]): string => run('podman', 'run', '--rm', ...LIMITS, '--network', 'none', ...args);
  const cli = (...args: string[]) => inBox('podman', 'exec', name('server'), 'portcullis', ...args);
  const answers = (from: string): boolean =>
    attempt('ip', 'netns', 'exec', OUT, 'ping', '-n', '-c', '1', '-W', '1', '-I', from, BOX_ADDRESS).code === 0;

  before(() => {
    writeFileSync(env.CONTAINERS_CONF, ENGINE);
    imageOf(BASE, baseSystem());
    mkdirSync(join(dir, 'context'));
    stagePackage(join(dir, 'stage'));
    mkdirSync(join(dir, 'staged'));
    run('mv', join(dir, 'stage'), join(dir, 'staged/stage'));
    imageOf('localhost/portcullis-test-stage', join(dir, 'staged'));
    const text = readFileSync('docker/Dockerfile', 'utf8');
    const from = text.indexOf('FROM ${NODE} AS build');
    const to = text.indexOf('FROM ${DEBIAN} AS run');
    assert.ok(from > 0 && to > from);
    const file = join(dir, 'context/Dockerfile');
    writeFileSync(file, `${text.slice(0, from)}FROM localhost/portcullis-test-stage AS build\n${text.slice(to)}`);
    build(file, BASE, IMAGE);
    link();
    const enforcing = readFileSync('docker/portcullis.yaml', 'utf8').replace('mode: observe', 'mode: enforce');
    writeFileSync(
      join(dir, 'portcullis.yaml'),
      enforcing.replace(/^# capture:\n# {3}interfaces: .*$/m, 'capture: { interfaces: [eth0] }'),
    );
    run('cp', 'docker/compose.yaml', dir);
  });
  after(() => {
    for (const service of SERVICES) attempt('podman', 'rm', '-f', '-t', '2', name(service));
    for (const service of MIDDLE) attempt('podman', 'rm', '-f', '-t', '2', inMiddle(service));
    for (const volume of ['data', 'journal', 'sockets']) attempt('podman', 'volume', 'rm', `ctest_${volume}`);
    for (const volume of ['jetstream', 'data', 'sockets']) attempt('podman', 'volume', 'rm', inMiddle(volume));
    for (const netns of [BOX, OUT]) attempt('ip', 'netns', 'delete', netns);
    attempt('podman', 'rmi', '-f', NATS_IMAGE, NATS_BASE, IMAGE, BASE, 'localhost/portcullis-test-stage');
    rmSync(dir, { recursive: true });
  });

  /** An image whose files are those of a folder. */
  function imageOf(image: string, folder: string): void {
    const container = run('buildah', 'from', 'scratch').trim();
    const root = run('buildah', 'mount', container).trim();
    run(
      'sh',
      '-c',
      `tar -C "$0" --exclude='./proc/*' --exclude='./sys/*' -cf - . | tar -C "$1" -xf -`,
      resolve(folder),
      root,
    );
    run('buildah', 'umount', container);
    run('buildah', 'commit', '-q', '--rm', container, image);
  }

  function build(file: string, debian: string, image: string): void {
    const options = ['--isolation', 'chroot', '--network', 'host', '--format', 'docker', '--pull-never'];
    const from = ['--build-arg', `DEBIAN=${debian}`];
    run('buildah', 'build', ...options, ...from, '-f', file, '-t', image, join(dir, 'context'));
  }

  /** `nats.Dockerfile` as it stands, but for Debian's package, of which it gets the program. */
  function buildNats(): void {
    const container = run('buildah', 'from', BASE).trim();
    run('buildah', 'copy', container, NATS_SERVER, NATS_SERVER);
    run('buildah', 'commit', '-q', '--rm', container, NATS_BASE);
    const text = readFileSync('docker/nats.Dockerfile', 'utf8');
    const file = join(dir, 'context/nats.Dockerfile');
    const without = text.replace(/^RUN apt-get .*$/m, 'RUN true \\');
    assert.notEqual(without, text);
    writeFileSync(file, without);
    build(file, NATS_BASE, NATS_IMAGE);
  }

  /** The folder `fleet/` beside the compose file, made by the image's own program, for the accounts of both containers. */
  function makeFleet(): void {
    const make = (...args: string[]): string =>
      once('--user', 'root', '--volume', `${dir}:/work`, '--workdir', '/work', IMAGE, 'fleet', ...args);
    make('init', 'acme', '--nats', `nats1=${BOX_ADDRESS}`);
    make('join', 'server1', '--role', 'server', '--site', 'hq');
    const accountOf = (image: string, ...account: string[]): string =>
      once('--entrypoint', 'id', image, '-u', ...account).trim();
    run('chown', '-R', accountOf(NATS_IMAGE), join(dir, 'fleet/nats/nats1'));
    run('chown', '-R', accountOf(IMAGE, 'portcullis'), join(dir, 'fleet/members/server1'));
    const config = readFileSync('docker/fleet.yaml', 'utf8');
    const here = config.replace('host: db1', 'host: 127.0.0.1').replace('user: portcullis', 'user: root');
    writeFileSync(join(dir, 'fleet.yaml'), here);
    run('cp', 'docker/compose.fleet.yaml', dir);
  }

  function link(): void {
    const ip = (...args: string[]): string => run('ip', ...args);
    for (const netns of [BOX, OUT]) ip('netns', 'add', netns);
    ip('-n', BOX, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', OUT);
    for (const address of OUTSIDE_ADDRESSES) ip('-n', OUT, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', BOX, 'addr', 'add', `${BOX_ADDRESS}/24`, 'dev', 'eth0');
    for (const netns of [BOX, OUT]) for (const device of ['lo', 'eth0']) ip('-n', netns, 'link', 'set', device, 'up');
  }

  it('has an image whose program says its version, and whose configuration is valid, without a network', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    assert.equal(once(IMAGE, '--version').trim(), version);
    assert.match(once(IMAGE, 'check'), /valid/);
  });

  it('runs server, responder and sensor as compose.yaml says, each well and with its own rights', async () => {
    const file = join(dir, 'compose.yaml');
    for (const [service, settings] of Object.entries(readCompose(file))) {
      const args = podmanRun(file, service, settings, 'ctest').filter((option) => !option.startsWith('--ulimit='));
      const { code, output } = inBox('podman', 'run', ...LIMITS, ...args);
      assert.equal(code, 0, output);
    }
    const health = (service: string): boolean => inBox('podman', 'healthcheck', 'run', name(service)).code === 0;
    await until('the server is well', () => health('server'), 90);
    await until('the responder is well', () => health('responder'), 90);
    const capabilities = (service: string): string =>
      run('podman', 'exec', name(service), 'sh', '-c', 'grep CapBnd /proc/1/status | cut -f2').trim();
    assert.equal(BigInt(`0x${capabilities('server')}`), 0n);
    assert.equal(BigInt(`0x${capabilities('responder')}`), 1n << 12n, 'NET_ADMIN');
    assert.equal(BigInt(`0x${capabilities('sensor')}`), 1n << 13n, 'NET_RAW');
    const write = attempt('podman', 'exec', '--user', 'root', name('server'), 'touch', '/usr/x');
    assert.match(write.output, /Read-only file system/);
  });

  it('sees a scan from outside and blocks who an operator names', async () => {
    const scan = ['-n', '-Pn', '-sS', '-p', '1-200', '-T4', '-e', 'eth0', '-S', FRIEND, BOX_ADDRESS];
    const decided = (): string => cli('decision', 'list').output;
    await until(
      'the scan is decided on',
      () => {
        attempt('ip', 'netns', 'exec', OUT, 'nmap', ...scan);
        return decided().includes(FRIEND);
      },
      90,
    );
    assert.ok(answers(OFFENDER));
    const added = cli('decision', 'add', OFFENDER, '--for', '1h', '--reason', 'test');
    assert.equal(added.code, 0, added.output);
    await until('it is blocked', () => !answers(OFFENDER), 20);
    assert.ok(inBox('nft', 'list', 'table', 'inet', 'portcullis').output.includes(OFFENDER));
  });

  it(
    'runs NATS server and server of a fleet as compose.fleet.yaml says, with MariaDB',
    { skip: noMiddle },
    async () => {
      for (const service of SERVICES) attempt('podman', 'rm', '-f', '-t', '2', name(service));
      buildNats();
      makeFleet();
      const database = await openMariaDb();
      const door = ['TCP-LISTEN:3306,bind=127.0.0.1,fork,reuseaddr', `UNIX-CONNECT:${database.socketPath}`];
      const forward = spawn('nsenter', [`--net=/run/netns/${BOX}`, 'socat', ...door], { stdio: 'ignore' });
      try {
        await database.query('CREATE DATABASE portcullis');
        const file = join(dir, 'compose.fleet.yaml');
        for (const [service, settings] of Object.entries(readCompose(file, { NODE: 'nats1', MEMBER: 'server1' }))) {
          const { code, output } = inBox(
            'podman',
            'run',
            ...LIMITS,
            ...podmanRun(file, service, settings, 'ctest_middle'),
          );
          assert.equal(code, 0, output);
        }
        const isWell = (): boolean => inBox('podman', 'healthcheck', 'run', inMiddle('server')).code === 0;
        await until('the server is well', isWell, 120);
        const status = (): string =>
          inBox('podman', 'exec', inMiddle('server'), 'portcullis', 'fleet', 'status').output;
        const isInFleet = (): boolean =>
          /Connected to 198\.18\.0\.1:4222\.\nserver1 +server, scheduler .* up /.test(status());
        await until('it is the scheduler of the fleet', isInFleet, 60);
        run('podman', 'stop', '-t', '5', inMiddle('nats'));
        await until('it is cut off: the control', () => status().includes('Not connected'), 60);
        inBox('podman', 'start', inMiddle('nats'));
        await until('it is back', isInFleet, 60);
        const [tables] = (await database.query(
          "SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_schema = 'portcullis'",
        )) as { n: number | string }[];
        assert.ok(Number(tables?.n) > 10, 'its data is in MariaDB');
      } finally {
        for (const service of MIDDLE) attempt('podman', 'rm', '-f', '-t', '2', inMiddle(service));
        forward.kill();
        await database.close();
      }
    },
  );
});
