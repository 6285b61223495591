import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { execa } from 'execa';

/** Everything the protected set reads from the machine; tests give a made-up one. */
export interface Box {
  /** Content of a file, undefined when it cannot be read. */
  read(path: string): Buffer | undefined;
  /** Names in a folder, empty when it cannot be read. */
  list(path: string): string[];
  /** Target of a symbolic link. */
  link(path: string): string | undefined;
  /** Output of `ip` with these arguments, empty when it failed. */
  ip(args: readonly string[]): Promise<string>;
  /** Addresses of a host name, empty when it has none. */
  resolve(name: string): Promise<string[]>;
  /** Own addresses without any program, in case `ip` is missing. */
  interfaces(): { address: string; interfaceName: string }[];
  env: Readonly<Record<string, string | undefined>>;
}

/** The machine itself, or a network namespace of it. */
export function createBox(options: { netns?: string } = {}): Box {
  const inNetns = options.netns === undefined ? [] : ['-n', options.netns];
  return {
    read: (path) => attempt(() => readFileSync(path)),
    list: (path) => attempt(() => readdirSync(path)) ?? [],
    link: (path) => attempt(() => readlinkSync(path)),
    ip: async (args) => {
      const result = await execa('ip', [...inNetns, ...args], { reject: false, timeout: 5000, stdin: 'ignore' });
      return result.exitCode === 0 ? result.stdout : '';
    },
    resolve: async (name) => {
      try {
        return (await lookup(name, { all: true })).map((a) => a.address);
      } catch {
        return [];
      }
    },
    interfaces: () =>
      Object.entries(networkInterfaces()).flatMap(([interfaceName, list]) =>
        (list ?? []).map(({ address }) => ({ address, interfaceName })),
      ),
    env: process.env,
  };
}

/** Names of the network interfaces. */
export async function interfaceNames(box: Box): Promise<Set<string>> {
  const links = JSON.parse((await box.ip(['-j', 'link'])) || '[]') as { ifname?: string }[];
  return new Set(links.flatMap((l) => l.ifname ?? []));
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
