import { setTimeout as delay } from 'node:timers/promises';
import type { Decision, Mode } from '../../domain/decision.js';
import { parseCidr } from '../../util/ip.js';
import { uuid7 } from '../../util/uuid7.js';
import type { DecisionBook, Exemptions } from './decisions.js';

export interface WantedBlock {
  value: string;
  /** Epoch milliseconds; 0 = as long as it is listed. */
  validUntilMs: number;
  label: string;
}

export interface FeedBlocksDeps {
  book: Pick<DecisionBook, 'add' | 'release' | 'replace' | 'extend' | 'active'>;
  exemptions: Pick<Exemptions, 'findProtected' | 'findAllowed'>;
  mode(): Mode;
  pausedUntilMs(): number;
  /** As long as one decision may last in all, extensions included: the responder refuses more. */
  longestSecs: number;
  now(): number;
}

/** Blocks of what feeds list, in the kernel's feed sets. */
export interface FeedBlocks {
  /**
   * Makes the blocks of a feed what it wants now: new ones, longer ones, and none for what it no longer lists. A list that
   * could not be fetched is not applied, so that an unreachable server lifts nothing.
   */
  apply(feed: string, wanted: readonly WantedBlock[], refreshMs: number, signal: AbortSignal): Promise<FeedChange>;
  count(feed: string): number;
}

export interface FeedChange {
  added: number;
  released: number;
  /** Protected or allowed here: never blocked, whatever a feed says. */
  exempt: number;
}

/** Decisions that go out before others get their turn, and the pause after them: a large feed takes seconds, and a block of an attacker does not wait for it. */
const PER_TURN = 500;
const PAUSE_MS = 50;
/** Blocks outlast a server that is away for a day. */
const LEAST_MS = 86_400_000;

export function createFeedBlocks(deps: FeedBlocksDeps): FeedBlocks {
  const { book, exemptions } = deps;

  function held(feed: string): Map<string, Decision> {
    const found = book.active().filter((d) => d.origin === 'feed' && d.actor === feed);
    return new Map(found.map((d) => [d.value, d]));
  }

  function decisionFor(feed: string, { value, label }: WantedBlock, durationSecs: number, nowMs: number): Decision {
    const mode = deps.mode();
    return {
      id: uuid7(nowMs),
      action: 'block',
      scope: value.includes('/') ? 'cidr' : 'ip',
      value,
      traffic: 'from',
      durationSecs,
      createdMs: nowMs,
      expiresMs: nowMs + durationSecs * 1000,
      origin: 'feed',
      actor: feed,
      reason: `Listed as ${label} by ${feed}.`,
      alertIds: [],
      simulated: mode !== 'enforce' || deps.pausedUntilMs() > nowMs,
      mode,
      step: 0,
      enforcement: 'pending',
      trace: { packetUs: 0, detectedUs: 0, alertUs: 0, decidedUs: nowMs * 1000, receivedUs: 0, kernelUs: 0 },
    };
  }

  return {
    async apply(feed, wanted, refreshMs, signal) {
      const change: FeedChange = { added: 0, released: 0, exempt: 0 };
      const current = held(feed);
      const durationMs = Math.min(Math.max(LEAST_MS, 3 * refreshMs), deps.longestSecs * 1000);
      const seen = new Set<string>();
      let inTurn = 0;
      const breathe = async (): Promise<void> => {
        if (++inTurn % PER_TURN === 0) await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
      };
      for (const item of wanted) {
        if (signal.aborted) return change;
        if (seen.has(item.value)) continue;
        const nowMs = deps.now();
        const network = parseCidr(item.value);
        if (!network || exemptions.findProtected(network) || exemptions.findAllowed(network, nowMs)) {
          change.exempt++;
          continue;
        }
        seen.add(item.value);
        const leftMs = item.validUntilMs === 0 ? durationMs : Math.min(durationMs, item.validUntilMs - nowMs);
        const durationSecs = Math.ceil(leftMs / 1000);
        if (durationSecs <= 0) continue;
        const known = current.get(item.value);
        if (!known) {
          book.add(decisionFor(feed, item, durationSecs, nowMs), undefined);
          change.added++;
        } else if (known.expiresMs >= nowMs + leftMs / 2) continue;
        else if (nowMs - known.createdMs + leftMs > deps.longestSecs * 1000) {
          const fresh = decisionFor(feed, item, durationSecs, nowMs);
          book.add(fresh, undefined);
          book.replace(known.id, fresh.id);
        } else book.extend(known.id, durationSecs, `feed:${feed}`);
        await breathe();
      }
      for (const [value, decision] of current) {
        if (signal.aborted) return change;
        if (seen.has(value)) continue;
        book.release(decision.id, `feed:${feed}`, `${feed} no longer lists it`, true);
        change.released++;
        await breathe();
      }
      return change;
    },
    count: (feed) => held(feed).size,
  };
}
