import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { nodeArgs } from '../../support/program.js';

const ANSWER_TIMEOUT_MS = 20_000;

export interface CaptureReport {
  packets: number;
  kernelDrops: number;
  reopens: number;
  flows: number;
  vlans: number[];
  linkType: number;
  /** Median time from the kernel's timestamp to the consumer, microseconds. */
  delayUs: number;
  /** Packets that do not follow the one before them, of a sender that numbers them. */
  breaks: number;
  /** How often the doorbell was silenced, and how often packets came before their block was closed. */
  silenced: number;
  rung: number;
}

export type Script = 'capture-child.ts' | 'send-child.ts' | 'tun-child.ts';

/** A program of this folder in a network namespace; it answers each line with a line of JSON. */
export class Child {
  private readonly process;
  private readonly lines: string[] = [];
  private wake: () => void = () => undefined;
  private errors = '';
  private ended = false;
  private ending = '';

  constructor(netns: string, script: Script, options: object, prefix: readonly string[] = []) {
    const argv = [
      'netns',
      'exec',
      netns,
      ...prefix,
      process.execPath,
      ...nodeArgs(`test/timing/capture/${script}`),
      JSON.stringify(options),
    ];
    this.process = spawn('ip', argv, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.process.stderr.on('data', (chunk: Buffer) => (this.errors += chunk.toString()));
    this.process.on('close', (code, signal) => {
      this.ended = true;
      this.ending = signal ?? `code ${code}`;
      this.wake();
    });
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      this.lines.push(line);
      this.wake();
    });
  }

  async next<T = unknown>(): Promise<T> {
    const deadline = Date.now() + ANSWER_TIMEOUT_MS;
    while (this.lines.length === 0) {
      if (this.ended) throw new Error(`the child ended: ${this.errors}`);
      if (Date.now() > deadline) throw new Error(`the child gave no answer: ${this.errors}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now());
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return JSON.parse(this.lines.shift()!) as T;
  }

  ask<T = unknown>(line: string): Promise<T> {
    this.process.stdin.write(`${line}\n`);
    return this.next<T>();
  }

  /** Asks for the report until the condition holds; fails with the last report after a bound. */
  async until(condition: (report: CaptureReport) => boolean): Promise<CaptureReport> {
    const deadline = Date.now() + ANSWER_TIMEOUT_MS;
    for (;;) {
      const report = await this.ask<CaptureReport>('report');
      if (condition(report)) return report;
      if (Date.now() > deadline) throw new Error(`never reached: ${JSON.stringify(report)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends its input and waits for it; a crash on the way out is an error. */
  async stop(): Promise<void> {
    this.process.stdin.end();
    if (!this.ended) await new Promise<void>((resolve) => void this.process.on('close', () => resolve()));
    if (this.ending !== 'code 0') throw new Error(`the child ended with ${this.ending}: ${this.errors}`);
  }
}
