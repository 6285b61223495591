import type { Database } from '../data-source.js';
import type { PasskeyRow } from '../entities/passkey.js';

export type StoredPasskey = PasskeyRow;

export interface PasskeyRepository {
  ofUser(user: string): Promise<StoredPasskey[]>;
  byCredential(credentialId: string): Promise<StoredPasskey | undefined>;
  add(passkey: StoredPasskey): Promise<void>;
  /**
   * Notes a use; the counter only rises (WebAuthn 7.2, 22: one that falls back hints at a copy).
   * @returns false when the counter has moved since it was read.
   */
  use(id: string, counter: number, previous: number, atMs: number): Promise<boolean>;
  remove(id: string): Promise<void>;
  removeAll(user: string): Promise<void>;
}

export function createPasskeyRepository(db: Database): PasskeyRepository {
  const rows = db.manager.getRepository(db.entities.passkey);
  return {
    ofUser: (user) => rows.find({ where: { user }, order: { createdMs: 'ASC', id: 'ASC' } }),
    byCredential: async (credentialId) => (await rows.findOneBy({ credentialId })) ?? undefined,
    async add(passkey) {
      await db.write((manager) => manager.insert(db.entities.passkey, passkey));
    },
    async use(id, counter, previous, atMs) {
      const result = await db.write((manager) =>
        manager.update(db.entities.passkey, { id, counter: previous }, { counter, lastUsedMs: atMs }),
      );
      return result.affected === 1;
    },
    async remove(id) {
      await db.write((manager) => manager.delete(db.entities.passkey, { id }));
    },
    async removeAll(user) {
      await db.write((manager) => manager.delete(db.entities.passkey, { user }));
    },
  };
}
