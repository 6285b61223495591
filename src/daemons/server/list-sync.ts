import type { ResponderCommand } from '../../contract/ipc.js';
import type { Decision } from '../../domain/decision.js';
import { uuid7 } from '../../util/uuid7.js';

/** A part is some 150 KB: small enough that a decision made meanwhile does not wait behind it. */
const PER_PART = 200;
/** Parts under way before the responder must have taken the first of them. */
const WINDOW = 2;

/**
 * Sends a responder the list of what should be in force, part by part as the responder takes them: a list of any length
 * neither fills the queue nor holds up a decision.
 */
export interface ListSender {
  start(peer: string, decisions: readonly Decision[]): void;
  /** The responder took a part. */
  taken(peer: string, syncId: string): void;
  /** The connection ended; the next one gets a list of its own. */
  stop(peer: string): void;
}

export function createListSender(send: (peer: string, command: ResponderCommand) => boolean): ListSender {
  const runs = new Map<string, { id: string; decisions: readonly Decision[]; next: number }>();

  function sendPart(peer: string): void {
    const run = runs.get(peer);
    if (!run) return;
    const decisions = run.decisions.slice(run.next, run.next + PER_PART);
    run.next += PER_PART;
    const last = run.next >= run.decisions.length;
    if (last) runs.delete(peer);
    send(peer, { type: 'sync', decisions: [...decisions], syncId: run.id, last });
  }

  return {
    start(peer, decisions) {
      runs.set(peer, { id: uuid7(), decisions, next: 0 });
      for (let i = 0; i < WINDOW; i++) sendPart(peer);
    },
    taken(peer, syncId) {
      if (runs.get(peer)?.id === syncId) sendPart(peer);
    },
    stop: (peer) => void runs.delete(peer),
  };
}
