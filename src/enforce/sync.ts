import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Decision } from '../domain/decision.js';
import type { DecisionBook } from './decisions.js';

/** Judged before the event loop goes round: what is urgent comes in between. */
const DECISIONS_PER_TURN = 200;

/** A part of the server's list; parts of one list carry the same id and come in order. */
export interface SyncPart {
  decisions: readonly Decision[] | Promise<readonly Decision[]>;
  id: string;
  last: boolean;
}

interface Run {
  id: string;
  /** Marks what this list contains. */
  mark: symbol;
  /** Decided while the list came in: newer than the list. */
  decided: Set<string>;
  released: Set<string>;
}

/**
 * Makes the server's list what is in force, part by part: what is missing is added as it comes, what is not in the list
 * is lifted at its end. Decisions and releases that arrive in between are newer than the list and win.
 */
export class ListSync {
  private readonly book: DecisionBook;
  private run: Run | undefined;
  private chain: Promise<void> = Promise.resolve();

  constructor(book: DecisionBook) {
    this.book = book;
  }

  noteDecided(id: string): void {
    this.run?.decided.add(id);
    this.run?.released.delete(id);
  }

  noteReleased(id: string): void {
    this.run?.released.add(id);
  }

  /** Resolves when the part is judged; the kernel may still be at it. */
  push(part: SyncPart): Promise<void> {
    if (this.run?.id !== part.id) {
      this.run = { id: part.id, mark: Symbol(part.id), decided: new Set(), released: new Set() };
    }
    const { run } = this;
    const taken = Promise.all([part.decisions, this.chain]).then(([decisions]) => this.take(run, decisions, part.last));
    // The next part is no worse for this one's failure, which its caller hears of.
    this.chain = taken.catch(() => undefined);
    return taken;
  }

  private async take(run: Run, decisions: readonly Decision[], last: boolean): Promise<void> {
    for (let i = 0; i < decisions.length; i += DECISIONS_PER_TURN) {
      await nextTurn();
      // What was released since has been told to a newer list.
      if (this.run !== run) return;
      const changed: Decision[] = [];
      for (const decision of decisions.slice(i, i + DECISIONS_PER_TURN)) {
        const known = this.book.get(decision.id);
        if (known) known.list = run.mark;
        if (run.decided.has(decision.id) || run.released.has(decision.id)) continue;
        const isSame = known?.kept.expiresMs === decision.expiresMs && known.kept.simulated === decision.simulated;
        if (!isSame) changed.push(decision);
      }
      this.book.decideMany(changed, run.mark);
    }
    if (!last) return;
    const surplus: string[] = [];
    for (const [id, { list }] of this.book.entries()) if (list !== run.mark && !run.decided.has(id)) surplus.push(id);
    for (const [i, id] of surplus.entries()) {
      if (i % DECISIONS_PER_TURN === 0) await nextTurn();
      // A newer list lifts what is not in it.
      if (this.run !== run) return;
      if (!run.decided.has(id)) this.book.release(id, 'not in the list of the server');
    }
    if (this.run === run) this.run = undefined;
  }
}
