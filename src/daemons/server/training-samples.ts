import type { ScoredFlow } from '../../contract/ipc.js';
import type { Store } from '../../store/index.js';
import type { TrainingOptions } from '../../train/index.js';
import type { Logger } from '../../util/logger.js';
import { uuid7 } from '../../util/uuid7.js';

/** Old samples are counted and removed this often: it goes through the table. */
const PRUNE_EVERY_MS = 3_600_000;

/** Keeps some of the flows that no model reported: what this network's benign traffic looks like. */
export interface SampleKeeper {
  offer(sensor: string, samples: readonly ScoredFlow[]): void;
  /** Flows stored since the start. */
  kept(): number;
}

/** One in `keepOneIn` of what sensors drew by chance goes into the store, at most `keepSamples` stay there. */
export function createSampleKeeper(
  store: Pick<Store, 'samples'>,
  options: Pick<TrainingOptions, 'keepOneIn' | 'keepSamples'>,
  { log, now }: { log: Logger; now(): number },
): SampleKeeper {
  let offered = 0;
  let kept = 0;
  let lastPruneMs = 0;

  async function keep(sensor: string, chosen: readonly ScoredFlow[]): Promise<void> {
    try {
      await store.samples.add(
        chosen.map(({ schema, reported: _reported, ...rest }) => ({
          ...rest,
          id: uuid7(rest.atMs),
          sensor,
          featureSchema: schema,
        })),
      );
      kept += chosen.length;
      if (now() - lastPruneMs < PRUNE_EVERY_MS) return;
      lastPruneMs = now();
      await store.samples.prune(options.keepSamples);
    } catch (error) {
      log.error({ err: error }, 'Sampled flows were not stored.');
    }
  }

  return {
    offer(sensor, samples) {
      const chosen = samples.filter((s) => !s.reported && offered++ % options.keepOneIn === 0);
      if (chosen.length > 0) void keep(sensor, chosen);
    },
    kept: () => kept,
  };
}
