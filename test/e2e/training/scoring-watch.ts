import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { SensorStatus } from '../../../src/contract/http.js';
import { ApiClient } from '../../lab/box/api-client.js';
import type { Box } from '../../lab/box/box.js';

const EVERY_MS = 400;
/** Not the kernel's drops: those say how slow the machine is (the bench of the live path counts them). */
const LOSSES = ['shed_rows', 'early_vectors_skipped', 'flow_flows_evicted', 'model_errors', 'scoring_worker_restarts'];

/** Vectors scored by a time, on a clock that nobody moves. */
export interface Progress {
  atMs: number;
  scored: number;
}

/** What the sensor counts of its scoring, looked at all the while. */
export class ScoringWatch {
  readonly seen: Progress[] = [];
  private readonly api: ApiClient;
  private last: SensorStatus | undefined;
  private isOver = false;
  private readonly done: Promise<void>;

  private constructor(api: ApiClient) {
    this.api = api;
    this.done = this.watch();
  }

  /** Watches with a token of its own: sessions end when the clock is moved. */
  static async start(box: Box): Promise<ScoringWatch> {
    const wish = { name: 'scoring watch', role: 'viewer', expiresInSecs: 30 * 86_400 };
    const { body } = await box.api.ask<{ secret: string }>('POST', '/tokens', wish);
    return new ScoringWatch(new ApiClient(box.socketPath, body.secret));
  }

  /** Ends the watch. @returns the sensor's last word. */
  async end(): Promise<SensorStatus> {
    this.isOver = true;
    await this.done;
    assert.ok(this.last, 'the sensor was seen');
    return this.last;
  }

  private async watch(): Promise<void> {
    while (!this.isOver) {
      const [sensor] = (await this.api.get<{ items: SensorStatus[] }>('/sensors')).items;
      if (sensor) {
        this.last = sensor;
        this.seen.push({ atMs: performance.now(), scored: countOf(sensor, 'scored_rows') });
      }
      await delay(EVERY_MS);
    }
  }
}

/** Longest time without a further scored vector as a share of the time that was watched; what came after the last one counts. */
export function longestPause(seen: readonly Progress[]): number {
  let longestMs = 0;
  let rose = seen[0]!;
  for (const now of seen) {
    if (now.scored > rose.scored) rose = now;
    longestMs = Math.max(longestMs, now.atMs - rose.atMs);
  }
  return longestMs / (seen.at(-1)!.atMs - seen[0]!.atMs);
}

/** Every vector of a flow was scored, or is of a protocol that is not, and no flow was lost before. */
export function assertNothingLost(sensor: SensorStatus): void {
  const made = countOf(sensor, 'early_vectors') + countOf(sensor, 'end_vectors');
  assert.equal(countOf(sensor, 'scored_rows') + countOf(sensor, 'unscored_rows'), made, 'every vector was scored');
  for (const loss of LOSSES) assert.equal(countOf(sensor, loss), 0, loss);
}

export function countOf({ stats }: SensorStatus, name: string): number {
  const value = stats[name];
  assert.equal(typeof value, 'number', `the sensor counts ${name}`);
  return Number(value);
}
