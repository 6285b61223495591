import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLIENT_NAME, type Certificates } from './certificates.js';

/** A real syslog server as a child of the test, writing every message to one file. */
export interface Receiver {
  readonly name: string;
  start(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Ends it and waits until it is gone. */
  stop(name?: NodeJS.Signals): Promise<void>;
  /** The lines it stored. */
  lines(): string[];
}

/** A TCP port of 127.0.0.1 that nothing uses now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Waits until a condition holds; fails with `what` after the time limit. */
export async function waitFor(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

interface ProgramOptions {
  name: string;
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  output: string;
  /** TCP ports that accept when it is ready. */
  ports: number[];
}

/** Everything started; a test that fails must not leave programs behind. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Kills every receiver that still runs; for `after` hooks. */
export function killReceivers(): void {
  for (const child of running) child.kill('SIGKILL');
}

class Program implements Receiver {
  readonly name: string;
  private readonly options: ProgramOptions;
  private child: ChildProcess | undefined;
  private errors = '';

  constructor(options: ProgramOptions) {
    this.name = options.name;
    this.options = options;
  }

  async start(): Promise<void> {
    const { command, args, env, ports, name } = this.options;
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (data: Buffer) => {
      this.errors = (this.errors + data.toString()).slice(-2000);
    });
    this.child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    await waitFor(`${name} listens: ${this.errors}`, async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${this.errors}`);
      const open = await Promise.all(ports.map(accepts));
      return open.every(Boolean);
    });
  }

  signal(name: NodeJS.Signals): void {
    this.child?.kill(name);
  }

  async stop(name: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(name);
    await gone;
  }

  lines(): string[] {
    if (!existsSync(this.options.output)) return [];
    return readFileSync(this.options.output, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  }
}

export const hasRsyslog = spawnSync('rsyslogd', ['-v']).error === undefined;

/** Ports of one rsyslog; those that are given are listened on. */
export interface RsyslogPorts {
  tcp?: number;
  udp?: number;
  tls?: number;
  relp?: number;
}

/** rsyslog that stores every message as it came, without queues of its own. */
export function createRsyslog(dir: string, ports: RsyslogPorts, certificates?: Certificates): Receiver {
  mkdirSync(dir, { recursive: true });
  const output = join(dir, 'out.log');
  const conf: string[] = [`global(workDirectory="${dir}" maxMessageSize="64k")`, 'main_queue(queue.type="Direct")'];
  const listen: string[] = [];
  if (ports.tcp !== undefined) {
    conf.push('module(load="imptcp")');
    listen.push(`input(type="imptcp" port="${ports.tcp}" address="127.0.0.1")`);
  }
  if (ports.udp !== undefined) {
    conf.push('module(load="imudp")');
    listen.push(`input(type="imudp" port="${ports.udp}" address="127.0.0.1" rcvbufSize="4m")`);
  }
  if (ports.relp !== undefined) {
    conf.push('module(load="imrelp")');
    listen.push(`input(type="imrelp" port="${ports.relp}" address="127.0.0.1")`);
  }
  if (ports.tls !== undefined && certificates) {
    conf.push(
      `global(defaultNetstreamDriverCAFile="${certificates.ca}" defaultNetstreamDriverCertFile="${certificates.server.cert}" defaultNetstreamDriverKeyFile="${certificates.server.key}")`,
      `module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/name" permittedPeer=["${CLIENT_NAME}"])`,
    );
    listen.push(`input(type="imtcp" port="${ports.tls}" address="127.0.0.1")`);
  }
  conf.push('template(name="raw" type="string" string="%rawmsg%\\n")', ...listen);
  conf.push(`action(type="omfile" file="${output}" template="raw")`);
  const path = join(dir, 'rsyslog.conf');
  writeFileSync(path, `${conf.join('\n')}\n`);
  return new Program({
    name: 'rsyslog',
    command: 'rsyslogd',
    args: ['-n', '-C', '-f', path, '-i', join(dir, 'pid')],
    env: {},
    output,
    ports: [ports.tcp, ports.relp, ports.tls].filter((port) => port !== undefined),
  });
}

/**
 * syslog-ng cannot be installed beside rsyslog, so its packages are unpacked into a directory that later runs use again.
 * @returns the directory, or why there is none.
 */
export function unpackSyslogNg(): { dir: string } | { reason: string } {
  const dir = process.env['PORTCULLIS_SYSLOG_NG'] ?? join(tmpdir(), 'portcullis-test-syslog-ng');
  const binary = join(dir, 'usr/sbin/syslog-ng');
  try {
    if (!existsSync(binary)) {
      const fresh = mkdtempSync(`${dir}-`);
      const packages = join(fresh, 'packages');
      mkdirSync(packages);
      const apt = (...args: string[]): string =>
        execFileSync('apt-get', args, { cwd: packages, encoding: 'utf8', stdio: 'pipe', timeout: 120_000 });
      // What an installation would bring: libraries that are not here as well.
      const plan = apt('install', '--simulate', '--no-install-recommends', 'syslog-ng-core', 'syslog-ng-scl');
      apt('download', ...[...plan.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name!));
      for (const file of readdirSync(packages))
        execFileSync('dpkg', ['-x', join(packages, file), fresh], { stdio: 'pipe' });
      rmSync(dir, { recursive: true, force: true });
      renameSync(fresh, dir);
    }
    const version = spawnSync(binary, ['--version'], { env: syslogNgEnv(dir), encoding: 'utf8' });
    if (version.status !== 0) return { reason: `syslog-ng does not run: ${version.stderr.slice(0, 200)}` };
    return { dir };
  } catch (error) {
    return { reason: `syslog-ng cannot be fetched: ${String(error).slice(0, 200)}` };
  }
}

function syslogNgEnv(dir: string): NodeJS.ProcessEnv {
  const bases = ['usr/lib', 'lib'].filter((base) => existsSync(join(dir, base)));
  const libraries = bases.flatMap((base) =>
    readdirSync(join(dir, base))
      .filter((name) => name.endsWith('-linux-gnu'))
      .map((name) => join(dir, base, name)),
  );
  const LD_LIBRARY_PATH = [join(dir, 'usr/lib/syslog-ng'), ...libraries].join(':');
  return { ...process.env, LD_LIBRARY_PATH, SYSLOGNG_PREFIX: join(dir, 'usr') };
}

/** The modules' directory carries the version in its name. */
function modulePath(root: string): string {
  const base = join(root, 'usr/lib/syslog-ng');
  const version = readdirSync(base).find((name) => /^\d+\.\d+$/.test(name));
  return join(base, version ?? '');
}

/** syslog-ng with a `syslog()` source (octet counting) and, with certificates, the same over mutual TLS. */
export function createSyslogNg(
  root: string,
  dir: string,
  ports: { tcp?: number; tls?: number; network?: number },
  certificates?: Certificates,
): Receiver {
  mkdirSync(dir, { recursive: true });
  const output = join(dir, 'out.log');
  const sources: string[] = [];
  if (ports.tcp !== undefined) sources.push(`syslog(ip("127.0.0.1") port(${ports.tcp}) transport("tcp"));`);
  if (ports.network !== undefined)
    sources.push(`network(ip("127.0.0.1") port(${ports.network}) transport("tcp") flags(no-parse));`);
  if (ports.tls !== undefined && certificates) {
    const tls = `key-file("${certificates.server.key}") cert-file("${certificates.server.cert}") ca-file("${certificates.ca}") peer-verify(required-trusted)`;
    sources.push(`syslog(ip("127.0.0.1") port(${ports.tls}) transport("tls") tls(${tls}));`);
  }
  const path = join(dir, 'syslog-ng.conf');
  writeFileSync(
    path,
    `@version: 3.38
options { stats-freq(0); keep-hostname(yes); flush-lines(1); log-msg-size(65536); };
source s { ${sources.join(' ')} };
destination d { file("${output}" template("$MSGHDR$MSG\\n")); };
log { source(s); destination(d); flags(flow-control); };
`,
  );
  const file = (name: string): string => join(dir, name);
  return new Program({
    name: 'syslog-ng',
    command: join(root, 'usr/sbin/syslog-ng'),
    args: [
      '-F',
      '--no-caps',
      '-f',
      path,
      '-R',
      file('persist'),
      '-c',
      file('ctl'),
      '-p',
      file('pid'),
      `--module-path=${modulePath(root)}`,
    ],
    env: syslogNgEnv(root),
    output,
    ports: [ports.tcp, ports.tls, ports.network].filter((port) => port !== undefined),
  });
}
