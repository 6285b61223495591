import { HOOKS, type Hook, type InlineOptions } from '../options.js';
import { readCounters, type KernelCounters } from './counters.js';
import { openDumper } from './dump.js';
import { areRulesThere } from './presence.js';
import { createPrograms, type Programs } from './programs.js';
import {
  CHAIN,
  hookChain,
  renderExempt,
  renderIptables,
  renderRemoval,
  renderTable,
  TABLE,
  type Backend,
} from './render.js';

/** The rules that bring packets to the queue. */
export interface QueueRules {
  /** Loads the rules with these exempt addresses; they are in force when it resolves. @throws AppError inline.* */
  install(exempt: Iterable<string>): Promise<Backend>;
  /** Protected and allowed addresses: their packets never reach the queue. */
  setExempt(addresses: Iterable<string>): Promise<void>;
  remove(): Promise<void>;
  /** @returns undefined when the table is not there. */
  counters(): KernelCounters | undefined;
  /** Whether the kernel has all that was installed. */
  areThere(backend: Backend): boolean;
  close(): void;
}

const IPTABLES = ['iptables-nft', 'ip6tables-nft'] as const;

export function createQueueRules(options: InlineOptions, netns?: string): QueueRules {
  const programs = createPrograms(netns);
  const dumper = openDumper(netns);

  async function install(exempt: Iterable<string>): Promise<Backend> {
    const backend = options.backend === 'auto' ? await chooseBackend(programs) : options.backend;
    // The table first: its marks are what the queue rule asks for.
    await programs.load('nft', ['-f'], renderTable(options, backend) + renderExempt(exempt));
    if (backend === 'iptables') await installIptables(programs, options);
    return backend;
  }

  return {
    install,
    setExempt: (addresses) => programs.load('nft', ['-f'], renderExempt(addresses)),
    async remove() {
      // The jumps first: after that nothing is queued any more.
      await removeIptables(programs);
      await programs.load('nft', ['-f'], renderRemoval());
    },
    counters: () => readCounters(dumper),
    areThere: (backend) => areRulesThere(dumper, options.hooks, backend),
    close: () => dumper.close(),
  };
}

/** nft's queue statement, where the kernel has it. */
export async function hasNftQueue(programs: Programs): Promise<boolean> {
  const table = `${TABLE}_probe`;
  const script = `add table inet ${table}\nadd chain inet ${table} c\nadd rule inet ${table} c queue num 0 bypass\n`;
  return programs.load('nft', ['-c', '-f'], script).then(
    () => true,
    () => false,
  );
}

async function chooseBackend(programs: Programs): Promise<Backend> {
  return (await hasNftQueue(programs)) ? 'nft' : 'iptables';
}

async function installIptables(programs: Programs, options: InlineOptions): Promise<void> {
  for (const program of IPTABLES) {
    await programs.load(`${program}-restore`, ['--noflush'], renderIptables(options));
    for (const hook of HOOKS) {
      const isWanted = options.hooks.includes(hook);
      const jump = [hookChain(hook), '-j', CHAIN];
      const isThere = await succeeds(programs, program, ['-t', 'mangle', '-C', ...jump]);
      if (isWanted && !isThere) await programs.run(program, ['-t', 'mangle', '-A', ...jump]);
      if (!isWanted && isThere) await programs.run(program, ['-t', 'mangle', '-D', ...jump]);
    }
  }
}

async function removeIptables(programs: Programs): Promise<void> {
  for (const program of IPTABLES) {
    if (!(await succeeds(programs, program, ['-t', 'mangle', '-L', CHAIN, '-n']))) continue;
    for (const hook of HOOKS) await removeJumps(programs, program, hook);
    await programs.run(program, ['-t', 'mangle', '-F', CHAIN]);
    await programs.run(program, ['-t', 'mangle', '-X', CHAIN]);
  }
}

async function removeJumps(programs: Programs, program: string, hook: Hook): Promise<void> {
  while (await succeeds(programs, program, ['-t', 'mangle', '-D', hookChain(hook), '-j', CHAIN]));
}

const succeeds = (programs: Programs, program: string, args: readonly string[]): Promise<boolean> =>
  programs.run(program, args).then(
    () => true,
    () => false,
  );
