import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { CAPABILITY, hasCapability } from '../util/capabilities.js';

/** A responder that works in this network namespace. */
export interface RunningResponder {
  pid: number;
  /** Where it was started: relative paths of a configuration without a file begin there. */
  cwd: string;
  /** Its configuration file; undefined when it looks for the usual ones. */
  config: string | undefined;
}

const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};

/**
 * Finds the responders of this network namespace by their processes, as far as these may be read (root: all). A process that
 * may not change the ruleset, or may only in a user namespace of its own, is none, whatever it calls itself: nobody without
 * rights names the table that root then removes.
 * @param proc where proc(5) is mounted.
 */
export function runningResponders(proc = '/proc'): RunningResponder[] {
  const namespaces = (pid: string): string | undefined =>
    attempt(() => ['net', 'user'].map((kind) => readlinkSync(`${proc}/${pid}/ns/${kind}`)).join());
  const here = namespaces('self');
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const args = attempt(() => readFileSync(`${proc}/${pid}/cmdline`, 'utf8'))?.split('\0') ?? [];
      const main = args.findIndex((arg) => /\/cli\/main\.[jt]s$/.test(arg));
      if (main < 0 || args[main + 1] !== 'responder') return [];
      const cwd = attempt(() => readlinkSync(`${proc}/${pid}/cwd`));
      if (cwd === undefined || namespaces(pid) !== here) return [];
      if (!hasCapability(attempt(() => readFileSync(`${proc}/${pid}/status`, 'utf8')) ?? '', CAPABILITY.NET_ADMIN))
        return [];
      const environment = attempt(() => readFileSync(`${proc}/${pid}/environ`, 'utf8'))?.split('\0') ?? [];
      const config = optionOf(args.slice(main + 2)) ?? valueOf(environment, 'PORTCULLIS_CONFIG');
      return [{ pid: Number(pid), cwd, config: config === undefined ? undefined : resolve(cwd, config) }];
    });
}

function optionOf(args: readonly string[]): string | undefined {
  const at = args.lastIndexOf('--config');
  return at < 0 ? valueOf(args, '--config') : args[at + 1];
}

function valueOf(list: readonly string[], name: string): string | undefined {
  return list.findLast((item) => item.startsWith(`${name}=`))?.slice(name.length + 1);
}
