import type { FleetSettings } from '../contract/fleet.js';
import { errorMessage } from '../util/errors.js';
import type { Logger } from '../util/logger.js';
import { insist, pause, type FleetBus, type Session } from './bus.js';
import { NOT_NEWER, openSettingsBook, packSettings, SETTINGS_PURPOSE, unpackSettings } from './fleet-settings.js';
import type { Member } from './member.js';
import { BUCKETS } from './names.js';
import { watchBucket, type Entry } from './watch.js';

const KEY = 'settings';
const RETRY_MS = 500;

/** What people set at a server for the whole fleet (allowlist, pause), the same everywhere. */
export interface SettingsLink {
  current(): FleetSettings | undefined;
  /** Servers: from now on this counts, on every member. */
  set(settings: Omit<FleetSettings, 'version'>): void;
  /** The roster changed: what was refused may count now. */
  again(): void;
}

export interface SettingsLinkDeps {
  member: Member;
  bus: FleetBus;
  /** Where the newest are kept. */
  path: string;
  log: Logger;
  /** Others have set something; not what {@link SettingsLink.set} was told. */
  changed(settings: FleetSettings): void;
}

export function openSettingsLink({ member, bus, path, log, changed }: SettingsLinkDeps): SettingsLink {
  const book = openSettingsBook(path, member.trust);
  /** Version that the bucket holds, as far as it is known. */
  let heldVersion = 0;
  /** The session in which a settings message is under way. */
  let sending: Session | undefined;
  let restart: (() => void) | undefined;

  function note({ text }: Entry): void {
    const signed = text === undefined ? undefined : unpackSettings(text);
    if (!signed) return;
    const refused = book.offer(signed);
    if (refused === undefined || refused === NOT_NEWER) heldVersion = versionOf(signed.text);
    else log.warn({ signer: signed.signer, problem: refused }, 'Settings of the fleet do not count.');
    const settings = book.current()?.settings;
    if (refused === undefined && settings) changed(settings);
  }

  /** Until the bucket holds what we have; a newer one of another server ends it too. */
  async function send(session: Session): Promise<void> {
    if (sending === session || member.role !== 'server') return;
    sending = session;
    let reported = false;
    try {
      const kv = await insist(session, 'settings', log, () => session.bucket(BUCKETS.trust));
      for (;;) {
        const own = book.current();
        if (!kv || !own || own.settings.version <= heldVersion || session.signal.aborted) return;
        try {
          await kv.put(KEY, packSettings(own.signed));
          heldVersion = Math.max(heldVersion, own.settings.version);
        } catch (error) {
          if (!reported) log.warn({ problem: errorMessage(error) }, 'The settings of the fleet wait for the bus.');
          reported = true;
          await pause(RETRY_MS, session.signal);
        }
      }
    } finally {
      if (sending === session) sending = undefined;
    }
  }

  async function run(session: Session): Promise<void> {
    const kv = await insist(session, 'settings', log, () => session.bucket(BUCKETS.trust));
    while (kv && !session.signal.aborted) {
      heldVersion = 0;
      const round = new AbortController();
      restart = () => round.abort();
      try {
        const handlers = { entry: note, listed: () => void send(session) };
        await watchBucket(session, BUCKETS.trust, handlers, { key: KEY, signal: round.signal });
      } catch (error) {
        log.debug({ problem: errorMessage(error) }, 'The settings of the fleet could not be followed, will retry.');
      }
      await pause(RETRY_MS, session.signal);
    }
  }
  bus.onSession((session) => void run(session));

  return {
    current: () => book.current()?.settings,
    set(settings) {
      const version = Math.max(Date.now(), (book.current()?.settings.version ?? 0) + 1);
      const text = JSON.stringify({ ...settings, version } satisfies FleetSettings);
      book.offer({ signer: member.name, text, signature: member.sealer.text(SETTINGS_PURPOSE, text) });
      const session = bus.session();
      if (session) void send(session);
    },
    again: () => restart?.(),
  };
}

function versionOf(text: string): number {
  const { version } = JSON.parse(text) as { version?: unknown };
  return typeof version === 'number' ? version : 0;
}
