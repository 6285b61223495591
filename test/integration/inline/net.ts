import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasNftQueue, createPrograms } from '../../../src/inline/index.js';

const PEER = fileURLToPath(new URL('./peer.mjs', import.meta.url));

/** Further addresses of the client: the kernel spreads packets over queues by their addresses. */
export const CROWD = Array.from({ length: 12 }, (_, i) => `10.91.1.${20 + i}`);
export const CLIENT = { v4: '10.91.1.2', v6: 'fd91:1::2' };
export const SERVER = { v4: '10.91.2.2', v6: 'fd91:2::2' };
export const PORT = 7007;

/** Three namespaces in a row: client, router, server with an echo service on UDP and TCP. */
export interface Net {
  router: string;
  client: string;
  server: string;
  /** What the echo service answered, or undefined when nothing came in time. */
  ask(
    proto: 'udp' | 'tcp',
    text: string,
    options?: { host?: string; port?: number; limitMs?: number },
  ): Promise<string | undefined>;
  /** Has the echo service send so many bytes, then asks as `ask` by the same connection. */
  pull(bytes: number, text: string, limitMs: number): Promise<string | undefined>;
  /** Sends so many datagrams from the crowd's addresses in turn. @returns how many were answered in time. */
  burst(count: number, limitMs: number): Promise<number>;
  /** Text of a file of the router, as its namespace shows it. */
  read(file: string): string;
  /** Runs a program in the router. */
  run(program: string, ...args: string[]): void;
  /** Loads a script of nft in the router. */
  nft(script: string): void;
  /** Connections of the echo service. */
  connections(): string;
  close(): void;
}

export async function openNet(name: string): Promise<Net> {
  const [client = '', router = '', server = ''] = ['c', 'r', 's'].map((x) => `inl-${name}-${process.pid}-${x}`);
  const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });
  const children: ChildProcess[] = [];
  const close = (): void => {
    for (const child of children) child.kill('SIGKILL');
    for (const ns of [client, router, server]) {
      try {
        ip('netns', 'delete', ns);
      } catch {
        // It was not made.
      }
    }
  };
  try {
    for (const ns of [client, router, server]) {
      ip('netns', 'add', ns);
      // Link-local addresses count at once; without one nobody finds a neighbour.
      execFileSync('ip', ['netns', 'exec', ns, 'sysctl', '-qw', 'net.ipv6.conf.default.accept_dad=0']);
      ip('-n', ns, 'link', 'set', 'lo', 'up');
    }
    for (const [i, end] of [client, server].entries()) {
      const n = i + 1;
      ip('link', 'add', `r${n}`, 'netns', router, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', end);
      for (const [ns, dev, host] of [
        [router, `r${n}`, 1],
        [end, 'eth0', 2],
      ] as const) {
        ip('-n', ns, 'addr', 'add', `10.91.${n}.${host}/24`, 'dev', dev);
        ip('-n', ns, 'addr', 'add', `fd91:${n}::${host}/64`, 'dev', dev, 'nodad');
        ip('-n', ns, 'link', 'set', dev, 'up');
      }
      ip('-n', end, 'route', 'add', 'default', 'via', `10.91.${n}.1`);
      ip('-n', end, 'route', 'add', 'default', 'via', `fd91:${n}::1`);
    }
    for (const address of CROWD) ip('-n', client, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    const sysctl = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
    execFileSync('ip', ['netns', 'exec', router, 'sysctl', '-qw', ...sysctl]);
    const service = spawn('ip', ['netns', 'exec', server, process.execPath, PEER, 'serve', String(PORT)]);
    children.push(service);
    await once(service.stdout, 'data');
  } catch (error) {
    close();
    throw error;
  }
  async function peer(...args: string[]): Promise<string> {
    const child = spawn('ip', ['netns', 'exec', client, process.execPath, PEER, ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    await once(child, 'close');
    return out;
  }
  return {
    client,
    router,
    server,
    async ask(proto, text, { host = SERVER.v4, port = PORT, limitMs = 30_000 } = {}) {
      const out = await peer(proto, host, String(port), text, String(limitMs));
      return out === '' ? undefined : out;
    },
    async pull(bytes, text, limitMs) {
      const out = await peer('pull', SERVER.v4, String(PORT), text, String(limitMs), String(bytes));
      return out === '' ? undefined : out;
    },
    async burst(count, limitMs) {
      return Number(
        await peer('burst', SERVER.v4, String(PORT), 'crowd', String(limitMs), String(count), CROWD.join()),
      );
    },
    read: (file) => ip('netns', 'exec', router, 'cat', file),
    run: (program, ...args) => void ip('netns', 'exec', router, program, ...args),
    nft(script) {
      // nft cannot read a pipe of Node (a socket pair).
      const file = join(tmpdir(), `${router}.nft`);
      writeFileSync(file, script);
      ip('netns', 'exec', router, 'nft', '-f', file);
      rmSync(file);
    },
    connections: () => ip('netns', 'exec', server, 'ss', '-Htan', 'state', 'established', `( sport = :${PORT} )`),
    close,
  };
}

export const skipReason = process.getuid?.() === 0 ? false : 'needs root for network namespaces';
export const nftQueue = (): Promise<boolean> => hasNftQueue(createPrograms());
