import type { SuppressionsControl } from '../../api/index.js';
import { SUPPRESSIONS_MAX, type SuppressionRow } from '../../contract/http.js';
import type { SuppressionTable } from '../../correlate/index.js';
import type { Suppression } from '../../domain/suppression.js';
import type { Store } from '../../store/index.js';
import { AppError } from '../../util/errors.js';
import { canonicalAddress } from '../../util/ip.js';
import { uuid7 } from '../../util/uuid7.js';

/** What has ended is shown this long. */
const SHOWN_MS = 7 * 86_400_000;

export interface SuppressionBook {
  control: SuppressionsControl;
  /** Takes over what the store has, which another server of a fleet may have changed; call it every minute. */
  refresh(nowMs: number): Promise<void>;
}

export function createSuppressionBook(store: Store, table: SuppressionTable, now: () => number): SuppressionBook {
  async function load(): Promise<Suppression[]> {
    const entries = await store.suppressions.all();
    table.replace(entries);
    return entries;
  }

  function toRow(entry: Suppression, origin: SuppressionRow['origin']): SuppressionRow {
    const hits = table.hits().get(entry.id);
    const { offender = null, victim = null, label = null, gid = null, signatureId = null, ...rest } = entry;
    return {
      ...rest,
      origin,
      offender,
      victim,
      label,
      gid,
      signatureId,
      hits: hits?.count ?? 0,
      lastHitMs: hits?.lastMs ?? 0,
    };
  }

  return {
    async refresh(nowMs) {
      await store.suppressions.purge(nowMs - SHOWN_MS);
      await load();
    },
    control: {
      async list() {
        const made = await load();
        return [
          ...made.map((entry) => toRow(entry, 'console')),
          ...table.configured().map((entry) => toRow(entry, 'configuration')),
        ];
      },
      async add({ offender, victim, durationSecs = 0, ...rest }, actor) {
        if ((await store.suppressions.all()).length >= SUPPRESSIONS_MAX) {
          throw new AppError({
            kind: 'user',
            code: 'suppression.too_many',
            message: `There are ${SUPPRESSIONS_MAX} suppressions already.`,
            fix: 'Remove some, or suppress a prefix instead of addresses.',
          });
        }
        const nowMs = now();
        const entry: Suppression = {
          id: uuid7(nowMs),
          ...rest,
          ...(offender === undefined ? {} : { offender: networkOf(offender) }),
          ...(victim === undefined ? {} : { victim: networkOf(victim) }),
          untilMs: durationSecs === 0 ? 0 : nowMs + durationSecs * 1000,
          owner: actor.name,
          createdMs: nowMs,
        };
        await store.suppressions.add(entry);
        await load();
        return toRow(entry, 'console');
      },
      async remove(id) {
        const entry = await store.suppressions.remove(id);
        if (!entry)
          throw new AppError({ kind: 'user', code: 'suppression.not_found', message: 'No such suppression.' });
        const row = toRow(entry, 'console');
        await load();
        return row;
      },
    },
  };
}

function networkOf(text: string): string {
  const network = canonicalAddress(text);
  if (network !== undefined) return network;
  throw new AppError({
    kind: 'user',
    code: 'suppression.invalid',
    message: `"${text}" is not an address or prefix.`,
    fix: 'Write for example 203.0.113.7 or 203.0.113.0/24.',
  });
}
