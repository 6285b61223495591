import type { ModelCard } from '../../contract/model-card.js';

/** Share of an even part in a flood's connections that makes a source one of those who flood. */
const LEAST_PART = 1 / 4;

/** True for the vector of a flow whose source does far less than the sources of its destination do on average. */
export type BystanderCheck = (row: ArrayLike<number>) => boolean;

/**
 * Tells who floods from who only asked the flooded host meanwhile. What shows a flood to a model is counted over the
 * destination, and so is the same for both: its customers' flows are as unanswered as those of the flood. A source is a
 * bystander when its connections in the short window are less than a quarter of an even part, connections to the
 * destination / distinct sources to it. In floods of forged sources that part is about one connection, and nobody is.
 *
 * @returns undefined when the model's features have no such counts.
 */
export function bystanderCheck({ schema }: Pick<ModelCard, 'schema'>): BystanderCheck | undefined {
  const column = (name: string): number => schema.features.findIndex((f) => f.name === name);
  const own = column('src_short_connections');
  const all = column('dst_connections');
  const sources = column('dst_sources');
  if (own < 0 || all < 0 || sources < 0) return undefined;
  return (row) => row[own]! * row[sources]! < row[all]! * LEAST_PART;
}
