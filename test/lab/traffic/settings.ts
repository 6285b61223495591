import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../random.js';

/** Settings that every traffic program gets as JSON in its first argument. */
export interface TrafficSettings {
  seed: number;
  seconds: number;
  sources: string[];
  target: string;
}

export function readSettings<T extends TrafficSettings>(): T {
  return JSON.parse(process.argv[2] ?? '{}') as T;
}

/** Runs one worker a source again and again until the time is over; each has its own generator. */
export async function forEachSource(
  settings: TrafficSettings,
  worker: (source: string, random: Random, isOver: () => boolean) => Promise<void>,
): Promise<void> {
  const end = Date.now() + settings.seconds * 1000;
  const isOver = (): boolean => Date.now() >= end;
  const workers = settings.sources.map(async (source, i) => {
    const random = new Random(settings.seed + i);
    await delay(random.next() * 1000);
    while (!isOver()) await worker(source, random, isOver);
  });
  await Promise.all(workers);
}

/** Waits a random time with the given mean, in milliseconds. */
export async function think(random: Random, meanMs: number): Promise<void> {
  await delay(random.wait(meanMs));
}
