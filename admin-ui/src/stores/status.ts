import { defineStore } from 'pinia';
import { computed, ref } from 'vue';
import { api } from '@/api';
import { ApiError } from '@/api/errors';
import type { Mode, Status } from '@/api/types';
import { onLive, onResync } from './live';

export interface RateSample {
  atMs: number;
  sensors: Record<string, { packets: number; drops: number }>;
}

/** Box status: mode, enforcement truth, sensors, SIEM. Pushed by the live feed, fetched at start and after a gap. */
export const useStatus = defineStore('status', () => {
  const status = ref<Status | null>(null);
  const error = ref<ApiError | null>(null);
  const receivedMs = ref(0);
  /** A minute of counters, from which loss in the last minute is computed. */
  const samples = ref<RateSample[]>([]);

  function accept(next: Status): void {
    status.value = next;
    error.value = null;
    receivedMs.value = Date.now();
    const sensors: RateSample['sensors'] = {};
    for (const s of next.sensors) sensors[s.name] = { packets: s.packets, drops: s.kernelDrops };
    samples.value = [
      ...samples.value.filter((s) => s.atMs > receivedMs.value - 60_000),
      { atMs: receivedMs.value, sensors },
    ];
  }

  async function load(): Promise<void> {
    try {
      accept(await api.status());
    } catch (cause) {
      if (cause instanceof ApiError) error.value = cause;
      else throw cause;
    }
  }

  onLive('status', (update) => accept(update.data));
  onResync(() => void load());

  const drift = computed(() => {
    const responder = status.value?.responder;
    return responder ? responder.desired - responder.enforced : 0;
  });

  /** Share of packets that a sensor lost in the last minute, 0..1; null without traffic. */
  function recentLoss(name: string): number | null {
    const last = samples.value[samples.value.length - 1]?.sensors[name];
    const first = samples.value.find((s) => s.sensors[name])?.sensors[name];
    if (!last || !first) return null;
    const drops = last.drops - first.drops;
    const seen = last.packets - first.packets;
    return drops >= 0 && seen >= 0 && drops + seen > 0 ? drops / (drops + seen) : null;
  }

  async function setMode(mode: Mode): Promise<void> {
    accept(await api.setMode(mode));
  }
  async function pause(secs: number): Promise<void> {
    accept(await api.pause(secs));
  }
  async function resume(): Promise<void> {
    accept(await api.resume());
  }

  return { status, error, receivedMs, drift, load, recentLoss, setMode, pause, resume };
});
