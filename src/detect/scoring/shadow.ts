import type { ShadowCount } from '../../contract/ipc.js';
import type { LoadedBundle } from './bundle.js';
import type { BatchScores } from './messages.js';

/** Counts how a challenger and its champion agree on the same live rows, each at its own threshold. */
export class ShadowCounts {
  private readonly counts = new Map<string, ShadowCount>();

  add(
    champion: { bundle: LoadedBundle; scores: BatchScores },
    challenger: { bundle: LoadedBundle; scores: BatchScores },
    rows: number,
  ): void {
    const { name, id: version } = challenger.bundle.card;
    const key = `${champion.bundle.card.id} ${version}`;
    let count = this.counts.get(key);
    if (!count) {
      count = {
        model: name,
        champion: champion.bundle.card.id,
        version,
        rows: 0,
        both: 0,
        championOnly: 0,
        challengerOnly: 0,
      };
      this.counts.set(key, count);
    }
    const [a, b] = [champion.bundle.card.threshold, challenger.bundle.card.threshold];
    for (let r = 0; r < rows; r++) {
      const old = champion.scores.score[r]! >= a;
      const now = challenger.scores.score[r]! >= b;
      if (old && now) count.both++;
      else if (old) count.championOnly++;
      else if (now) count.challengerOnly++;
    }
    count.rows += rows;
  }

  /** What was counted since the last call. */
  take(): ShadowCount[] {
    const taken = [...this.counts.values()];
    this.counts.clear();
    return taken;
  }
}
