/** Rows that are added to sums in the database: what could not be written is kept and written with the next ones. */
export interface Keeper<T> {
  /** Rejects when they cannot be written now. */
  write(rows: readonly T[]): Promise<void>;
}

/** @param maxKept rows held back while the database is away; the oldest go beyond it. */
export function createKeeper<T>(maxKept: number, write: (rows: T[]) => Promise<void>): Keeper<T> {
  let kept: T[] = [];
  let tail: Promise<void> = Promise.resolve();

  async function writeKept(): Promise<void> {
    const batch = kept;
    kept = [];
    if (batch.length === 0) return;
    try {
      await write(batch);
    } catch (error) {
      kept = [...batch, ...kept].slice(-maxKept);
      throw error;
    }
  }

  return {
    write(rows) {
      kept = [...kept, ...rows].slice(-maxKept);
      tail = tail.then(writeKept, writeKept);
      return tail;
    },
  };
}
