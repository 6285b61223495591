/** Binary heap of deadlines: tells which decisions have ended, in O(log n) each. */
export class ExpiryQueue {
  /** A heap in two columns: a hundred thousand deadlines make no hundred thousand objects. */
  private readonly ids: string[] = [];
  private readonly deadlines: number[] = [];

  get size(): number {
    return this.ids.length;
  }

  push(id: string, deadlineMs: number): void {
    if (deadlineMs === Infinity) return;
    let at = this.ids.push(id) - 1;
    this.deadlines.push(deadlineMs);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.deadlines[parent]! <= deadlineMs) break;
      this.move(parent, at);
      at = parent;
    }
    this.ids[at] = id;
    this.deadlines[at] = deadlineMs;
  }

  /** Removes and returns the ids whose deadline has passed; the caller checks whether the deadline still holds. */
  takeDue(nowMs: number, most = 10_000): string[] {
    const due: string[] = [];
    while (due.length < most && this.ids.length > 0 && this.deadlines[0]! <= nowMs) due.push(this.pop());
    return due;
  }

  clear(): void {
    this.ids.length = 0;
    this.deadlines.length = 0;
  }

  private move(from: number, to: number): void {
    this.ids[to] = this.ids[from]!;
    this.deadlines[to] = this.deadlines[from]!;
  }

  private pop(): string {
    const top = this.ids[0]!;
    const lastId = this.ids.pop()!;
    const lastDeadline = this.deadlines.pop()!;
    const length = this.ids.length;
    if (length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && this.deadlines[child + 1]! < this.deadlines[child]!) child += 1;
      if (this.deadlines[child]! >= lastDeadline) break;
      this.move(child, at);
      at = child;
    }
    this.ids[at] = lastId;
    this.deadlines[at] = lastDeadline;
    return top;
  }
}
