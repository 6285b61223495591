import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { Lab } from '../lab.js';
import type { LabProcess } from '../process.js';
import { waitFor } from '../wait.js';
import { ApiClient } from './api-client.js';

export const MAIN = fileURLToPath(new URL('../../../dist/src/cli/main.js', import.meta.url));
const FORWARD = fileURLToPath(new URL('./unix-forward.mjs', import.meta.url));

export const API_PORT = 8443;
/** What lies behind the router; the lab's outside segment is as foreign as the internet. */
const HOME_NETWORKS = ['10.77.128.0/23', 'fd77:0:0:2::/64', 'fd77:0:0:3::/64'];
/** The password that the first one is changed to. */
export const PASSWORD = 'a lab needs long passwords too';

export interface BoxOptions {
  mode?: 'observe' | 'suggest' | 'enforce';
  /** Further keys of the configuration file; they win. */
  config?: Record<string, unknown>;
  /** Policies instead of the shipped ones: file name to text. */
  policies?: Record<string, string>;
  /** Environment of the daemons. */
  env?: Record<string, string>;
}

/** Portcullis, as built, on the lab's router: watches `wan0`, sends CEF to the lab's SIEM. */
export class Box {
  readonly lab: Lab;
  readonly dir: string;
  readonly configFile: string;
  readonly api: ApiClient;
  readonly socketPath: string;
  process: LabProcess;
  /** What the administrator was shown at the first start. */
  firstPassword = '';
  private readonly options: BoxOptions;
  private hasLoggedIn = false;

  private constructor(lab: Lab, options: BoxOptions) {
    this.lab = lab;
    this.options = options;
    this.dir = join(lab.dir, 'box');
    this.configFile = join(this.dir, 'portcullis.yaml');
    this.socketPath = join(lab.dir, 'api.sock');
    this.api = new ApiClient(this.socketPath);
    this.writeConfig();
    this.process = this.spawn();
  }

  /** Starts the three daemons and resolves when they are ready and the administrator is logged in. */
  static async start(lab: Lab, options: BoxOptions = {}): Promise<Box> {
    const box = new Box(lab, options);
    const forward = lab.hosts.router.start(process.execPath, [FORWARD, box.socketPath, String(API_PORT)]);
    await forward.waitForOutput(/ready/);
    await box.ready();
    const [, password = ''] = await box.process.waitForOutput(/[Pp]assword[^\n]*?\b([\w]{4}(?:-[\w]{4}){4})\b/);
    box.firstPassword = password;
    return box;
  }

  /** Logs the first administrator in; the first time with the change of password that is asked for. */
  async login(): Promise<void> {
    await this.api.login('admin', this.hasLoggedIn ? PASSWORD : this.firstPassword, PASSWORD);
    this.hasLoggedIn = true;
  }

  /** Waits until `/ready` answers 200; the limit only ends a box that never gets there. */
  async ready(limitMs = 120_000): Promise<void> {
    await waitFor(
      'the box is ready',
      async () => {
        if (!this.process.running) throw new Error(`portcullis ended:\n${this.process.output}`);
        return (await this.api.ask('GET', '//ready').catch(() => undefined))?.status === 200;
      },
      { limitMs },
    );
  }

  /** Ends it as systemd would, and starts it again on the same data. */
  async restart(): Promise<void> {
    await this.process.stop('SIGTERM');
    this.process = this.spawn();
    await this.ready();
  }

  /** Process id of a daemon. */
  async pidOf(daemon: 'sensor' | 'server' | 'responder' | 'inline'): Promise<number> {
    const { stdout } = await this.lab.hosts.router.run('pgrep', [
      '-P',
      String(this.process.pid),
      '-f',
      `main.js ${daemon}`,
    ]);
    const pid = Number(stdout.split('\n')[0]);
    if (!(pid > 0)) throw new Error(`there is no ${daemon}`);
    return pid;
  }

  private spawn(): LabProcess {
    const logFile = join(this.lab.dir, 'portcullis.log');
    const env = { ...this.options.env };
    return this.lab.hosts.router.start(process.execPath, [MAIN, 'run', '--config', this.configFile], { logFile, env });
  }

  private writeConfig(): void {
    mkdirSync(this.dir, { recursive: true });
    const { policies, mode = 'enforce', config } = this.options;
    if (policies !== undefined) {
      mkdirSync(join(this.dir, 'policies'), { recursive: true });
      for (const [name, text] of Object.entries(policies)) writeFileSync(join(this.dir, 'policies', name), text);
    }
    const siem = { protocol: 'tcp', host: this.lab.hosts.siem.ip4, port: 514 };
    const settings = {
      name: 'router',
      mode,
      data_dir: join(this.dir, 'data'),
      capture: { interfaces: ['wan0'] },
      policy: { home_networks: HOME_NETWORKS, ...(policies === undefined ? {} : { dir: join(this.dir, 'policies') }) },
      api: { host: '127.0.0.1', port: API_PORT },
      siem: { destinations: [{ name: 'siem', preset: 'rsyslog', format: 'cef', transport: siem }] },
      ...config,
    };
    writeFileSync(this.configFile, stringify(settings));
  }
}
