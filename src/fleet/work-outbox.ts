import { pause, type FleetBus, type Session } from './bus.js';
import type { Spool } from './spool.js';

/** Read from the spool and on their way at a time: what comes meanwhile goes with the next ones, so nothing waits for company. */
const BATCH = 2048;
/** Bounds of one message. */
const MAX_CHARS = 128 * 1024;
const RETRY_MS = 300;

/** A line of the spool: where it goes, its id for the stream's own de-duplication, and what it says. */
export interface Outgoing {
  subject: string;
  id: string;
  body: unknown;
}

/** What becomes one message. */
export interface Parcel {
  subject: string;
  ids: string[];
  /** JSON. */
  bodies: string[];
}

/**
 * Everything for a work queue goes through the spool, so that a process that is killed loses nothing, and what could not be
 * sent waits there. Sent in order; a stream keeps one copy of a message that is sent twice, and what comes twice in different
 * company is known to its reader by the ids.
 * @param together most lines of one message; 1 for a reader that knows of no company.
 */
export function runOutbox(
  bus: FleetBus,
  spool: Spool,
  together: number,
): { push(message: Outgoing): void; sent(): number } {
  let sent = 0;

  async function send({ js, signal }: Session): Promise<void> {
    spool.rewind();
    while (!signal.aborted) {
      await spool.readable(signal);
      if (signal.aborted) return;
      const lines = spool.read(BATCH);
      if (lines.length === 0) {
        await pause(5, signal);
        continue;
      }
      try {
        await Promise.all(toParcels(lines, together).map((parcel) => publish(js, parcel)));
        // The next session has begun to read: what it has read is not confirmed by ours.
        if (signal.aborted) return;
        spool.confirm();
        sent += lines.length;
      } catch {
        if (signal.aborted) return;
        spool.rewind();
        await pause(RETRY_MS, signal);
      }
    }
  }

  bus.onSession((session) => void send(session));
  return {
    push({ subject, id, body }) {
      // The subject stands before the body, so that the body is parsed by its reader only.
      spool.append(`${subject} ${id} ${JSON.stringify(body)}`);
    },
    sent: () => sent,
  };
}

/** Lines of one subject go together, in order. */
export function toParcels(lines: readonly string[], together: number): Parcel[] {
  const parcels: Parcel[] = [];
  const open = new Map<string, { parcel: Parcel; chars: number }>();
  for (const line of lines) {
    const first = line.indexOf(' ');
    const second = line.indexOf(' ', first + 1);
    if (first < 0 || second < 0) continue;
    const subject = line.slice(0, first);
    const body = line.slice(second + 1);
    let into = open.get(subject);
    if (!into || into.parcel.ids.length >= together || into.chars + body.length > MAX_CHARS) {
      into = { parcel: { subject, ids: [], bodies: [] }, chars: 0 };
      open.set(subject, into);
      parcels.push(into.parcel);
    }
    into.parcel.ids.push(line.slice(first + 1, second));
    into.parcel.bodies.push(body);
    into.chars += body.length;
  }
  return parcels;
}

/** One alone goes as it is, several as a {@link workBatchSchema}. */
function publish(js: Session['js'], { subject, ids, bodies }: Parcel): Promise<unknown> {
  const [id = '', body = ''] = [ids[0], bodies[0]];
  if (ids.length === 1) return js.publish(subject, body, { msgID: id });
  // What follows a line is always the same: the first and the count say which lines these are.
  const text = `{"type":"batch","ids":${JSON.stringify(ids)},"work":[${bodies.join(',')}]}`;
  return js.publish(subject, text, { msgID: `${id}+${ids.length}` });
}
