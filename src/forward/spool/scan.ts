import { readFile } from 'node:fs/promises';
import type { SiemEvent } from '../../domain/siem-event.js';
import { LANES, type LaneName } from './cursor.js';
import type { Entry, Lane } from './lane.js';
import { LaneReader } from './lane-reader.js';
import { checkRecord, findRecord } from './record.js';
import type { Segment } from './segment.js';

/** An event that the spool still holds, and where. */
export interface Found extends Entry {
  lane: LaneName;
}

type Lanes = Record<LaneName, Lane>;
const BATCH_EVENTS = 500;
const BATCH_BYTES = 1024 * 1024;
/** Writing is up to so much later than the id of what is written, milliseconds. */
const CLOCK_SLACK_MS = 60_000;

/** Everything that the spool holds when it is called, confirmed or not; lanes one after the other. */
export async function* scanSpool(lanes: Lanes): AsyncGenerator<Found[]> {
  const ends = LANES.map((name) => lanes[name].end);
  for (const [i, name] of LANES.entries()) {
    const lane = lanes[name];
    const reader = new LaneReader(lane, lane.segments[0]?.firstSeq ?? lane.memoryStart);
    try {
      while (reader.next < ends[i]!) {
        const { entries } = await reader.read(BATCH_EVENTS, BATCH_BYTES);
        if (entries.length === 0) break;
        yield entries.filter((entry) => entry.seq < ends[i]!).map((entry) => ({ ...entry, lane: name }));
      }
    } finally {
      await reader.closeFile();
    }
  }
}

/** Events in which the id occurs as event, alert or decision; oldest first within a lane. */
export async function findInSpool(lanes: Lanes, id: string, limit: number): Promise<Found[]> {
  const found: Found[] = [];
  const add = (lane: LaneName, entry: Entry): void => {
    const known = found.some((f) => f.lane === lane && f.seq === entry.seq);
    if (!known && found.length < limit && isAbout(entry.event, id)) found.push({ ...entry, lane });
  };
  const sinceMs = timeOfId(id) - CLOCK_SLACK_MS;
  for (const name of LANES) {
    const lane = lanes[name];
    for (const segment of [...lane.segments]) {
      if (found.length >= limit) return found;
      if (newestMs(segment) < sinceMs) continue;
      for (const entry of await searchSegment(segment, id)) add(name, entry);
    }
    for (let seq = lane.memoryStart; seq < lane.end; seq++) {
      const entry = lane.inMemory(seq);
      if (entry) add(name, entry);
    }
  }
  return found;
}

async function searchSegment(segment: Segment, id: string): Promise<Entry[]> {
  const data = await readFile(segment.path).catch(() => Buffer.alloc(0));
  const entries: Entry[] = [];
  if (data.indexOf(id) < 0) return entries;
  const end = Math.min(data.length, segment.bytes);
  for (let at = 0; at < end;) {
    const record = checkRecord(data, at, end);
    if (record.kind !== 'ok') {
      const later = findRecord(data, at + 1, end);
      if (later < 0) break;
      at = later;
      continue;
    }
    at = record.next;
    const { seq, payloadStart, payloadEnd } = record;
    const hit = data.subarray(payloadStart, payloadEnd).indexOf(id);
    if (hit < 0) continue;
    const event = JSON.parse(data.toString('utf8', payloadStart, payloadEnd)) as SiemEvent;
    entries.push({ seq, event, size: payloadEnd - payloadStart });
  }
  return entries;
}

function isAbout(event: SiemEvent, id: string): boolean {
  if (event.id === id) return true;
  if (event.kind === 'alert') return event.alertId === id || event.decisionId === id || event.incidentId === id;
  return event.kind === 'decision' && (event.decisionId === id || event.alertIds.includes(id));
}

/** Epoch milliseconds of the newest record. */
function newestMs(segment: Segment): number {
  return Date.now() - (performance.now() - segment.newestMonoMs);
}

/** Epoch milliseconds in a UUIDv7 (RFC 9562 5.7); 0 for anything else. */
export function timeOfId(id: string): number {
  const match = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i.exec(id);
  return match ? parseInt(`${match[1]}${match[2]}`, 16) : 0;
}
