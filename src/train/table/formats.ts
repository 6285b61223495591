import type { FeatureDefinition, FeatureSchema } from '../../domain/feature.js';
import { AppError } from '../../util/errors.js';
import { hashText } from '../random.js';
import { KDD_COLUMNS } from './kdd-columns.js';

export const DATA_FORMATS = ['kddcup99', 'nsl-kdd', 'cic', 'portcullis'] as const;
export type DataFormat = (typeof DATA_FORMATS)[number];

/** Why a row was refused. Counted per file and written into the model card. */
export type Rejection = 'wrong_width' | 'not_a_number' | 'infinite' | 'missing_value' | 'no_label';

export interface ParsedRow {
  label: string;
  group: number;
  time: number;
}

/** Turns one line's fields into `values`; one parser a file. */
export interface RowParser {
  schema: FeatureSchema;
  /** Filled by each successful `parse`. */
  values: Float64Array;
  parse(fields: readonly string[], line: string): ParsedRow | Rejection;
}

export interface ParserOptions {
  /** What to do with empty and NaN cells: refuse the row, or keep it as a missing value. */
  missing: 'reject' | 'keep';
  /** Known schemas by name (features' own, plus kdd41). */
  schemas: readonly FeatureSchema[];
  /** For KDD tables: the 28 columns of the live schema `kdd`, or all 41. */
  kddColumns: 'network' | 'all';
  fileName: string;
}

/** Number of a cell: NaN when missing and kept, else the reason why not. */
function cell(text: string, missing: 'reject' | 'keep'): number | Rejection {
  const t = text.trim();
  if (t === '' || /^nan$/i.test(t)) return missing === 'keep' ? NaN : 'missing_value';
  const n = Number(t);
  if (Number.isNaN(n)) return /^[+-]?inf(inity)?$/i.test(t) ? 'infinite' : 'not_a_number';
  return Math.abs(n) <= 3.4e38 ? n : 'infinite';
}

interface Column {
  at: number;
  codes?: Map<string, number>;
}

function columnFor(definition: FeatureDefinition, at: number): Column {
  if (!definition.vocabulary) return { at };
  return { at, codes: new Map(definition.vocabulary.map((name, code) => [name, code])) };
}

/** Fills `values`; a category's name becomes its code, an unknown name a missing value. */
function fill(
  columns: readonly Column[],
  fields: readonly string[],
  values: Float64Array,
  missing: 'reject' | 'keep',
): Rejection | undefined {
  for (let i = 0; i < columns.length; i++) {
    const { at, codes } = columns[i]!;
    const text = fields[at] ?? '';
    const code = codes?.get(text.trim());
    const value = code ?? cell(text, missing);
    if (typeof value === 'number') values[i] = value;
    else if (codes && value === 'not_a_number') values[i] = NaN;
    else return value;
  }
  return undefined;
}

/** KDD Cup 1999 (42 fields, label ends in a dot) and NSL-KDD (43: plus difficulty). No header, no groups, no time. */
export function kddParser(format: 'kddcup99' | 'nsl-kdd', options: ParserOptions): RowParser {
  const name = options.kddColumns === 'all' ? 'kdd41' : 'kdd';
  const schema = schemaNamed(options.schemas, name);
  const columns = schema.features.map((f) => {
    const at = KDD_COLUMNS.findIndex((c) => c.name === f.name);
    if (at < 0) throw new Error(`feature ${f.name} of schema ${name} is not a KDD column`);
    return columnFor(f, at);
  });
  const width = format === 'nsl-kdd' ? 43 : 42;
  const values = new Float64Array(columns.length);
  return {
    schema,
    values,
    parse(fields, line) {
      if (fields.length !== width) return 'wrong_width';
      const label = (fields[41] ?? '').trim().replace(/\.$/, '');
      if (label === '') return 'no_label';
      const problem = fill(columns, fields, values, options.missing);
      if (problem) return problem;
      // Copies of one row are one group: they must not stand on both sides of a split.
      const features = line.slice(0, line.lastIndexOf(fields[41] ?? ''));
      return { label: label === 'normal' ? 'benign' : label, group: hashText(features), time: NaN };
    },
  };
}

/** Columns of CIC-style tables that identify the generator and not the behaviour. */
const CIC_LEAKS = new Set(
  'id,flow id,src ip,source ip,src port,source port,dst ip,destination ip,dst port,destination port,timestamp,label,attempted category,simillarhttp,unnamed: 0'.split(
    ',',
  ),
);

