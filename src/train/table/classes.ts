import { BENIGN_LABEL } from '../../contract/model-card.js';
import { AppError } from '../../util/errors.js';
import { KDD_FAMILIES, kddFamily } from './kdd-columns.js';
import type { Classes, Labelled } from './table.js';

/** `auto`: families for KDD tables, labels as they are otherwise; `binary`: benign against attack. */
export const CLASS_MODES = ['auto', 'binary', 'family', 'label'] as const;
export type ClassMode = (typeof CLASS_MODES)[number];

/** Rows below which a class cannot be learnt on its own and joins `attack`. */
export const MIN_CLASS_ROWS = 20;

/** Classes of a table's rows: `benign` first, the others by name. Labels with few rows become `attack`. */
export function makeClasses(table: Labelled, mode: ClassMode, minRows = MIN_CLASS_ROWS): Classes {
  const isKdd = table.labels.some((l) => Object.values(KDD_FAMILIES).some((family) => family.includes(l)));
  const kind = mode === 'auto' ? (isKdd && table.schema.name.startsWith('kdd') ? 'family' : 'label') : mode;
  const nameOf = (label: string): string => {
    if (label === BENIGN_LABEL) return BENIGN_LABEL;
    if (kind === 'binary') return 'attack';
    return kind === 'family' ? kddFamily(label) : className(label);
  };
  const names = table.labels.map(nameOf);
  const counts = new Map<string, number>();
  for (const l of table.label) counts.set(names[l]!, (counts.get(names[l]!) ?? 0) + 1);
  const merged = names.map((n) => (n !== BENIGN_LABEL && (counts.get(n) ?? 0) < minRows ? 'attack' : n));
  const attacks = [...new Set(merged)].filter((n) => n !== BENIGN_LABEL && present(merged, n, table)).sort();
  const all = [BENIGN_LABEL, ...attacks];
  return { names: all, y: Uint8Array.from(table.label, (l) => all.indexOf(merged[l]!)) };
}

function present(merged: readonly string[], name: string, table: Labelled): boolean {
  return table.label.some((l) => merged[l] === name);
}

/** `Web Attack - XSS` -> `web_attack_xss`: labels as machines write them. */
function className(label: string): string {
  return label
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');
}

/** Benign against everything else, for anomaly models. */
export function anomalyClasses(table: Labelled): Classes {
  return {
    names: [BENIGN_LABEL, 'anomaly'],
    y: Uint8Array.from(table.label, (l) => (table.labels[l] === BENIGN_LABEL ? 0 : 1)),
  };
}

/** @throws AppError when what is to be learnt is not there. */
export function checkClasses(classes: Classes, y: Uint8Array, isAnomaly: boolean): void {
  const counts = new Array<number>(classes.names.length).fill(0);
  for (const c of y) counts[c]!++;
  if (counts[0] === 0) {
    throw new AppError({
      kind: 'user',
      code: 'train.no_benign',
      message: `No training row is labelled ${BENIGN_LABEL} (or normal), so nothing says what is usual.`,
      fix: 'Add benign traffic: `portcullis capture --label benign`, then train on both files.',
    });
  }
  if (isAnomaly) return;
  if (classes.names.length < 2) {
    throw new AppError({
      kind: 'user',
      code: 'train.one_class',
      message: 'All rows are benign: a classifier needs at least one attack class.',
      fix: 'Add labelled attack traffic, or train isolation-forest or autoencoder, which need none.',
    });
  }
  const empty = classes.names.filter((_, c) => counts[c] === 0);
  if (empty.length === 0) return;
  throw new AppError({
    kind: 'user',
    code: 'train.empty_class',
    message: `No training row is left for class ${empty.join(', ')}: all its rows are of one source.`,
    fix: 'Add captures of it from other sources or times, or train with --classes binary.',
  });
}
