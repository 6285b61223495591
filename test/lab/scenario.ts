import { execFileSync } from 'node:child_process';
import { nodeArgs } from '../support/program.js';
import type { Host, Lab } from './lab.js';
import type { StartOptions } from './process.js';
import type { Random } from './random.js';
import type { ServiceName } from './services/index.js';
import { ATTACKER_ADDRESSES, CLIENT_ADDRESSES, ROUTER_INTERFACES, VICTIM_NETWORK, type HostName } from './topology.js';
import type { TruthStep } from './truth.js';

export const SPEEDS = ['slow', 'normal', 'fast'] as const;
export type Speed = (typeof SPEEDS)[number];

/** Sources of training and evaluation runs are disjoint, so that a model cannot learn the addresses. */
export const ROLES = ['train', 'evaluate'] as const;
export type Role = (typeof ROLES)[number];

export interface Scenario {
  name: string;
  /** One sentence. */
  summary: string;
  kind: 'attack' | 'benign';
  services: readonly ServiceName[];
  /** Takes up to an hour, whatever --seconds says: "all" and "attacks" leave it out, its name runs it. */
  isLong?: boolean;
  run(context: ScenarioContext): Promise<void>;
}

/** What is done and by whom; {@link ScenarioContext} adds when and with what command. */
export type StepFacts = Pick<TruthStep, 'label' | 'sources' | 'targets'> & { technique?: string };

export interface ContextOptions {
  random: Random;
  speed: Speed;
  role: Role;
  /** How long a scenario without an end of its own goes on. */
  seconds: number;
}

/** What a scenario works with. Every tool it runs goes through here and becomes a step of the truth. */
export class ScenarioContext {
  readonly steps: TruthStep[] = [];
  readonly random: Random;
  readonly speed: Speed;
  readonly role: Role;
  readonly seconds: number;
  readonly lab: Lab;

  constructor(lab: Lab, options: ContextOptions) {
    this.lab = lab;
    this.random = options.random;
    this.speed = options.speed;
    this.role = options.role;
    this.seconds = options.seconds;
  }

  /** The value for the run's speed. */
  at<T>(values: Record<Speed, T>): T {
    return values[this.speed];
  }

  /** Attackers of this role, in an order that the seed decides. */
  attackers(count = 1): string[] {
    return this.random.sample(this.half(ATTACKER_ADDRESSES), count);
  }

  /** Benign clients of this role. */
  clients(count = 1): string[] {
    return this.random.sample(this.half(CLIENT_ADDRESSES), count);
  }

  /** Runs one tool as a hostile step. */
  async attack(
    facts: StepFacts,
    host: HostName,
    command: string,
    args: readonly string[],
    options?: StartOptions,
  ): Promise<void> {
    await this.step({ ...facts, malicious: true }, [command, ...args], async () => {
      await this.run(host, command, args, options);
    });
  }

  /** Runs one program as a benign step. */
  async benign(
    facts: Omit<StepFacts, 'label'>,
    host: HostName,
    command: string,
    args: readonly string[],
    options?: StartOptions,
  ): Promise<void> {
    await this.step({ ...facts, label: 'benign', malicious: false }, [command, ...args], async () => {
      await this.run(host, command, args, options);
    });
  }

  /** Runs one of the lab's own traffic programs (traffic/NAME.ts), which get their settings as JSON. */
  async traffic(
    facts: StepFacts & { malicious: boolean },
    host: HostName,
    name: string,
    settings: object,
  ): Promise<void> {
    const json = JSON.stringify({ seed: this.random.integer(1, 1e9), seconds: this.seconds, ...settings });
    await this.step(facts, [`traffic/${name}`, json], async () => {
      const program = await this.run(host, process.execPath, [...nodeArgs(`test/lab/traffic/${name}.ts`), json]);
      if (program.code !== 0) throw new Error(`traffic/${name} failed:\n${program.stderr}`);
    });
  }

  /** Makes one address the source of what a host starts from now on, for tools that cannot choose theirs. */
  useSource(host: 'attacker' | 'client', source: string): void {
    const via = ROUTER_INTERFACES.wan0.ip4;
    const route = ['route', 'replace', VICTIM_NETWORK, 'via', via, 'src', source];
    execFileSync('ip', ['-n', this.lab.hosts[host].netns, ...route]);
  }

  get victim(): Host {
    return this.lab.hosts.victim;
  }

  private run(host: HostName, command: string, args: readonly string[], options: StartOptions = {}) {
    return this.lab.hosts[host].run(command, args, { limitSecs: this.seconds + 120, ...options });
  }

  private async step(
    facts: StepFacts & { malicious: boolean },
    command: string[],
    work: () => Promise<void>,
  ): Promise<void> {
    const startUs = Date.now() * 1000;
    await work();
    const { label, malicious, technique = '', sources, targets } = facts;
    const tool = command[0] ?? '';
    const endUs = Date.now() * 1000;
    this.steps.push({
      startUs,
      endUs,
      label,
      malicious,
      technique,
      tool,
      command: command.join(' '),
      sources,
      targets,
    });
  }

  private half(addresses: readonly string[]): readonly string[] {
    const middle = addresses.length >> 1;
    return this.role === 'train' ? addresses.slice(0, middle) : addresses.slice(middle);
  }
}
