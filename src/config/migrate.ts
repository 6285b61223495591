import type { Document } from 'yaml';
import { isMap, parseDocument } from 'yaml';
import { AppError } from '../util/errors.js';

/** One change of the configuration file, from a format to the next. */
export interface FormatStep {
  from: number;
  /** Changes the document in place; comments and order stay where they are. */
  apply(document: Document): void;
}

/** Every change since format 1, oldest first. A step is never edited once it was released; it has fixtures before and after. */
export const FORMAT_STEPS: readonly FormatStep[] = [];

/**
 * The text of a configuration file as the newest format says it. Text that is no YAML mapping is returned as it is: the parser
 * has better words for it.
 * @throws AppError config.later_format
 */
export function migrateConfig(text: string, latest: number, steps: readonly FormatStep[] = FORMAT_STEPS): string {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) return text;
  const written = document.get('format');
  if (typeof written !== 'number' || written === latest) return text;
  if (written > latest) {
    throw new AppError({
      kind: 'user',
      code: 'config.later_format',
      message: `The configuration has format ${written}; this version of Portcullis knows formats up to ${latest}.`,
      fix: 'Install the version that wrote it, or put the file of the backup made before the upgrade back.',
    });
  }
  const missing = steps.filter((step) => step.from >= written);
  if (missing.length === 0) return text;
  for (const step of missing) step.apply(document);
  document.set('format', latest);
  return document.toString();
}

/** Moves a value to another key, with the sections that this needs; nothing happens where it is not set. */
export function moveKey(document: Document, from: readonly string[], to: readonly string[]): void {
  if (!document.hasIn(from)) return;
  const value = document.getIn(from, true);
  document.deleteIn(from);
  document.setIn(to, value);
}
