import type { Host } from '../lab.js';
import type { LabProcess } from '../process.js';

/** An established SSH session whose other end says something five times a second. */
export class SshSession {
  readonly process: LabProcess;

  private constructor(process: LabProcess) {
    this.process = process;
  }

  static async open(host: Host, from: string, to: string): Promise<SshSession> {
    const options = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'];
    const loop = 'n=0; while true; do n=$((n+1)); echo "tick $n"; sleep 0.2; done';
    const args = ['-p', 'sunshine', 'ssh', '-b', from, ...options, `bob@${to}`, loop];
    const session = new SshSession(host.start('sshpass', args));
    await session.process.waitForOutput(/tick 2/);
    return session;
  }

  /** Ticks received so far. */
  get ticks(): number {
    return Number([...this.process.stdout.matchAll(/tick (\d+)/g)].at(-1)?.[1] ?? 0);
  }

  /** True when three more ticks arrive within the time: one may have been on its way. A busy machine needs some. */
  async lives(withinMs = 30_000): Promise<boolean> {
    const next = new RegExp(`tick ${this.ticks + 3}\\b`);
    return this.process.waitForOutput(next, withinMs).then(
      () => true,
      () => false,
    );
  }

  /**
   * True when the session falls silent in time. Only packets from the blocked side are dropped, so the other side goes on
   * until its unacknowledged data fills the congestion window: a few ticks.
   */
  async dies(withinMs = 60_000): Promise<boolean> {
    const end = performance.now() + withinMs;
    while (performance.now() < end) if (!(await this.lives(1500))) return true;
    return false;
  }
}
