import { Between } from 'typeorm';
import type { Suppression } from '../../domain/suppression.js';
import { clip } from '../columns.js';
import type { Database } from '../data-source.js';
import type { SuppressionEntry } from '../entities/suppression.js';

export interface SuppressionRepository {
  /** Newest first. */
  all(): Promise<Suppression[]>;
  add(suppression: Suppression): Promise<void>;
  /** @returns what was removed. */
  remove(id: string): Promise<Suppression | undefined>;
  /** Deletes what ended before that time. */
  purge(beforeMs: number): Promise<void>;
}

const toRow = (s: Suppression): SuppressionEntry => ({
  ...s,
  offender: s.offender ?? '',
  victim: s.victim ?? '',
  label: s.label ?? '',
  gid: s.gid ?? -1,
  signatureId: s.signatureId ?? -1,
  comment: clip(s.comment, 500),
  owner: clip(s.owner, 64),
});
const fromRow = ({ offender, victim, label, gid, signatureId, ...rest }: SuppressionEntry): Suppression => ({
  ...rest,
  ...(offender === '' ? {} : { offender }),
  ...(victim === '' ? {} : { victim }),
  ...(label === '' ? {} : { label }),
  ...(gid < 0 ? {} : { gid }),
  ...(signatureId < 0 ? {} : { signatureId }),
});

export function createSuppressionRepository(db: Database): SuppressionRepository {
  const rows = db.manager.getRepository(db.entities.suppression);
  return {
    async all() {
      return (await rows.find({ order: { createdMs: 'DESC', id: 'DESC' } })).map(fromRow);
    },
    async add(suppression) {
      await db.write((manager) => manager.insert(db.entities.suppression, toRow(suppression)));
    },
    async remove(id) {
      const row = await rows.findOneBy({ id });
      if (!row) return undefined;
      await db.write((manager) => manager.delete(db.entities.suppression, { id }));
      return fromRow(row);
    },
    async purge(beforeMs) {
      await db.write((manager) => manager.delete(db.entities.suppression, { untilMs: Between(1, beforeMs) }));
    },
  };
}
