const FIRST_AFTER_MS = 2000;
const EVERY_MS = 500;

/** A counter on standard error for anything that takes longer than two seconds, when that is a terminal. */
export interface Progress {
  set(value: number): void;
  end(): void;
}

/** @param unit what is counted: packets, rows, bytes. */
export function showProgress(unit: string): Progress {
  const startMs = performance.now();
  let nextMs = startMs + FIRST_AFTER_MS;
  let shown = false;
  return {
    set(value) {
      if (!process.stderr.isTTY) return;
      const now = performance.now();
      if (now < nextMs) return;
      nextMs = now + EVERY_MS;
      shown = true;
      const rate = Math.round(value / ((now - startMs) / 1000));
      process.stderr.write(`\r${value.toLocaleString('en')} ${unit} (${rate.toLocaleString('en')}/s)   `);
    },
    end() {
      if (shown) process.stderr.write('\r\x1b[K');
    },
  };
}
