import type { Direction } from '../../domain/flow.js';
import { DcerpcCalls, looksLikeDcerpc } from '../dcerpc/calls.js';
import type { FieldTransaction } from '../transaction.js';

const MAX_TREES = 256;
const MAX_PIPES = 64;

/** Named pipes of a session, and the DCE/RPC calls that go through them (MS-RPCE 2.1.1.2). */
export class SmbPipes {
  private readonly open: () => FieldTransaction;
  /** Shares by their id: whether they hold pipes. */
  private readonly trees = new Map<string, boolean>();
  /** Calls by the id of the open pipe. */
  private readonly calls = new Map<string, DcerpcCalls>();

  constructor(open: () => FieldTransaction) {
    this.open = open;
  }

  connect(tree: string, isPipe: boolean): void {
    if (this.trees.size >= MAX_TREES) this.trees.delete(this.trees.keys().next().value!);
    this.trees.set(tree, isPipe);
  }

  disconnect(tree: string): void {
    this.trees.delete(tree);
  }

  close(id: string): void {
    this.calls.delete(id);
  }

  /** @returns whether these bytes went through a pipe; on a share that was not seen to be connected, by the bytes themselves. */
  take(t: { tree: string; id: string; direction: Direction; data: Uint8Array }): boolean {
    const isPipe = this.trees.get(t.tree);
    if (isPipe === false) return false;
    if (isPipe === undefined && !this.calls.has(t.id) && !looksLikeDcerpc(t.data)) return false;
    this.feed(t.id, t.direction, t.data);
    return true;
  }

  /** Bytes that are known to go through a pipe. */
  feed(id: string, direction: Direction, data: Uint8Array): void {
    let calls = this.calls.get(id);
    if (calls === undefined) {
      if (!looksLikeDcerpc(data)) return;
      if (this.calls.size >= MAX_PIPES) this.calls.delete(this.calls.keys().next().value!);
      calls = new DcerpcCalls(this.open);
      this.calls.set(id, calls);
    }
    calls.feed(data, direction);
  }
}
