import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { fleetSettingsSchema, signedEntrySchema, type FleetSettings } from '../../../src/contract/fleet.js';
import type { Fleet } from '../../../src/contract/http.js';
import { initFleet, openAuthority } from '../../../src/fleet/index.js';
import { openMariaDb, type MariaDb } from '../../integration/store/mariadb.js';
import { ApiClient } from '../box/api-client.js';
import { MAIN, PASSWORD } from '../box/box.js';
import { sweepStale } from '../netns.js';
import { LabProcess, type StartOptions } from '../process.js';
import { waitFor } from '../wait.js';
import { BOX_WAN, FleetNet, nodeAddress } from './net.js';
import { Probe } from './probe.js';
import { BoxWeb, INLINE } from './web.js';

const WEB_RULES = fileURLToPath(new URL('../../../policies/rules/web-files.rules', import.meta.url));
const FORWARD = fileURLToPath(new URL('../box/unix-forward.mjs', import.meta.url));
const NATS_SERVER = 'nats-server';
const PORTS = { client: 4222, cluster: 6222, leaf: 7422 };
/** An attacker's address whose scans nobody tests. */
const VISITOR = '203.0.113.75';
const SITE = 'hq';

export interface FleetLabOptions {
  boxes: number;
  servers: number;
  nodes: number;
  policies: Record<string, string>;
}

/** A daemon or NATS server that can be killed and started again. */
export class Restartable {
  process: LabProcess;
  private readonly spawn: () => LabProcess;

  constructor(spawn: () => LabProcess) {
    this.spawn = spawn;
    this.process = spawn();
  }

  async kill(): Promise<void> {
    await this.process.stop('SIGKILL');
  }

  start(): void {
    this.process = this.spawn();
  }
}

/** sensor, server (without database and console) and responder, on a namespace of its own. */
export interface FleetBox {
  name: string;
  netns: string;
  daemons: Record<'server' | 'responder' | 'sensor', Restartable>;
  run(command: string, args: readonly string[], options?: StartOptions): LabProcess;
}

export interface FleetServer {
  name: string;
  daemon: Restartable;
  api: ApiClient;
}

/**
 * A fleet on one machine: boxes in namespaces of their own, NATS servers, Portcullis servers and MariaDB in the hub, and an
 * attacker behind box 1.
 */
export class FleetLab {
  readonly dir: string;
  readonly boxes: FleetBox[] = [];
  readonly servers: FleetServer[] = [];
  readonly nodes: Restartable[] = [];
  mariaDb!: MariaDb;
  /** On box 1. */
  web!: BoxWeb;
  /** Starts the fourth daemon of box 1, which judges what comes to its web server. */
  inline!: () => Restartable;
  private readonly options: FleetLabOptions;
  private readonly net: FleetNet;

  private constructor(options: FleetLabOptions) {
    sweepStale();
    this.options = options;
    this.dir = mkdtempSync(join(tmpdir(), `portcullis-lab-${process.pid}-`));
    chmodSync(this.dir, 0o755);
    this.net = new FleetNet(options);
  }

  get attacker(): string {
    return this.net.attacker;
  }

