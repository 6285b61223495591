import { writeFileSync } from 'node:fs';

/** Writes the file until nothing fits on its disk any more, not a byte. */
export function fillDisk(filler: string): void {
  for (let size = 1 << 20; size >= 1; size = Math.floor(size / 2)) {
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(size), { flag: 'a' });
    } catch {
      // As much as fits was written.
    }
  }
}
