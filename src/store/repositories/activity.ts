import type { Database } from '../data-source.js';

/** Alerts of an incident in each step of a time, oldest first. */
export interface IncidentActivity {
  id: string;
  counts: number[];
}

export interface ActivitySpan {
  fromMs: number;
  stepMs: number;
  steps: number;
}

/**
 * How many alerts of these incidents were last seen in each of `steps` steps from `fromMs` on; read from the index of
 * incident and time alone.
 */
export async function incidentActivity(
  db: Database,
  ids: readonly string[],
  { fromMs, stepMs, steps }: ActivitySpan,
): Promise<IncidentActivity[]> {
  if (ids.length === 0) return [];
  const since = `(a.lastMs - ${fromMs})`;
  const step = `${since} - ${since} % ${stepMs}`;
  const found = await db.manager
    .getRepository(db.entities.alert)
    .createQueryBuilder('a')
    .select('a.incidentId', 'id')
    .addSelect(step, 'step')
    .addSelect('COUNT(*)', 'n')
    .where('a.incidentId IN (:...ids) AND a.lastMs >= :fromMs', { ids: [...ids], fromMs })
    .groupBy('a.incidentId')
    .addGroupBy(step)
    .getRawMany<{ id: string; step: number | string; n: number | string }>();
  const byId = new Map(ids.map((id) => [id, Array<number>(steps).fill(0)]));
  for (const row of found) {
    const counts = byId.get(row.id);
    const at = Number(row.step) / stepMs;
    if (counts && at < steps) counts[at] = Number(row.n);
  }
  return [...byId].map(([id, counts]) => ({ id, counts }));
}
