/** One number a flow slot, kept by a detector; grows with the flow table and is cleared when a flow begins. */
export class SlotColumn {
  private values: Float64Array = new Float64Array(0);

  get(slot: number): number {
    return slot < this.values.length ? this.values[slot]! : 0;
  }

  set(slot: number, value: number, capacity: number): void {
    if (slot >= this.values.length) {
      const bigger = new Float64Array(capacity);
      bigger.set(this.values);
      this.values = bigger;
    }
    this.values[slot] = value;
  }
}
