import { elementId, type SetElement } from './element.js';

/** Who wants an element, and until when (monotonic milliseconds; Infinity = until dropped). */
interface Holder {
  id: string;
  deadlineMs: number;
}

interface Held {
  element: SetElement;
  holders: Holder[];
  deadlineMs: number;
}

/** A change of the kernel's sets that the ledger asks for. */
export interface ElementOp {
  /** `update` changes the timeout of an element that is there. */
  kind: 'add' | 'update' | 'delete';
  id: string;
  element: SetElement;
  /** Monotonic milliseconds; Infinity = no timeout. Not used by `delete`. */
  deadlineMs: number;
}

/** Deadlines closer than this are the same: no kernel change for it. */
const SAME_MS = 50;

/**
 * What the kernel's sets should hold. Several decisions may need one element (a host block by policy and by an
 * operator, two feeds): it lives until the last of them ends.
 */
export class Ledger {
  private readonly held = new Map<string, Held>();
  private readonly byHolder = new Map<string, string[]>();

  get size(): number {
    return this.held.size;
  }

  has(id: string): boolean {
    return this.held.has(id);
  }

  get(id: string): { element: SetElement; deadlineMs: number } | undefined {
    return this.held.get(id);
  }

  holdersOf(id: string): readonly string[] {
    return this.held.get(id)?.holders.map((h) => h.id) ?? [];
  }

  elementsOf(holder: string): readonly string[] {
    return this.byHolder.get(holder) ?? [];
  }

  entries(): IterableIterator<[string, { element: SetElement; deadlineMs: number }]> {
    return this.held.entries();
  }

  /** Makes the holder hold exactly these elements until the deadline; replaces what it held before. */
  hold(holder: string, elements: readonly SetElement[], deadlineMs: number): ElementOp[] {
    const ops: ElementOp[] = [];
    const ids = elements.map(elementId);
    for (const id of this.byHolder.get(holder) ?? []) if (!ids.includes(id)) this.release(holder, id, ops);
    for (const [i, element] of elements.entries()) {
      const id = ids[i]!;
      const held = this.held.get(id);
      if (!held) {
        this.held.set(id, { element, holders: [{ id: holder, deadlineMs }], deadlineMs });
        ops.push({ kind: 'add', id, element, deadlineMs });
        continue;
      }
      const mine = held.holders.find((h) => h.id === holder);
      if (mine) mine.deadlineMs = deadlineMs;
      else held.holders.push({ id: holder, deadlineMs });
      this.settle(id, held, ops);
    }
    this.byHolder.set(holder, ids);
    return ops;
  }

  /** The holder lets go of everything. */
  drop(holder: string): ElementOp[] {
    const ops: ElementOp[] = [];
    for (const id of this.byHolder.get(holder) ?? []) this.release(holder, id, ops);
    this.byHolder.delete(holder);
    return ops;
  }

  clear(): void {
    this.held.clear();
    this.byHolder.clear();
  }

  private release(holder: string, id: string, ops: ElementOp[]): void {
    const held = this.held.get(id);
    if (!held) return;
    held.holders = held.holders.filter((h) => h.id !== holder);
    if (held.holders.length > 0) {
      this.settle(id, held, ops);
      return;
    }
    this.held.delete(id);
    ops.push({ kind: 'delete', id, element: held.element, deadlineMs: held.deadlineMs });
  }

  private settle(id: string, held: Held, ops: ElementOp[]): void {
    const deadlineMs = Math.max(...held.holders.map((h) => h.deadlineMs));
    const same = deadlineMs === held.deadlineMs || Math.abs(deadlineMs - held.deadlineMs) < SAME_MS;
    if (same) return;
    held.deadlineMs = deadlineMs;
    ops.push({ kind: 'update', id, element: held.element, deadlineMs });
  }
}
