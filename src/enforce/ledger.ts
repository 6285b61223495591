import { elementId, type SetElement } from './element.js';

/** Who wants an element besides the first, and until when (monotonic milliseconds; Infinity = until dropped). */
interface Holder {
  id: string;
  deadlineMs: number;
}

/** An element with its holders; most have one, which costs no list. */
export interface Held {
  element: SetElement;
  /** Changes of it that wait for their transaction: counted by the pump. */
  pending: number;
  first: string;
  firstDeadlineMs: number;
  others: Holder[] | undefined;
  /** The latest of its holders. */
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
  /** The ledger's entry that it came from. */
  held: Held;
}

/** Deadlines closer than this are the same: no kernel change for it. */
const SAME_MS = 50;

/**
 * What the kernel's sets should hold. Several decisions may need one element (a host block by policy and by an
 * operator, two feeds): it lives until the last of them ends.
 */
export class Ledger {
  private readonly held = new Map<string, Held>();
  /** Elements by holder: one id, or a list. */
  private readonly byHolder = new Map<string, string | string[]>();

  get size(): number {
    return this.held.size;
  }

  has(id: string): boolean {
    return this.held.has(id);
  }

  get(id: string): Readonly<Held> | undefined {
    return this.held.get(id);
  }

  holdersOf(id: string): readonly string[] {
    const held = this.held.get(id);
    return held ? [held.first, ...(held.others ?? []).map((h) => h.id)] : [];
  }

  elementsOf(holder: string): readonly string[] {
    const ids = this.byHolder.get(holder) ?? [];
    return typeof ids === 'string' ? [ids] : ids;
  }

  entries(): IterableIterator<[string, { element: SetElement; deadlineMs: number }]> {
    return this.held.entries();
  }

  /** Makes the holder hold exactly these elements until the deadline; replaces what it held before. */
  hold(holder: string, elements: readonly SetElement[], deadlineMs: number): ElementOp[] {
    const before = this.byHolder.get(holder);
    if (before === undefined && elements.length === 1) return this.holdFirst(holder, elements[0]!, deadlineMs);
    const ops: ElementOp[] = [];
    const ids = elements.map(elementId);
    for (const id of this.elementsOf(holder)) if (!ids.includes(id)) this.release(holder, id, ops);
    for (const [i, element] of elements.entries()) this.join(holder, { id: ids[i]!, element, deadlineMs }, ops);
    this.byHolder.set(holder, ids.length === 1 ? ids[0]! : ids);
    return ops;
  }

  /** {@link hold} of one element by a new holder: what lists are made of, so it looks things up once. */
  private holdFirst(holder: string, element: SetElement, deadlineMs: number): ElementOp[] {
    const ops: ElementOp[] = [];
    const id = elementId(element);
    this.join(holder, { id, element, deadlineMs }, ops);
    this.byHolder.set(holder, id);
    return ops;
  }

  private join(
    holder: string,
    wanted: { id: string; element: SetElement; deadlineMs: number },
    ops: ElementOp[],
  ): void {
    const { id, element, deadlineMs } = wanted;
    const held = this.held.get(id);
    if (!held) {
      const fresh: Held = {
        element,
        pending: 0,
        first: holder,
        firstDeadlineMs: deadlineMs,
        others: undefined,
        deadlineMs,
      };
      this.held.set(id, fresh);
      ops.push({ kind: 'add', id, element, deadlineMs, held: fresh });
      return;
    }
    const other = held.others?.find((h) => h.id === holder);
    if (held.first === holder) held.firstDeadlineMs = deadlineMs;
    else if (other) other.deadlineMs = deadlineMs;
    else (held.others ??= []).push({ id: holder, deadlineMs });
    this.settle(id, held, ops);
  }

  /** The holder lets go of everything. */
  drop(holder: string): ElementOp[] {
    const ops: ElementOp[] = [];
    for (const id of this.elementsOf(holder)) this.release(holder, id, ops);
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
    const others = held.others?.filter((h) => h.id !== holder) ?? [];
    if (held.first === holder) {
      const next = others.shift();
      if (!next) {
        this.held.delete(id);
        ops.push({ kind: 'delete', id, element: held.element, deadlineMs: held.deadlineMs, held });
        return;
      }
      held.first = next.id;
      held.firstDeadlineMs = next.deadlineMs;
    }
    held.others = others.length > 0 ? others : undefined;
    this.settle(id, held, ops);
  }

  private settle(id: string, held: Held, ops: ElementOp[]): void {
    let deadlineMs = held.firstDeadlineMs;
    for (const other of held.others ?? []) deadlineMs = Math.max(deadlineMs, other.deadlineMs);
    const same = deadlineMs === held.deadlineMs || Math.abs(deadlineMs - held.deadlineMs) < SAME_MS;
    if (same) return;
    held.deadlineMs = deadlineMs;
    ops.push({ kind: 'update', id, element: held.element, deadlineMs, held });
  }
}
