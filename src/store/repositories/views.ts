import type { Database } from '../data-source.js';
import type { ViewRow } from '../entities/view.js';

export type StoredView = ViewRow;

export interface ViewRepository {
  /** Those of the owner and the shared ones, oldest first. */
  visibleTo(owner: string): Promise<StoredView[]>;
  get(id: string): Promise<StoredView | undefined>;
  countOf(owner: string): Promise<number>;
  /** Adds it, or replaces the one with its id. */
  put(view: StoredView): Promise<void>;
  remove(id: string): Promise<void>;
}

export function createViewRepository(db: Database): ViewRepository {
  const rows = db.manager.getRepository(db.entities.view);
  return {
    visibleTo: (owner) =>
      rows.find({ where: [{ owner }, { shared: true }], order: { createdMs: 'ASC', id: 'ASC' }, take: 1000 }),
    get: async (id) => (await rows.findOneBy({ id })) ?? undefined,
    countOf: (owner) => rows.countBy({ owner }),
    async put(view) {
      await db.write((manager) => manager.save(db.entities.view, view));
    },
    async remove(id) {
      await db.write((manager) => manager.delete(db.entities.view, { id }));
    },
  };
}
