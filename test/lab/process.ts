import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

export interface StartOptions {
  /** Standard input: a text, or a pipe that the caller writes to. */
  input?: string | 'pipe';
  env?: Record<string, string>;
  cwd?: string;
  /** File that gets a copy of the output. */
  logFile?: string;
  /** Seconds after which it is ended; 0 = no limit. */
  limitSecs?: number;
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Keeps at most this much of a program's output. */
const OUTPUT_CAP = 4 << 20;

/** A program in a namespace, in a process group of its own. */
export class LabProcess {
  readonly child: ChildProcess;
  readonly command: string;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  private waiters: { pattern: RegExp; resolve: (match: RegExpExecArray) => void }[] = [];
  private hasEnded = false;

  constructor(netns: string, command: string, args: readonly string[], options: StartOptions = {}) {
    this.command = [command, ...args].join(' ');
    const stdin = options.input === undefined ? 'ignore' : 'pipe';
    this.child = spawn('ip', ['netns', 'exec', netns, command, ...args], {
      stdio: [stdin, 'pipe', 'pipe'],
      detached: true,
      cwd: options.cwd,
      env: { ...process.env, LC_ALL: 'C.UTF-8', ...options.env },
    });
    if (typeof options.input === 'string' && options.input !== 'pipe') this.child.stdin?.end(options.input);
    const log = options.logFile === undefined ? undefined : createWriteStream(options.logFile, { flags: 'a' });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout = (this.stdout + text).slice(-OUTPUT_CAP);
      log?.write(text);
      this.checkWaiters();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-OUTPUT_CAP);
      log?.write(text);
      this.checkWaiters();
    });
    this.ended = this.watchEnd(log);
    if (options.limitSecs) this.limit(options.limitSecs);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get running(): boolean {
    return !this.hasEnded;
  }

  /** Output so far, standard error last. */
  get output(): string {
    return this.stdout + this.stderr;
  }

  /** Waits until the output matches; fails with the output when the program ends or the time is over. */
  async waitForOutput(pattern: RegExp, limitMs = 60_000): Promise<RegExpExecArray> {
    const now = pattern.exec(this.output);
    if (now) return now;
    const problem = (why: string) =>
      new Error(`${this.command}: ${why} before ${String(pattern)}; output:\n${this.output}`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(problem(`${limitMs} ms passed`)), limitMs);
      const done = (match: RegExpExecArray) => {
        clearTimeout(timer);
        resolve(match);
      };
      this.waiters.push({ pattern, resolve: done });
      void this.ended.then(() => {
        clearTimeout(timer);
        reject(problem('ended'));
      });
    });
  }

  /** Signals the whole group and waits for the end; after five seconds it is killed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    if (!this.hasEnded) {
      this.signal(signal);
      const timer = setTimeout(() => this.signal('SIGKILL'), 5000);
      await this.ended;
      clearTimeout(timer);
    }
    return this.ended;
  }

  /** Sends a signal to the process group; a group that is gone is fine. */
  signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // Ended meanwhile.
    }
  }

  private async watchEnd(log: NodeJS.WritableStream | undefined): Promise<Ended> {
    const [code, signal] = (await once(this.child, 'close')) as [number | null, NodeJS.Signals | null];
    this.hasEnded = true;
    log?.end();
    // What `ip netns exec` says of a program that is not there: nobody shall take that for an answer of the program.
    if (/^exec of "[^"]*" failed/.test(this.stderr)) throw new Error(`${this.command}: ${this.stderr.trim()}`);
    return { code, signal, stdout: this.stdout, stderr: this.stderr };
  }

  private limit(secs: number): void {
    const timer = setTimeout(() => void this.stop(), secs * 1000);
    void this.ended.then(() => clearTimeout(timer));
  }

  private checkWaiters(): void {
    this.waiters = this.waiters.filter(({ pattern, resolve }) => {
      const match = pattern.exec(this.output);
      if (match) resolve(match);
      return match === null;
    });
  }
}
