/** Longest time at a stretch: a block must not wait for events being formatted. */
const SLICE_MS = 1;
const EVENTS_A_LOOK = 16;

/** Cuts long work into slices of about a millisecond; between them the event loop serves others. */
export class Slices {
  private startMs = performance.now();
  private count = 0;

  /** Call for each event. */
  isOver(): boolean {
    return ++this.count % EVENTS_A_LOOK === 0 && performance.now() - this.startMs >= SLICE_MS;
  }

  async next(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.startMs = performance.now();
  }
}
