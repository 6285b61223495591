import { Traffic } from '../traffic.js';
import { answer, onCommands } from './answer.js';
import { openSender } from './sender.js';

interface GenerateOptions {
  interface: string;
  packets: number;
  /** Packets a second; 0 for as fast as possible. */
  ratePps: number;
}

const FRAMES = 4096;
const BATCH = 32;

/** Sends a fixed number of frames each time a line comes in; answers how many and how fast. */
export function generate(options: GenerateOptions): void {
  const traffic = new Traffic({ concurrency: 200, withPayload: true, gapUs: 1, startUs: 1.8e15 });
  const block = traffic.createBlock(FRAMES);
  traffic.fill(block);
  const sender = openSender(options.interface, block);
  onCommands(() => {
    const begin = performance.now();
    let sent = 0;
    while (sent < options.packets) {
      if (options.ratePps > 0) waitUntil(begin + (sent / options.ratePps) * 1000);
      sent += sender.send(sent % FRAMES, Math.min(BATCH, options.packets - sent));
    }
    answer({ sent, secs: (performance.now() - begin) / 1000 });
  }, sender.close);
  answer({ ready: true });
}

/** Sleeps in the kernel rather than in a loop: the generator shares the machine with what is measured. */
function waitUntil(ms: number): void {
  const rest = ms - performance.now();
  if (rest > 0.2) Atomics.wait(cell, 0, 0, rest);
}

const cell = new Int32Array(new SharedArrayBuffer(4));