  static async open(options: FleetLabOptions): Promise<FleetLab> {
    const lab = new FleetLab(options);
    try {
      lab.mariaDb = await openMariaDb();
      lab.makeFleet();
      for (let i = 0; i < options.nodes; i++) lab.nodes.push(lab.startNode(i));
      for (let i = 1; i <= options.servers; i++) lab.servers.push(await lab.startServer(i));
      for (let i = 1; i <= options.boxes; i++) lab.boxes.push(lab.startBox(i));
      await lab.whole();
      return lab;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  /** Everybody is there, and every box is complete; said after this was asked, so that nobody who was just killed counts. */
  async whole(limitMs = 60_000): Promise<void> {
    const { boxes, servers } = this.options;
    const askedMs = Date.now();
    await waitFor(
      'the fleet is whole',
      async () => {
        const { members } = await this.fleet();
        const up = members.filter((m) => m.alive && m.heardMs > askedMs);
        const ready = up.filter((m) => m.role === 'server' || (m.responder.connected && m.sensor.connected));
        return ready.length === boxes + servers;
      },
      { limitMs, everyMs: 100 },
    );
  }

  /** Sessions of people end; a long run logs in again. */
  async login(): Promise<void> {
    for (const { api } of this.servers) {
      const isOver = async (): Promise<boolean> => (await api.ask('GET', '/fleet')).status === 401;
      if (await isOver().catch(() => false)) await api.login('admin', PASSWORD, PASSWORD).catch(() => undefined);
    }
  }

  async fleet(server = 0): Promise<Fleet> {
    return this.servers[server]!.api.get<Fleet>('/fleet').catch(() => ({ self: null, scheduler: null, members: [] }));
  }

  /** Cuts a box off, as a broken uplink would; boxes count from 0. */
  partition(box: number, cut: boolean): void {
    this.net.partition(box, cut);
  }

  async close(): Promise<void> {
    this.net.close();
    await this.mariaDb?.close().catch(() => undefined);
    rmSync(this.dir, { recursive: true, force: true });
  }

  private makeFleet(): void {
    const { nodes } = this.options;
    const dir = join(this.dir, 'fleet');
    const authority = initFleet({
      dir,
      fleet: 'lab',
      nodes: Array.from({ length: nodes }, (_, i) => ({ name: `nats${i + 1}`, host: nodeAddress(i) })),
      ports: PORTS,
      natsFolder: join(dir, 'nats', '{node}'),
      storeDir: join(this.dir, 'store', '{node}'),
      storeMiB: 1024,
      nowMs: Date.now(),
    });
    const join_ = (name: string, role: 'box' | 'server'): void =>
      void authority.join({ name, role, site: SITE, out: join(dir, 'members', name) });
    // First, so that the rosters of all others name it.
    join_('probe', 'server');
    for (let i = 1; i <= this.options.boxes; i++) join_(`box${i}`, 'box');
    for (let i = 1; i <= this.options.servers; i++) join_(`server${i}`, 'server');
  }

  /** A connect scan of box 1 by an address that has shown that it is its own; ends when box 1 has blocked it. */
  async attack(ip: string): Promise<void> {
    const options = { limitSecs: 90 };
    const hello = new LabProcess(
      this.attacker,
      'curl',
      ['-s', '-m', '30', '--interface', ip, `http://${BOX_WAN}/`],
      options,
    );
    await hello.ended;
    const args = ['-sT', '-S', ip, '-e', 'eth0', '-n', '-Pn', '-T4', '--max-retries', '0', '-p', '1-400', BOX_WAN];
    const scan = new LabProcess(this.attacker, 'nmap', args, options);
    await this.untilBlocked(0, ip);
    await scan.stop('SIGKILL');
  }

  /** True when the kernel of a box holds a block of the address. */
  async isBlocked(box: number, ip: string): Promise<boolean> {
    const args = ['get', 'element', 'inet', 'portcullis', 'block4_32', `{ ${ip} }`];
    return (await this.boxes[box]!.run('nft', args).ended).code === 0;
  }

  async untilBlocked(box: number, ip: string, limitMs = 60_000): Promise<void> {
    await waitFor(`box${box + 1} blocks ${ip}`, () => this.isBlocked(box, ip), { limitMs, everyMs: 30 });
  }

  /** A member of the test's own, on the first NATS server. */
  async probe(): Promise<Probe> {
    const socketPath = join(this.dir, 'nats.sock');
    const target = `TCP:${nodeAddress(0)}:${PORTS.client}`;
    new LabProcess(this.net.hub, 'socat', [`UNIX-LISTEN:${socketPath},fork`, target]);
    await waitFor('the way to NATS', () => existsSync(socketPath));
    return Probe.open(this.memberFolder('probe'), socketPath);
  }

  /** Folder of a member, also of `probe`, which is no daemon: for tests that listen or forge. */
  memberFolder(name: string): string {
    return join(this.dir, 'fleet', 'members', name);
  }

  /** What a member knows of allowlist and pause. */
  settingsOf(name: string): FleetSettings {
    const file = join(this.dir, name, 'data', 'fleet', 'settings.json');
    const { settings } = JSON.parse(readFileSync(file, 'utf8')) as { settings: unknown };
    const signed = signedEntrySchema.parse(settings);
    return fleetSettingsSchema.parse(JSON.parse(signed.text));
  }

  /** Takes a member off the roster. */
  revoke(name: string): void {
    openAuthority(join(this.dir, 'fleet'), Date.now()).revoke(name);
  }

  private startNode(i: number): Restartable {
    const name = `nats${i + 1}`;
    mkdirSync(join(this.dir, 'store', name), { recursive: true });
    const config = join(this.dir, 'fleet', 'nats', name, 'nats.conf');
    return new Restartable(
      () => new LabProcess(this.net.hub, NATS_SERVER, ['-c', config], { logFile: join(this.dir, `${name}.log`) }),
    );
  }

  private write(name: string, settings: Record<string, unknown>): string {
    const dir = join(this.dir, name);
    mkdirSync(dir, { recursive: true });
    const policies = join(this.dir, 'policies');
    mkdirSync(policies, { recursive: true });
    for (const [file, text] of Object.entries(this.options.policies)) writeFileSync(join(policies, file), text);
    const file = join(dir, 'portcullis.yaml');
    const common = {
      name,
      mode: 'enforce',
      realtime: false,
      data_dir: join(dir, 'data'),
      policy: { dir: policies },
      fleet: { folder: this.memberFolder(name), stream_mib: 64 },
    };
    writeFileSync(file, stringify({ ...common, ...settings }));
    return file;
  }

  private daemon(netns: string, config: string, daemon: string, name: string): Restartable {
    const logFile = join(this.dir, `${name}-${daemon}.log`);
    return new Restartable(
      () => new LabProcess(netns, process.execPath, [MAIN, daemon, '--config', config], { logFile }),
    );
  }

  private startBox(i: number): FleetBox {
    const name = `box${i}`;
    const netns = this.net.boxes[i - 1]!;
    const config = this.write(name, {
      capture: { interfaces: ['wan0'] },
      detect: { models: { enabled: false }, signature: { rules: [WEB_RULES] } },
      ...(i === 1 ? { inline: INLINE } : {}),
    });
    if (i === 1) {
      const [box, visitor] = [
        { netns, ip: BOX_WAN },
        { netns: this.attacker, ip: VISITOR },
      ];
      this.web = new BoxWeb({ box, visitor, dir: join(this.dir, 'web') });
      this.inline = () => this.daemon(netns, config, 'inline', name);
    }
    return {
      name,
      netns,
      daemons: {
        server: this.daemon(netns, config, 'server', name),
        responder: this.daemon(netns, config, 'responder', name),
        sensor: this.daemon(netns, config, 'sensor', name),
      },
      run: (command, args, options) => new LabProcess(netns, command, args, options),
    };
  }

  private async startServer(i: number): Promise<FleetServer> {
    const name = `server${i}`;
    const port = 8442 + i;
    const config = this.write(name, {
      api: { host: '127.0.0.1', port },
      store: { kind: 'mysql', socket_path: this.mariaDb.socketPath, database: 'portcullis', user: 'root' },
      detect: { models: { enabled: false } },
    });
    if (i === 1) await this.mariaDb.query('CREATE DATABASE portcullis');
    const socketPath = join(this.dir, `${name}.sock`);
    const forward = new LabProcess(this.net.hub, process.execPath, [FORWARD, socketPath, String(port)]);
    await forward.waitForOutput(/ready/);
    const api = new ApiClient(socketPath);
    const daemon = this.daemon(this.net.hub, config, 'server', name);
    const isReady = async (): Promise<boolean> => {
      if (!daemon.process.running) throw new Error(`${name} ended:\n${daemon.process.output}`);
      const answers = (await api.ask('GET', '//health').catch(() => undefined)) !== undefined;
      return answers && (i > 1 || existsSync(join(this.dir, name, 'data', 'first-login')));
    };
    await waitFor(`${name} answers`, isReady, { everyMs: 50 });
    const firstLogin = join(this.dir, name, 'data', 'first-login');
    const password = i === 1 ? (readFileSync(firstLogin, 'utf8').split('\n')[1] ?? '') : PASSWORD;
    await api.login('admin', password, PASSWORD);
    return { name, daemon, api };
  }
}
