import { execFileSync } from 'node:child_process';

/** Client, router and server in a row: three network namespaces. */
export interface Row {
  client: string;
  router: string;
  server: string;
  serverIp: string;
  url: string;
  close(): void;
}

/** @throws when `ip` is missing or the rights are. */
export function openRow(prefix: string): Row {
  const [client = '', router = '', server = ''] = ['c', 'r', 's'].map((end) => `${prefix}-${process.pid}-${end}`);
  const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });
  const close = (): void => {
    for (const netns of [client, router, server]) {
      try {
        ip('netns', 'delete', netns);
      } catch {
        // It was not made.
      }
    }
  };
  try {
    for (const netns of [client, router, server]) {
      ip('netns', 'add', netns);
      ip('-n', netns, 'link', 'set', 'lo', 'up');
    }
    for (const [i, end] of [client, server].entries()) {
      const net = `10.93.${i + 1}`;
      ip('link', 'add', `r${i}`, 'netns', router, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', end);
      ip('-n', router, 'addr', 'add', `${net}.1/24`, 'dev', `r${i}`);
      ip('-n', router, 'link', 'set', `r${i}`, 'up');
      ip('-n', end, 'addr', 'add', `${net}.2/24`, 'dev', 'eth0');
      ip('-n', end, 'link', 'set', 'eth0', 'up');
      ip('-n', end, 'route', 'add', 'default', 'via', `${net}.1`);
    }
    ip('netns', 'exec', router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  } catch (error) {
    close();
    throw error;
  }
  return { client, router, server, serverIp: '10.93.2.2', url: '', close };
}
