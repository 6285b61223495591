import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LIBRARIES = '/usr/lib';

/**
 * The wall clock of programs that run with its environment, set by libfaketime (Debian's package faketime). As when a
 * real clock is set, the monotonic clock and the kernel's timestamps of packets do not move with it.
 */
export class MovableClock {
  readonly env: Record<string, string>;
  private readonly file: string;
  private offsetMs = 0;

  /** @param dir folder for the file through which running programs are told. */
  constructor(dir: string) {
    this.file = join(dir, 'clock');
    this.env = {
      LD_PRELOAD: libraryPath(),
      FAKETIME_TIMESTAMP_FILE: this.file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
    this.set(0);
  }

  /** Epoch milliseconds that its programs see. */
  now(): number {
    return Date.now() + this.offsetMs;
  }

  /** Sets the clock to an epoch time in milliseconds. */
  moveTo(ms: number): void {
    this.set(Math.round((ms - Date.now()) / 1000) * 1000);
  }

  private set(offsetMs: number): void {
    this.offsetMs = offsetMs;
    writeFileSync(`${this.file}.new`, `+${offsetMs / 1000}\n`);
    renameSync(`${this.file}.new`, this.file);
  }
}

/** Debian keeps it in a folder of the machine's architecture. */
function libraryPath(): string {
  const found = readdirSync(LIBRARIES).flatMap((name) => {
    const dir = join(LIBRARIES, name, 'faketime');
    try {
      return readdirSync(dir).includes('libfaketime.so.1') ? [join(dir, 'libfaketime.so.1')] : [];
    } catch {
      return [];
    }
  });
  if (found[0] === undefined) throw new Error('libfaketime is not installed: apt-get install faketime');
  return found[0];
}
