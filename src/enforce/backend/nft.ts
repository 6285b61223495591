import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa, type ExecaError } from 'execa';
import { AppError, errorCode, errorMessage } from '../../util/errors.js';

/** Runs the `nft` program, in a network namespace if one is named. */
export interface NftRunner {
  /** Loads a script as one transaction, or only asks whether it would load. */
  load(script: string, how?: { checkOnly?: boolean }): Promise<void>;
  /** Runs `nft` with arguments and returns what it printed. */
  run(args: readonly string[]): Promise<string>;
  /** Netlink port ids of running `nft` children and of those that ended a moment ago. */
  readonly ownPids: ReadonlySet<number>;
  /** Told whenever {@link ownPids} changes; a new child is told before it can have changed anything. */
  onPids?: () => void;
  close(): void;
}

/** A failed `nft` command with its message. */
export class NftError extends AppError {
  constructor(message: string, cause: unknown) {
    super({
      kind: 'operational',
      code: errorCode(cause) === 'ENOENT' ? 'enforce.nft_missing' : 'enforce.nft_failed',
      message,
      fix: nftFix(message, cause),
      cause,
    });
  }
}

function nftFix(message: string, cause: unknown): string {
  if (errorCode(cause) === 'ENOENT') return 'Install nftables (apt install nftables), or set enforce.backend: dry-run.';
  if (/not permitted/i.test(message)) return 'Run the responder with CAP_NET_ADMIN, or set enforce.backend: dry-run.';
  return 'Run "portcullis doctor".';
}

/** Where scripts are written: a full disk must keep no block out of the kernel, and none in it. */
const scriptFolders = (): string[] => [tmpdir(), '/dev/shm'];

const TIMEOUT_MS = 60_000;
const REMEMBER_MS = 2000;

/** `nft -f -` cannot read a pipe of Node (a socket pair), so scripts go through a private file. */
export function createNftRunner(options: { netns?: string; program?: string } = {}): NftRunner {
  const own = new Set<number>();
  /** Private folders of ours in {@link scriptFolders}. */
  const dirs = new Map<string, string>();
  let serial = 0;
  const forget = (pid: number): void => {
    own.delete(pid);
    runner.onPids?.();
  };
  const exec = async (args: readonly string[]): Promise<string> => {
    const program = options.program ?? 'nft';
    const [file, argv] =
      options.netns === undefined ? [program, args] : ['ip', ['netns', 'exec', options.netns, program, ...args]];
    const child = execa(file, argv, { timeout: TIMEOUT_MS, stdin: 'ignore', maxBuffer: 512 * 1024 * 1024 });
    const { pid } = child;
    if (pid !== undefined) own.add(pid);
    runner.onPids?.();
    try {
      return (await child).stdout;
    } catch (error) {
      const stderr = (error as ExecaError).stderr;
      const said = typeof stderr === 'string' && stderr !== '' ? stderr : errorMessage(error);
      const text = errorCode(error) === 'ENOENT' ? `the program ${file} is not there` : said;
      throw new NftError(firstError(text), error);
    } finally {
      if (pid !== undefined) setTimeout(() => forget(pid), REMEMBER_MS).unref();
    }
  };
  const writeScript = (script: string): string => {
    let failure: unknown;
    for (const folder of scriptFolders()) {
      let file = '';
      try {
        const dir = dirs.get(folder) ?? mkdtempSync(join(folder, 'portcullis-nft-'));
        dirs.set(folder, dir);
        file = join(dir, `${serial++}.nft`);
        writeFileSync(file, script, { mode: 0o600 });
        return file;
      } catch (error) {
        failure ??= error;
        rmSync(file, { force: true });
      }
    }
    throw failure;
  };
  const runner: NftRunner = {
    ownPids: own,
    run: exec,
    load: async (script, how = {}) => {
      const file = writeScript(script);
      try {
        await exec(how.checkOnly === true ? ['-c', '-f', file] : ['-f', file]);
      } finally {
        rmSync(file, { force: true });
      }
    },
    close: () => {
      for (const dir of dirs.values()) rmSync(dir, { recursive: true, force: true });
      dirs.clear();
    },
  };
  return runner;
}

/** The sentence in nft's output that says what is wrong, without file name and echo of the script. */
function firstError(text: string): string {
  const line = text.split('\n').find((l) => /Error:/.test(l)) ?? text.split('\n')[0] ?? '';
  return `nft: ${line.replace(/^.*?Error:\s*/, '').slice(0, 300)}`;
}
