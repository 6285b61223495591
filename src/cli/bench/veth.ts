import { execFileSync } from 'node:child_process';

/** Two network namespaces joined by a veth pair, for traffic that must not touch the machine's own network. */
export interface VethPair {
  /** Namespace that sends, and its interface. */
  from: { netns: string; interface: string };
  /** Namespace that captures, and its interface. */
  to: { netns: string; interface: string };
  remove(): void;
}

/** @throws when `ip` is missing or the rights are. */
export function createVethPair(prefix: string): VethPair {
  const from = `${prefix}-${process.pid}-a`;
  const to = `${prefix}-${process.pid}-b`;
  const remove = (): void => {
    for (const name of [from, to]) {
      try {
        ip('netns', 'delete', name);
      } catch {
        // Not there: nothing to remove.
      }
    }
  };
  try {
    for (const name of [from, to]) ip('netns', 'add', name);
    ip('link', 'add', 'bench0', 'netns', from, 'type', 'veth', 'peer', 'name', 'bench0', 'netns', to);
    for (const name of [from, to]) {
      // Without IPv6 the interfaces stay silent: what is counted was sent by the generator.
      ip('netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.bench0.disable_ipv6=1');
      ip('-n', name, 'link', 'set', 'bench0', 'arp', 'off', 'up');
    }
  } catch (error) {
    remove();
    throw error;
  }
  return { from: { netns: from, interface: 'bench0' }, to: { netns: to, interface: 'bench0' }, remove };
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' });
}
