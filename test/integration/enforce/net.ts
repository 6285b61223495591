import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Namespaces need root; without it these tests cannot run. */
export const skipReason: string | false = canMakeNamespaces() ? false : 'needs root, ip and nft';

function canMakeNamespaces(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync('nft', ['--version'], { stdio: 'ignore' });
    execFileSync('ip', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** How long an answer may take that nothing holds back. */
export const PATIENCE_MS = 30_000;
/** How long nobody waits for an answer that should not come. */
export const AT_ONCE_MS = 300;

export interface Answer {
  ok: boolean;
  why?: string;
  answers?: number;
  refused?: number;
  /** From the first datagram to the end of the wait, milliseconds. */
  tookMs?: number;
}

/** A traffic maker in a namespace. */
export class Agent {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private readonly ready: Promise<void>;
  private n = 0;

  constructor(netns: string) {
    const script = fileURLToPath(new URL('agent.mjs', import.meta.url));
    this.child = spawn('ip', ['netns', 'exec', netns, process.execPath, script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.ready = new Promise((resolve) => {
      createInterface({ input: this.child.stdout! }).on('line', (line) => {
        const answer = JSON.parse(line) as Answer & { n?: number; ready?: boolean };
        if (answer.ready) resolve();
        else this.waiting.get(answer.n ?? -1)?.(answer);
      });
    });
  }

  async ask(op: string, options: object): Promise<Answer> {
    await this.ready;
    const n = this.n++;
    return new Promise((resolve) => {
      this.waiting.set(n, resolve);
      this.child.stdin!.write(`${JSON.stringify({ n, op, timeoutMs: PATIENCE_MS, ...options })}\n`);
    });
  }

  /** True when a new TCP connection from `local` succeeds at once; `connects` is for one that must succeed. */
  async canConnect(host: string, port: number, local: string, timeoutMs = AT_ONCE_MS): Promise<boolean> {
    const { ok } = await this.ask('open', { id: 'probe', host, port, local, timeoutMs });
    await this.ask('close', { id: 'probe' });
    return ok;
  }

  /** True when a datagram from `local` is answered at once; `isAnswered` is for one that must be. */
  async canPing(host: string, port: number, local: string, timeoutMs = AT_ONCE_MS): Promise<boolean> {
    return (await this.ask('udp', { host, port, local, timeoutMs })).ok;
  }

  /** As `canConnect`, however busy the machine is. */
  connects = (host: string, port: number, local: string): Promise<boolean> =>
    this.canConnect(host, port, local, PATIENCE_MS);

  /** As `canPing`, however busy the machine is. */
  isAnswered = (host: string, port: number, local: string): Promise<boolean> =>
    this.canPing(host, port, local, PATIENCE_MS);

  stop(): void {
    this.child.kill('SIGKILL');
  }
}

/** Addresses of the outside host: one network of attackers, IPv4 and IPv6. */
export const OUT4 = ['203.0.113.7', '203.0.113.8', '203.0.113.9', '198.51.100.20'] as const;
export const OUT6 = ['2001:db8:1::7', '2001:db8:1::8', '2001:db8:2::9'] as const;
export const ROUTER4 = '10.50.1.1';
export const ROUTER6 = 'fd50:1::1';
export const INSIDE4 = '10.50.2.2';
export const INSIDE6 = 'fd50:2::2';

let serial = 0;

/** outside -- router -- inside, each in a namespace; the responder runs in the router's. */
export class TestNet {
  readonly router: string;
  readonly outside: string;
  readonly inside: string;
  out!: Agent;
  in!: Agent;
  box!: Agent;

  constructor() {
    const name = `enf-${process.pid}-${serial++}`;
    this.router = `${name}-r`;
    this.outside = `${name}-o`;
    this.inside = `${name}-i`;
  }

  /** Builds the network and starts echo servers (TCP and UDP, ports 80 and 81) inside and on the router. */
  async up(): Promise<this> {
    const { router, outside, inside } = this;
    for (const ns of [router, outside, inside]) execFileSync('ip', ['netns', 'add', ns]);
    const lines = [
      `link add r-o netns ${router} type veth peer name o-r netns ${outside}`,
      `link add r-i netns ${router} type veth peer name i-r netns ${inside}`,
    ];
    batch(lines);
    batch(
      [
        'link set lo up',
        'link set r-o up',
        'link set r-i up',
        `addr add ${ROUTER4}/24 dev r-o`,
        'addr add 10.50.2.1/24 dev r-i',
        `addr add ${ROUTER6}/64 dev r-o nodad`,
        'addr add fd50:2::1/64 dev r-i nodad',
        'route add 203.0.113.0/24 via 10.50.1.2',
        'route add 198.51.100.0/24 via 10.50.1.2',
        'route add 2001:db8::/32 via fd50:1::2',
      ],
      router,
    );
    batch(
      [
        'link set lo up',
        'link set o-r up',
        'addr add 10.50.1.2/24 dev o-r',
        'addr add fd50:1::2/64 dev o-r nodad',
        ...OUT4.map((a) => `addr add ${a}/32 dev o-r`),
        ...OUT6.map((a) => `addr add ${a}/128 dev o-r nodad`),
        `route add default via ${ROUTER4}`,
        `route add ::/0 via ${ROUTER6}`,
      ],
      outside,
    );
    batch(
      [
        'link set lo up',
        'link set i-r up',
        `addr add ${INSIDE4}/24 dev i-r`,
        `addr add ${INSIDE6}/64 dev i-r nodad`,
        'route add default via 10.50.2.1',
        'route add ::/0 via fd50:2::1',
      ],
      inside,
    );
    const sysctl = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
    execFileSync('ip', ['netns', 'exec', router, 'sysctl', '-q', '-w', ...sysctl]);
    this.out = new Agent(outside);
    this.in = new Agent(inside);
    this.box = new Agent(router);
    for (const agent of [this.in, this.box, this.out]) {
      for (const port of [80, 81]) {
        for (const proto of ['tcp', 'udp']) await agent.ask('serve', { proto, host: '0.0.0.0', port });
      }
    }
    for (const proto of ['tcp', 'udp']) await this.in.ask('serve', { proto, host: INSIDE6, port: 80 });
    return this;
  }

  /** Runs nft in the router's namespace. */
  nft(...args: string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.router, 'nft', ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
  }

  down(): void {
    for (const agent of [this.out, this.in, this.box]) agent?.stop();
    for (const ns of [this.router, this.outside, this.inside]) {
      try {
        execFileSync('ip', ['netns', 'delete', ns], { stdio: 'ignore' });
      } catch {
        // It was never made.
      }
    }
  }
}

function batch(lines: readonly string[], netns?: string): void {
  const where = netns === undefined ? [] : ['-n', netns];
  execFileSync('ip', [...where, '-batch', '-'], { input: `${lines.join('\n')}\n`, stdio: ['pipe', 'ignore', 'pipe'] });
}
