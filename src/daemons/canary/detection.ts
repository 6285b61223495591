import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BehaviourOptions } from '../../detect/behaviour/index.js';
import type { CanaryDetection, CanaryPlace, CanarySighting } from '../../enforce/index.js';
import type { CanaryTask } from './child.js';

const OPEN_PORT = 7008;
/** A busy box needs its time to start a process, and a canary that fails is a critical incident. */
const ANSWER_MS = 60_000;

const CHILD = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './child.ts' : './child.js', import.meta.url));

/** A process in a namespace, one line of JSON for each thing it tells. */
class Helper {
  private readonly process: ChildProcess;
  private readonly lines: Record<string, unknown>[] = [];
  private wake: () => void = () => undefined;
  private errors = '';
  private isOver = false;
  private readonly answerMs: number;

  constructor(netns: string, task: CanaryTask, answerMs: number) {
    this.answerMs = answerMs;
    const command = [process.execPath, ...process.execArgv.filter((a) => a !== '--test'), CHILD, JSON.stringify(task)];
    this.process = spawn('ip', ['netns', 'exec', netns, ...command], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.process.stdin?.on('error', () => undefined);
    this.process.stderr?.on('data', (chunk: Buffer) => (this.errors = (this.errors + chunk.toString()).slice(-500)));
    createInterface({ input: this.process.stdout! }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Record<string, unknown>);
      this.wake();
    });
    const over = (): void => {
      this.isOver = true;
      this.wake();
    };
    this.process.on('error', over).on('close', over);
  }

  /** The next line that has this key. */
  async said(key: string): Promise<Record<string, unknown>> {
    const timeout = AbortSignal.timeout(this.answerMs);
    for (;;) {
      const found = this.lines.find((line) => key in line);
      if (found) return found;
      const failed = this.lines.find((line) => 'failed' in line)?.['failed'];
      if (failed !== undefined) throw new Error(String(failed));
      if (this.isOver) throw new Error(`a helper of the canary ended: ${this.errors.trim()}`);
      if (timeout.aborted) throw new Error(`no "${key}" within ${this.answerMs / 1000} s`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        timeout.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  go(): void {
    this.process.stdin?.write('go\n');
  }

  async close(): Promise<void> {
    if (this.isOver) return;
    const closed = new Promise((resolve) => this.process.once('close', resolve));
    this.process.stdin?.end();
    const kill = setTimeout(() => this.process.kill('SIGKILL'), 1000);
    await closed;
    clearTimeout(kill);
  }
}

/** Our sensor's own path in the canary's namespace, and a connect scan of it as the hostile traffic. */
export function createCanaryDetection(behaviour: BehaviourOptions, answerMs = ANSWER_MS): CanaryDetection {
  const helpers: Helper[] = [];
  return {
    async open(place: CanaryPlace) {
      const openPort = OPEN_PORT;
      const watch: CanaryTask = { role: 'sensor', interface: place.interface, openPort, behaviour };
      const sensor = new Helper(place.box, watch, answerMs);
      helpers.push(sensor);
      const ports = 2 * behaviour.portScan.ports + 10;
      const scan: CanaryTask = { role: 'attacker', target: place.target, openPort, ports };
      const attacker = new Helper(place.attacker, scan, answerMs);
      helpers.push(attacker);
      await Promise.all([sensor.said('ready'), attacker.said('ready')]);
      return `afpacket on ${place.interface}, behaviour detectors, one policy`;
    },
    async provoke() {
      helpers[1]?.go();
      return (await helpers[0]?.said('decision')) as unknown as CanarySighting;
    },
    async close() {
      await Promise.all(helpers.map((helper) => helper.close()));
    },
  };
}
