/** One measured figure. */
export interface BenchFigure {
  /** Machine name, for instance `live_afpacket_cpu`. */
  name: string;
  value: number;
  unit: string;
  /** What was measured, in one line. */
  text: string;
}

export interface BenchContext {
  /** Scratch directory, removed afterwards. */
  dir: string;
  signal: AbortSignal;
  /** Rule files for the signatures; those shipped unless given. */
  rules?: readonly string[];
  /** Capture files for the behaviour detectors, beside made-up traffic. */
  captures?: readonly string[];
  /** Tells what is going on, on a terminal. */
  progress(text: string): void;
}

/** A part of `portcullis bench`. To add one: its file, and a line in sections.ts. */
export interface BenchSection {
  name: string;
  title: string;
  /** @returns figures; a figure that cannot be measured here is left out and said so through `skip`. */
  run(context: BenchContext, skip: (reason: string) => void): Promise<BenchFigure[]>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
