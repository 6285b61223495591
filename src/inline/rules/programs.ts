import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa, type ExecaError } from 'execa';
import { AppError, errorCode, errorMessage } from '../../util/errors.js';

const TIMEOUT_MS = 20_000;

/** Runs nft and iptables, in a network namespace if one is named. */
export interface Programs {
  run(program: string, args: readonly string[]): Promise<string>;
  /** Gives the program a file with this text as its last argument. */
  load(program: string, args: readonly string[], text: string): Promise<void>;
}

export function createPrograms(netns?: string): Programs {
  async function run(program: string, args: readonly string[]): Promise<string> {
    const [file, argv] = netns === undefined ? [program, args] : ['ip', ['netns', 'exec', netns, program, ...args]];
    try {
      return (await execa(file, argv, { timeout: TIMEOUT_MS, stdin: 'ignore' })).stdout;
    } catch (error) {
      throw rulesFailed(program, error);
    }
  }
  return {
    run,
    async load(program, args, text) {
      // These programs cannot read a pipe of Node (a socket pair).
      const dir = mkdtempSync(join(tmpdir(), 'portcullis-inline-'));
      try {
        const file = join(dir, 'rules');
        writeFileSync(file, text, { mode: 0o600 });
        await run(program, [...args, file]);
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    },
  };
}

function rulesFailed(program: string, error: unknown): AppError {
  const isMissing = errorCode(error) === 'ENOENT';
  const stderr = (error as ExecaError).stderr;
  const text =
    typeof stderr === 'string' && stderr !== '' ? stderr.trim().split('\n').slice(0, 2).join(' ') : errorMessage(error);
  return new AppError({
    kind: 'operational',
    code: isMissing ? 'inline.program_missing' : 'inline.rules_failed',
    message: isMissing ? `The program ${program} is missing.` : `${program}: ${text.slice(0, 300)}`,
    fix: isMissing
      ? 'Install nftables and iptables: apt install nftables iptables.'
      : 'Run "portcullis doctor": it says which ways to the packet queue this kernel has.',
    cause: error,
  });
}
