import type { FleetSettings } from '../../contract/fleet.js';
import type { AllowEntry } from '../../domain/decision.js';
import type { FleetLink } from '../../fleet/index.js';
import type { Logger } from '../../util/logger.js';
import type { DecisionBook } from './decisions.js';
import type { ExemptBook } from './exempt.js';
import { liftAllowed } from './lift-allowed.js';
import type { Settings } from './parts.js';

export interface FleetSettingsDeps {
  exempt: Pick<ExemptBook, 'allowed' | 'refresh' | 'exemptions'>;
  settings: Pick<Settings, 'pausedUntilMs' | 'adoptPause'>;
  book: DecisionBook;
  /** The fleet's copy. */
  link: () => FleetLink['settings'];
  /** Of several servers one follows what names stand for: each asks its own resolver. */
  isScheduler(): boolean;
  log: Logger;
}

/**
 * Allowlist and pause of the console, for the whole fleet. The database, which the servers share, is the truth: a server
 * says what it has read there when that changes, and reads again when it hears of another's.
 */
export interface FleetSettingsControl {
  heard(settings: FleetSettings): void;
  /** Call once a second. */
  tick(): void;
}

export function createFleetSettings(deps: FleetSettingsDeps): FleetSettingsControl {
  const { exempt, settings, book, log } = deps;
  /** What this server and the fleet last agreed on. */
  let lastSaid: string | undefined;
  let reading = 0;

  function own(): Omit<FleetSettings, 'version'> {
    // While the database is read, or cannot be, the fleet's list stands; a pause does not wait for it.
    const theirs = reading > 0 ? deps.link().current() : undefined;
    return { allow: theirs?.allow ?? exempt.allowed(), pausedUntilMs: settings.pausedUntilMs() };
  }

  return {
    heard(theirs) {
      settings.adoptPause(theirs.pausedUntilMs);
      reading++;
      exempt
        .refresh()
        .then(() => {
          // Two people at two servers at once: what the database has and they did not say is said by the next tick.
          lastSaid = whatPeopleSet(theirs);
          liftAllowed(book, exempt.exemptions.allowedNow(), Date.now());
        })
        .catch((error: unknown) => {
          // What we hold is older than theirs: nothing to say.
          lastSaid = whatPeopleSet({ allow: exempt.allowed(), pausedUntilMs: theirs.pausedUntilMs });
          log.warn({ err: error }, 'The allowlist could not be read again.');
        })
        .finally(() => reading--);
    },
    tick() {
      const mine = own();
      const known = deps.link().current();
      const isSame = known !== undefined && whatPeopleSet(mine) === whatPeopleSet(known);
      const changed = whatPeopleSet(mine) !== lastSaid;
      lastSaid = whatPeopleSet(mine);
      if (changed && !isSame) deps.link().set(mine);
      else if (isSame && deps.isScheduler() && addresses(mine.allow) !== addresses(known.allow)) deps.link().set(mine);
    },
  };
}

/** Without what names stand for, which differs from resolver to resolver. */
function whatPeopleSet({ allow, pausedUntilMs }: Omit<FleetSettings, 'version'>): string {
  const entries = new Set(allow.map(({ id, expiresMs }) => `${id} ${expiresMs}`));
  return JSON.stringify([pausedUntilMs, ...[...entries].sort()]);
}

function addresses(entries: readonly AllowEntry[]): string {
  return entries
    .map((entry) => entry.value)
    .sort()
    .join();
}
