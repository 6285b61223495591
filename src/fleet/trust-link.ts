import { signedRosterSchema, type SignedRoster } from '../contract/ipc.js';
import { errorMessage } from '../util/errors.js';
import type { Logger } from '../util/logger.js';
import { insist, pause, type FleetBus, type Session } from './bus.js';
import type { Member } from './member.js';
import { BUCKETS } from './names.js';
import { watchBucket } from './watch.js';

const ROSTER = 'roster';

/**
 * Keeps the roster the same everywhere: whoever has a newer one, a member that has just joined for instance, puts it into
 * the bucket; its signature says whether it counts.
 */
export function followRoster(
  member: Member,
  bus: FleetBus,
  log: Logger,
  changed: (roster: SignedRoster) => void,
): void {
  function take(text: string): void {
    const parsed = signedRosterSchema.safeParse(parse(text));
    if (!parsed.success) return;
    const refused = member.trust.offer(parsed.data);
    if (refused === undefined) changed(parsed.data);
    else if (refused !== 'it is not newer') log.warn({ problem: refused }, 'A roster does not count.');
  }

  async function run(session: Session): Promise<void> {
    const kv = await insist(session, 'roster', log, () => session.bucket(BUCKETS.trust));
    while (kv && !session.signal.aborted) {
      try {
        const held = await kv.get(ROSTER);
        if (held) take(held.string());
        const own = member.trust.roster();
        if (own && own.signed.text !== rosterText(held?.string())) await kv.put(ROSTER, JSON.stringify(own.signed));
        const entry = ({ text }: { text: string | undefined }): void => void (text === undefined || take(text));
        await watchBucket(session, BUCKETS.trust, { entry }, { key: ROSTER });
      } catch (error) {
        log.debug({ problem: errorMessage(error) }, 'The roster could not be followed, will retry.');
      }
      await pause(1000, session.signal);
    }
  }
  bus.onSession((session) => void run(session));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function rosterText(text: string | undefined): string | undefined {
  return text === undefined ? undefined : signedRosterSchema.safeParse(parse(text)).data?.text;
}
