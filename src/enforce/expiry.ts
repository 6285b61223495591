/** Binary heap of deadlines: tells which decisions have ended, in O(log n) each. */
export class ExpiryQueue {
  private readonly heap: { id: string; deadlineMs: number }[] = [];

  get size(): number {
    return this.heap.length;
  }

  push(id: string, deadlineMs: number): void {
    if (deadlineMs === Infinity) return;
    const heap = this.heap;
    let at = heap.push({ id, deadlineMs }) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.deadlineMs <= deadlineMs) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = { id, deadlineMs };
  }

  /** Removes and returns the ids whose deadline has passed; the caller checks whether the deadline still holds. */
  takeDue(nowMs: number, most = 10_000): string[] {
    const due: string[] = [];
    while (due.length < most && this.heap.length > 0 && this.heap[0]!.deadlineMs <= nowMs) due.push(this.pop());
    return due;
  }

  clear(): void {
    this.heap.length = 0;
  }

  private pop(): string {
    const heap = this.heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) {
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= heap.length) break;
        if (child + 1 < heap.length && heap[child + 1]!.deadlineMs < heap[child]!.deadlineMs) child += 1;
        if (heap[child]!.deadlineMs >= last.deadlineMs) break;
        heap[at] = heap[child]!;
        at = child;
      }
      heap[at] = last;
    }
    return top.id;
  }
}
