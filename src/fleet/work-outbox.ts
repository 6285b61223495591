import { pause, type FleetBus, type Session } from './bus.js';
import type { Spool } from './spool.js';

const BATCH = 256;
const RETRY_MS = 300;

/** A line of the spool: where it goes, its id for the stream's own de-duplication, and what it says. */
export interface Outgoing {
  subject: string;
  id: string;
  body: unknown;
}

/**
 * Everything for a work queue goes through the spool, so that a process that is killed loses nothing, and what could not be
 * sent waits there. Sent in order; a stream keeps one copy of what is sent twice.
 */
export function runOutbox(bus: FleetBus, spool: Spool): { push(message: Outgoing): void; sent(): number } {
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
        await Promise.all(lines.map((line) => publish(js, line)));
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

function publish(js: Session['js'], line: string): Promise<unknown> {
  const first = line.indexOf(' ');
  const second = line.indexOf(' ', first + 1);
  if (first < 0 || second < 0) return Promise.resolve();
  return js.publish(line.slice(0, first), line.slice(second + 1), { msgID: line.slice(first + 1, second) });
}
