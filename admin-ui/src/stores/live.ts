import { defineStore } from 'pinia';
import { onScopeDispose } from 'vue';
import { client } from '@/api';
import { createBatch } from '@/api/batch';
import { createLiveFeed } from '@/api/live';
import type { LiveTopic, LiveUpdate } from '@/api/types';

type Listener<T extends LiveTopic> = (update: Extract<LiveUpdate, { topic: T }>) => void;

const listeners = new Map<LiveTopic, Set<(update: never) => void>>();
const resyncListeners = new Set<() => void>();

/** Alerts may come by the thousand a second; what an operator waits for comes at once. */
const BATCHED: readonly LiveTopic[] = ['alerts', 'incidents', 'stats'];
const BATCH_MS = 150;
const BATCH_MAX = 2000;

export const useLiveStore = defineStore('live', () => {
  const deliver = (update: LiveUpdate): void => {
    for (const listener of listeners.get(update.topic) ?? []) listener(update as never);
  };
  const resync = (): void => {
    for (const listener of resyncListeners) listener();
  };
  const batch = createBatch<LiveUpdate>({ everyMs: BATCH_MS, max: BATCH_MAX, deliver, onOverflow: resync });
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const feed = createLiveFeed({
    url: `${scheme}://${location.host}/api/v1/live`,
    token: () => client.freshToken(),
    onMessage: (update) => (BATCHED.includes(update.topic) ? batch.push(update) : deliver(update)),
    onResync: resync,
    // Whether it has ended is the server's to say; then the session store leads to the sign-in.
    onRefused: () => void client.refresh().catch(() => undefined),
  });
  function stop(): void {
    feed.stop();
    batch.clear();
  }
  return { state: feed.state, start: feed.start, stop, renew: feed.renew };
});

/** Calls `listener` for each update of a topic while the calling component or store lives. */
export function onLive<T extends LiveTopic>(topic: T, listener: Listener<T>): void {
  const set = listeners.get(topic) ?? new Set();
  listeners.set(topic, set);
  set.add(listener as (update: never) => void);
  onScopeDispose(() => set.delete(listener as (update: never) => void));
}

/** Calls `listener` when updates were missed and the screen must be fetched again. */
export function onResync(listener: () => void): void {
  resyncListeners.add(listener);
  onScopeDispose(() => resyncListeners.delete(listener));
}