/** CSV as CICFlowMeter writes it: header, one flow a line, `Label` column. Addresses, ports and times are left out. */
export function cicParser(header: readonly string[], options: ParserOptions): RowParser {
  const names = header.map((h) => h.trim());
  const lower = names.map((n) => n.toLowerCase());
  const labelAt = lower.indexOf('label');
  if (labelAt < 0) throw missingColumn(options.fileName, 'Label');
  const kept = names.map((n, at) => ({ n, at })).filter(({ at }) => !CIC_LEAKS.has(lower[at] ?? ''));
  const schema: FeatureSchema = {
    name: 'cic',
    version: 1,
    features: kept.map(({ n }) => ({
      name: n
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '_')
        .replace(/^_|_$/g, ''),
      kind: 'numeric',
      unit: '',
      description: `CICFlowMeter column "${n}".`,
    })),
  };
  const columns = kept.map(({ at }) => ({ at }));
  const [srcAt, dstAt] = [
    ['src ip', 'source ip'],
    ['dst ip', 'destination ip'],
  ].map((n) => lower.findIndex((h) => n.includes(h)));
  const portAt = lower.findIndex((h) => h === 'src port' || h === 'source port');
  const timeAt = lower.indexOf('timestamp');
  const values = new Float64Array(columns.length);
  return {
    schema,
    values,
    parse(fields, line) {
      if (fields.length !== header.length) return 'wrong_width';
      const label = (fields[labelAt] ?? '').trim();
      if (label === '') return 'no_label';
      const problem = fill(columns, fields, values, options.missing);
      if (problem) return problem;
      const who = srcAt! >= 0 && dstAt! >= 0 ? `${fields[srcAt!]}:${fields[portAt] ?? ''}>${fields[dstAt!]}` : line;
      const time = timeAt < 0 ? NaN : Date.parse(`${(fields[timeAt] ?? '').replace(' ', 'T')}Z`) / 1000;
      return { label: /^benign$/i.test(label) ? 'benign' : label, group: hashText(who), time };
    },
  };
}

/**
 * Our own CSV, as `portcullis features` writes it: meta columns, the schema's features in any order, `label`.
 * The schema is the known one whose features are all there.
 */
export function portcullisParser(header: readonly string[], options: ParserOptions): RowParser {
  const names = header.map((h) => h.trim());
  const labelAt = names.indexOf('label');
  if (labelAt < 0) throw missingColumn(options.fileName, 'label');
  const fits = options.schemas
    .filter((s) => s.features.every((f) => names.includes(f.name)))
    .sort((a, b) => b.features.length - a.features.length);
  const schema = fits[0];
  if (!schema) {
    const nearest = options.schemas
      .map((s) => ({ s, lacking: s.features.filter((f) => !names.includes(f.name)).map((f) => f.name) }))
      .sort((a, b) => a.lacking.length - b.lacking.length)[0];
    throw missingColumn(options.fileName, nearest?.lacking.slice(0, 8).join(', ') ?? 'features', nearest?.s.name);
  }
  const columns = schema.features.map((f) => columnFor(f, names.indexOf(f.name)));
  const at = (name: string): number => names.indexOf(name);
  const [sourceAt, timeAt, srcAt] = [at('source'), at('start_us'), at('src_ip')];
  const values = new Float64Array(columns.length);
  return {
    schema,
    values,
    parse(fields, line) {
      if (fields.length !== header.length) return 'wrong_width';
      const label = (fields[labelAt] ?? '').trim();
      if (label === '') return 'no_label';
      const problem = fill(columns, fields, values, options.missing);
      if (problem) return problem;
      const source = fields[sourceAt] ?? fields[srcAt] ?? line;
      const startUs = Number(fields[timeAt] ?? NaN);
      return {
        label: /^(benign|normal)$/i.test(label) ? 'benign' : label,
        group: hashText(source),
        time: startUs / 1e6,
      };
    },
  };
}

/** Guesses the format from the first line. */
export function detectFormat(firstLine: string): DataFormat | undefined {
  const fields = firstLine.split(',');
  const numeric = fields.filter((f) => f.trim() !== '' && !Number.isNaN(Number(f))).length;
  if (fields.length === 43 && numeric >= 38) return 'nsl-kdd';
  if (fields.length === 42 && numeric >= 38) return 'kddcup99';
  if (fields.some((f) => f.trim() === 'label')) return 'portcullis';
  if (fields.some((f) => f.trim().toLowerCase() === 'label')) return 'cic';
  return undefined;
}

function schemaNamed(schemas: readonly FeatureSchema[], name: string): FeatureSchema {
  const found = schemas.find((s) => s.name === name);
  if (!found) throw new Error(`feature schema ${name} is not known here`);
  return found;
}

function missingColumn(file: string, column: string, schema?: string): AppError {
  return new AppError({
    kind: 'user',
    code: 'train.data_columns',
    message: `${file} lacks the column${column.includes(',') ? 's' : ''} ${column}${schema ? ` of feature schema ${schema}` : ''}.`,
    fix: 'Make the file with `portcullis features --schema flow|kdd`, or state its kind with --format.',
  });
}
