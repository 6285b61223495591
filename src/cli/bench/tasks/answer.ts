import { createInterface } from 'node:readline';

/** Writes one line of JSON for the process that started this one. */
export function answer(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Calls back for each line that is sent, and at the end of input. */
export function onCommands(onLine: (line: string) => void, onEnd: () => void): void {
  createInterface({ input: process.stdin }).on('line', onLine).on('close', onEnd);
}
