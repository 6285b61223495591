import { basename } from 'node:path';
import type { FeatureSchema } from '../../domain/feature.js';
import { AppError } from '../../util/errors.js';
import { createTableBuilder, type TableBuilder } from './builder.js';
import { cicParser, detectFormat, kddParser, portcullisParser, type DataFormat, type RowParser } from './formats.js';
import { readLines, splitCsv } from './lines.js';
import { readParquet } from './parquet.js';
import { schemaHash, type Table } from './table.js';

export interface FormatOptions {
  format: 'auto' | DataFormat;
  missing: 'reject' | 'keep';
  kddColumns: 'network' | 'all';
  schemas: readonly FeatureSchema[];
  onProgress?: (rows: number) => void;
}

export interface ReadOptions extends FormatOptions {
  /** Rows kept in memory; beyond it a seeded uniform sample of all rows. */
  maxRows: number;
  seed: number;
}

/** Where accepted rows go. */
export interface RowSink {
  add: TableBuilder['add'];
  /** Called between pieces of a file, and once when all were read; reading goes on when it resolves. */
  drain?(): Promise<void>;
}

export interface FileReport {
  name: string;
  sha256: string;
  format: DataFormat;
  rowsRead: number;
  rowsKept: number;
  rejected: Record<string, number>;
}

/** Reads files of one feature schema into one table, validating every row; says what was refused and why. */
export async function readTables(
  paths: readonly string[],
  options: ReadOptions,
): Promise<{ table: Table; files: FileReport[] }> {
  let builder: TableBuilder | undefined;
  const files = await streamRows(paths, options, (schema) => (builder = createTableBuilder(schema, options)));
  return { table: builder!.build(), files };
}

/** Streams the rows of files of one feature schema, validating each; says what was refused and why. */
export async function streamRows(
  paths: readonly string[],
  options: FormatOptions,
  open: (schema: FeatureSchema) => RowSink,
): Promise<FileReport[]> {
  let sink: RowSink | undefined;
  let schema: FeatureSchema | undefined;
  let kept = 0;
  const files: FileReport[] = [];
  for (const path of paths) {
    const name = basename(path);
    const file: FileReport = { name, sha256: '', format: 'portcullis', rowsRead: 0, rowsKept: 0, rejected: {} };
    let parser: RowParser | undefined;
    const use = (chosen: RowParser): void => {
      parser = chosen;
      if (schema && schemaHash(schema) !== schemaHash(parser.schema)) throw mixedSchemas(name, schema, parser.schema);
      schema ??= parser.schema;
      sink ??= open(schema);
    };
    const take = (fields: readonly string[], line: string): void => {
      if (!parser) return;
      file.rowsRead++;
      const row = parser.parse(fields, line);
      if (typeof row === 'string') file.rejected[row] = (file.rejected[row] ?? 0) + 1;
      else {
        sink?.add(parser.values, row);
        file.rowsKept++;
        kept++;
      }
      if ((file.rowsRead & 0xffff) === 0) options.onProgress?.(kept);
    };
    if (path.endsWith('.parquet')) {
      const summary = await readParquet(
        path,
        { ...options, fileName: name },
        {
          onParser: use,
          onRow: (fields) => take(fields, fields.join(',')),
          onPause: () => Promise.resolve(sink?.drain?.()),
        },
      );
      file.sha256 = summary.sha256;
    } else {
      const summary = await readLines(
        path,
        (line) => {
          if (line === '') return;
          if (!parser) {
            const opened = openParser(name, line, options);
            file.format = opened.format;
            use(opened.parser);
            if (opened.isHeader) return;
          }
          take(splitCsv(line), line);
        },
        () => Promise.resolve(sink?.drain?.()),
      );
      file.sha256 = summary.sha256;
    }
    if (file.rowsKept === 0) throw noRows(file);
    files.push(file);
  }
  if (!sink) throw new AppError({ kind: 'user', code: 'train.data_empty', message: 'No data file was given.' });
  await sink.drain?.();
  return files;
}

function openParser(
  fileName: string,
  line: string,
  options: FormatOptions,
): { parser: RowParser; format: DataFormat; isHeader: boolean } {
  const format = options.format === 'auto' ? detectFormat(line) : options.format;
  const parserOptions = { ...options, fileName };
  switch (format) {
    case 'kddcup99':
    case 'nsl-kdd':
      return { parser: kddParser(format, parserOptions), format, isHeader: false };
    case 'cic':
      return { parser: cicParser(splitCsv(line), parserOptions), format, isHeader: true };
    case 'portcullis':
      return { parser: portcullisParser(splitCsv(line), parserOptions), format, isHeader: true };
    case undefined:
      throw new AppError({
        kind: 'user',
        code: 'train.data_format',
        message: `${fileName} is none of the known kinds of table.`,
        fix: 'State it with --format kddcup99|nsl-kdd|cic|portcullis; see docs/models.md for their columns.',
      });
  }
}

function noRows(file: FileReport): AppError {
  const reasons = Object.entries(file.rejected).map(([why, n]) => `${n} ${why.replaceAll('_', ' ')}`);
  return new AppError({
    kind: 'user',
    code: 'train.data_empty',
    message: `${file.name} has no usable row${reasons.length > 0 ? `: ${reasons.join(', ')} of ${file.rowsRead}` : ''}.`,
    fix: 'Check --format; rows with NaN are kept only with --missing keep.',
  });
}

function mixedSchemas(name: string, a: FeatureSchema, b: FeatureSchema): AppError {
  return new AppError({
    kind: 'user',
    code: 'train.data_columns',
    message: `${name} has feature schema ${b.name} v${b.version}, the files before it ${a.name} v${a.version}.`,
    fix: 'Train on files of one schema at a time.',
  });
}
