import type { FlowRecord } from '../../domain/flow.js';

const CHUNK = 16;

/** Takes flow records off the path of detections: they wait here and are worked on a few at a time, between other events. */
export interface FlowIntake {
  push(sensor: string, flows: readonly FlowRecord[]): void;
  /** Works off what waits, now. */
  drain(): void;
  stats(): Record<string, number>;
}

/** @param maxWaiting records held back; more are dropped and counted. */
export function createFlowIntake(take: (sensor: string, flow: FlowRecord) => void, maxWaiting: number): FlowIntake {
  let waiting: { sensor: string; flow: FlowRecord }[] = [];
  let next = 0;
  let scheduled = false;
  let dropped = 0;

  function work(most: number): void {
    const end = Math.min(waiting.length, next + most);
    for (; next < end; next++) take(waiting[next]!.sensor, waiting[next]!.flow);
    if (next === waiting.length) {
      waiting = [];
      next = 0;
    }
  }

  function schedule(): void {
    if (scheduled || waiting.length === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      work(CHUNK);
      schedule();
    });
  }

  return {
    push(sensor, flows) {
      for (const flow of flows) {
        if (waiting.length - next < maxWaiting) waiting.push({ sensor, flow });
        else dropped++;
      }
      schedule();
    },
    drain() {
      work(Infinity);
    },
    stats: () => ({ flows_waiting: waiting.length - next, flows_dropped: dropped }),
  };
}
