import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { hasNftQueue, createPrograms } from '../../../src/inline/index.js';

const PEER = fileURLToPath(new URL('./peer.mjs', import.meta.url));

export const CLIENT = { v4: '10.91.1.2', v6: 'fd91:1::2' };
export const SERVER = { v4: '10.91.2.2', v6: 'fd91:2::2' };
export const PORT = 7007;

/** Three namespaces in a row: client, router, server with an echo service on UDP and TCP. */
export interface Net {
  router: string;
  client: string;
  server: string;
  /** What the echo service answered, or undefined when nothing came in time. */
  ask(proto: 'udp' | 'tcp', text: string, options?: { host?: string; limitMs?: number }): Promise<string | undefined>;
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
    const sysctl = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
    execFileSync('ip', ['netns', 'exec', router, 'sysctl', '-qw', ...sysctl]);
    const service = spawn('ip', ['netns', 'exec', server, process.execPath, PEER, 'serve', String(PORT)]);
    children.push(service);
    await once(service.stdout, 'data');
  } catch (error) {
    close();
    throw error;
  }
  return {
    client,
    router,
    server,
    async ask(proto, text, { host = SERVER.v4, limitMs = 3000 } = {}) {
      const args = ['netns', 'exec', client, process.execPath, PEER, proto, host, String(PORT), text, String(limitMs)];
      const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'ignore'] });
      let out = '';
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
      await once(child, 'close');
      return out === '' ? undefined : out;
    },
    close,
  };
}

export const skipReason = process.getuid?.() === 0 ? false : 'needs root for network namespaces';
export const nftQueue = (): Promise<boolean> => hasNftQueue(createPrograms());
