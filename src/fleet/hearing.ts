import { errorMessage } from '../util/errors.js';
import type { Logger } from '../util/logger.js';
import type { Statement } from './seal.js';
import type { Trust } from './trust.js';

/** So many of one turn are judged where they came, without a way to another thread. */
const AT_ONCE = 4;
/** The threads of the process serve files and names too: they are not filled for long. */
const TOGETHER = 128;

export interface Heard {
  statement: Statement;
  /** It was said just now, not told after a time away. */
  isFresh: boolean;
}

/**
 * Statements of other members on their way to be judged. A few are judged at once. When many come, a list of 100,000 for
 * instance, their signatures are checked by other threads first, so that the way of a packet's block through this
 * process stays open and all cores work. Their order does not matter: versions say what is newer.
 */
export interface Hearing {
  hear(heard: Heard): void;
  /** What waits is not judged any more. */
  close(): void;
}

export interface HearingDeps {
  trust: Pick<Trust, 'refuse' | 'refuseAll'>;
  log: Logger;
  /** What nobody needs to judge: it is known, over, or not meant for this member. */
  isNews(statement: Statement): boolean;
  /** @param why it does not count, or undefined. */
  judged(heard: Heard, why: string | undefined): void;
}

export function createHearing({ trust, log, isNews, judged }: HearingDeps): Hearing {
  let queue: Heard[] = [];
  let isScheduled = false;
  let isClosed = false;
  let ofThisTurn = 0;

  function tell(heard: Heard, why: string | undefined): void {
    try {
      judged(heard, why);
    } catch (error) {
      log.error({ problem: errorMessage(error) }, 'A decision of the fleet could not be judged.');
    }
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      const all = queue;
      queue = [];
      for (let from = 0; from < all.length; from += TOGETHER) {
        // Most come twice, by word of mouth and from the bucket.
        const some = all.slice(from, from + TOGETHER).filter(({ statement }) => isNews(statement));
        const why = await trust.refuseAll(some.map(({ statement }) => statement));
        if (isClosed) return;
        some.forEach((heard, i) => isNews(heard.statement) && tell(heard, why[i]));
      }
    }
    isScheduled = false;
  }

  return {
    hear(heard) {
      if (!isNews(heard.statement)) return;
      if (!isScheduled && ofThisTurn < AT_ONCE) {
        if (ofThisTurn++ === 0) setImmediate(() => (ofThisTurn = 0));
        tell(heard, trust.refuse(heard.statement));
        return;
      }
      queue.push(heard);
      if (isScheduled) return;
      isScheduled = true;
      // At the end of the turn, when all of it is here.
      setImmediate(() => void drain());
    },
    close() {
      isClosed = true;
      queue = [];
    },
  };
}
