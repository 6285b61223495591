/** One number a flow slot, kept by a detector; grows with the flow table. */
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

/** The same for sixteen bits a flow slot. */
export class SlotFlags {
  private values = new Uint16Array(0);

  get(slot: number): number {
    return slot < this.values.length ? this.values[slot]! : 0;
  }

  set(slot: number, value: number, capacity: number): void {
    if (slot >= this.values.length) {
      const bigger = new Uint16Array(capacity);
      bigger.set(this.values);
      this.values = bigger;
    }
    this.values[slot] = value;
  }
}
