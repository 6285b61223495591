import { execFileSync } from 'node:child_process';

/** Why tests that need root and namespaces cannot run here, or false. */
export function cannotRun(): string | false {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  try {
    execFileSync('ip', ['-V'], { stdio: 'ignore' });
  } catch {
    return 'needs iproute2';
  }
  return false;
}

export function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' });
}

/** Two namespaces joined by a veth pair `cap0`, silent but for what a test sends. */
export class Wire {
  readonly from: string;
  readonly to: string;

  constructor(name: string) {
    this.from = `cap-${name}-${process.pid}a`;
    this.to = `cap-${name}-${process.pid}b`;
    for (const netns of [this.from, this.to]) ip('netns', 'add', netns);
    this.connect();
  }

  connect(): void {
    ip('link', 'add', 'cap0', 'netns', this.from, 'type', 'veth', 'peer', 'name', 'cap0', 'netns', this.to);
    for (const netns of [this.from, this.to]) {
      ip('netns', 'exec', netns, 'sysctl', '-qw', 'net.ipv6.conf.cap0.disable_ipv6=1');
      ip('-n', netns, 'link', 'set', 'cap0', 'arp', 'off', 'up');
    }
  }

  disconnect(): void {
    ip('-n', this.from, 'link', 'delete', 'cap0');
  }

  remove(): void {
    for (const netns of [this.from, this.to]) ip('netns', 'delete', netns);
  }
}
