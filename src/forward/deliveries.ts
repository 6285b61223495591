import type { SiemEvent } from '../domain/siem-event.js';
import type { Destination } from './destination.js';
import type { GapLog, GapRecord } from './gap-log.js';
import type { Found } from './spool/scan.js';
import type { Spool } from './spool/spool.js';

export const DELIVERY_STATES = [
  'confirmed',
  'waiting',
  'filtered',
  'merged',
  'dropped',
  'dead',
  'unsent',
  'unknown',
] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** What became of one event at one destination. */
export interface Delivery {
  destination: string;
  state: DeliveryState;
  /** Epoch milliseconds; undefined when it is not confirmed or was before this process started. */
  confirmedMs: number | undefined;
}

export interface EventDeliveries {
  event: SiemEvent;
  deliveries: Delivery[];
}

export interface ReplayableGap extends GapRecord {
  /** Events of the time span that the spool still holds. */
  replayable: number;
}

const MAX_FOUND = 50;

/** Did the SIEM get it? @param id of an event, an alert or a decision. */
export async function findDeliveries(
  id: string,
  spool: Spool,
  destinations: Iterable<Destination>,
  gaps: GapLog,
): Promise<EventDeliveries[]> {
  const found = await spool.find(id, MAX_FOUND);
  const all = [...destinations];
  return found
    .toSorted((a, b) => a.event.tsMs - b.event.tsMs)
    .map((hit) => ({ event: hit.event, deliveries: all.map((d) => deliveryOf(hit, d, gaps)) }));
}

function deliveryOf(found: Found, destination: Destination, gaps: GapLog): Delivery {
  const { lane, seq, event } = found;
  const { name } = destination.settings;
  const { committed, since } = destination.position;
  const state = (is: DeliveryState, confirmedMs?: number): Delivery => ({ destination: name, state: is, confirmedMs });
  if (seq < since[lane]) return state('unsent');
  if (!destination.wants(event)) return state('filtered');
  if (seq >= committed[lane]) return state('waiting');
  const fate = destination.receipts.fateOf(event.id);
  if (fate !== undefined) return state(fate);
  const receipt = destination.receipts.covering(lane, seq);
  if (receipt) return state('confirmed', receipt.atMs);
  const lostSome = gaps.list(name).some((gap) => gap.fromMs <= event.tsMs && event.tsMs <= gap.toMs);
  return state(lostSome ? 'unknown' : 'confirmed');
}

/** The gaps with what a replay of each could still send; one walk through the spool for all. */
export async function countReplayable(
  gaps: readonly GapRecord[],
  spool: Spool,
  wants: (event: SiemEvent) => boolean,
): Promise<ReplayableGap[]> {
  const counted = gaps.map((gap) => ({ ...gap, replayable: 0 }));
  if (counted.length === 0) return counted;
  const fromMs = Math.min(...counted.map((gap) => gap.fromMs));
  const toMs = Math.max(...counted.map((gap) => gap.toMs));
  for await (const batch of spool.scan()) {
    for (const { event } of batch) {
      if (event.tsMs < fromMs || event.tsMs > toMs || event.kind === 'gap' || !wants(event)) continue;
      for (const gap of counted) if (gap.fromMs <= event.tsMs && event.tsMs <= gap.toMs) gap.replayable++;
    }
  }
  return counted;
}
