import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet';
import { autoSchemaElement, fileWriter, ParquetWriter, type ColumnSource } from 'hyparquet-writer';
import type { FeatureSchema } from '../../domain/feature.js';
import { AppError, errorMessage } from '../../util/errors.js';
import { portcullisParser, type ParserOptions, type RowParser } from './formats.js';

/** Rows read or written at once: what bounds the memory. */
const GROUP_ROWS = 50_000;

const DECOMPRESSORS = {
  GZIP: (input: Uint8Array): Uint8Array => gunzipSync(input),
  BROTLI: (input: Uint8Array): Uint8Array => brotliDecompressSync(input),
};

export interface ParquetReader {
  onParser(parser: RowParser): void;
  onRow(fields: readonly string[]): void;
  /** Between row groups; reading goes on when it resolves. */
  onPause?: (() => Promise<void>) | undefined;
}

/**
 * Streams a Parquet file of feature rows, with the columns of our CSV, row group by row group; cells arrive as text so
 * that every row passes the same checks as a CSV row.
 * @returns the file's hash.
 * @throws AppError when it cannot be read or lacks columns.
 */
export async function readParquet(
  path: string,
  options: ParserOptions,
  { onParser, onRow, onPause }: ParquetReader,
): Promise<{ sha256: string }> {
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    const names = parquetSchema(metadata).children.map((child) => child.element.name);
    onParser(portcullisParser(names, options));
    const rows = Number(metadata.num_rows);
    for (let rowStart = 0; rowStart < rows; rowStart += GROUP_ROWS) {
      const rowEnd = Math.min(rows, rowStart + GROUP_ROWS);
      const columns = names.map(() => new Array<string>(rowEnd - rowStart).fill(''));
      await parquetRead({
        file,
        metadata,
        rowStart,
        rowEnd,
        compressors: DECOMPRESSORS,
        onChunk({ columnName, columnData, rowStart: first }) {
          const column = columns[names.indexOf(columnName)];
          for (let i = 0; i < columnData.length; i++) {
            const at = first + i - rowStart;
            if (column && at >= 0 && at < column.length) column[at] = toText(columnData[i]);
          }
        },
      });
      const fields = new Array<string>(names.length);
      for (let r = 0; r < rowEnd - rowStart; r++) {
        for (let c = 0; c < names.length; c++) fields[c] = columns[c]![r]!;
        onRow(fields);
      }
      await onPause?.();
    }
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
    return { sha256: hash.digest('hex') };
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError({
      kind: 'user',
      code: 'train.data_unreadable',
      message: `Cannot read ${basename(path)}: ${errorMessage(error)}.`,
      fix: 'Check the path and the rights; a Parquet file must be whole and compressed with snappy, gzip or brotli.',
      cause: error,
    });
  }
}

function toText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : String(value as number | bigint | boolean);
}

/** A row for {@link openParquetWriter}: values in the schema's order. */
export interface ParquetRow {
  values: ArrayLike<number>;
  /** What goes into the meta columns, in their order. */
  meta: readonly string[];
  label: string;
}

/**
 * Writes feature rows: text columns `meta`, one 32-bit float column a feature (names for categories), and `label`.
 * `close` finishes the file. Equal rows give equal bytes.
 */
export function openParquetWriter(
  path: string,
  schema: FeatureSchema,
  meta: readonly string[],
): { add(row: ParquetRow): void; close(): void } {
  const names = [...meta, ...schema.features.map((f) => f.name), 'label'];
  const isText = [...meta.map(() => true), ...schema.features.map((f) => f.vocabulary !== undefined), true];
  const writer = new ParquetWriter({
    writer: fileWriter(path),
    schema: [
      { name: 'root', num_children: names.length },
      ...names.map((name, c) => ({
        ...autoSchemaElement(name, isText[c]! ? ['x'] : new Float32Array(1)),
        repetition_type: 'REQUIRED' as const,
      })),
    ],
    codec: 'GZIP',
    compressors: { GZIP: (input) => gzipSync(input, { level: 9 }) },
    statistics: false,
    createdBy: 'portcullis',
  });
  const width = schema.features.length;
  let texts: string[][] = names.map(() => []);
  let numbers = new Float32Array(GROUP_ROWS * width);
  let rows = 0;

  function flush(): void {
    if (rows === 0) return;
    const columnData: ColumnSource[] = names.map((name, c) => {
      if (isText[c]!) return { name, data: texts[c]!, nullable: false };
      const f = c - meta.length;
      return {
        name,
        data: Float32Array.from({ length: rows }, (_, r) => numbers[r * width + f]!),
        nullable: false,
      };
    });
    const written = writer.write({ columnData, rowGroupSize: GROUP_ROWS });
    if (written) throw new Error('the file writer of Parquet works synchronously');
    texts = names.map(() => []);
    rows = 0;
  }

  return {
    add({ values, meta: words, label }) {
      for (const [c, word] of words.entries()) texts[c]!.push(word);
      for (const [f, feature] of schema.features.entries()) {
        if (feature.vocabulary) texts[meta.length + f]!.push(feature.vocabulary[values[f]!] ?? '');
        else numbers[rows * width + f] = values[f]!;
      }
      texts[names.length - 1]!.push(label);
      if (++rows === GROUP_ROWS) flush();
    },
    close() {
      flush();
      const finished = writer.finish();
      if (finished) throw new Error('the file writer of Parquet works synchronously');
      numbers = new Float32Array(0);
    },
  };
}
