/**
 * Flows waiting for their early vector, in the order they began. All wait equally long, so a ring is enough: the head
 * is always the next due. When the ring is full the oldest entry is passed over and counted.
 */
export class SnapshotQueue {
  /** Entries overwritten before they were due. */
  skipped = 0;
  private readonly slots: Int32Array;
  private readonly ids: Float64Array;
  private readonly dueUs: Float64Array;
  private readonly delayUs: number;
  private head = 0;
  private size = 0;

  constructor(capacity: number, delayUs: number) {
    this.slots = new Int32Array(capacity);
    this.ids = new Float64Array(capacity);
    this.dueUs = new Float64Array(capacity);
    this.delayUs = delayUs;
  }

  push(slot: number, flowId: number, startUs: number): void {
    const capacity = this.slots.length;
    if (this.size === capacity) {
      this.head = (this.head + 1) % capacity;
      this.size--;
      this.skipped++;
    }
    const at = (this.head + this.size) % capacity;
    this.slots[at] = slot;
    this.ids[at] = flowId;
    this.dueUs[at] = startUs + this.delayUs;
    this.size++;
  }

  /** True when an entry is due at `nowUs`; read it with `slot`, `flowId` and `due`, then `shift`. */
  isDue(nowUs: number): boolean {
    return this.size > 0 && this.dueUs[this.head]! <= nowUs;
  }

  get slot(): number {
    return this.slots[this.head]!;
  }

  get flowId(): number {
    return this.ids[this.head]!;
  }

  get due(): number {
    return this.dueUs[this.head]!;
  }

  shift(): void {
    this.head = (this.head + 1) % this.slots.length;
    this.size--;
  }
}
