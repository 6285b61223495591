import { knownSchemas } from '../src/train/schemas.js';
import type { RowParser } from '../src/train/table/formats.js';
import { readParquet } from '../src/train/table/parquet.js';

/** One vector of a table made by scripts/models-collect.ts. */
export interface VectorRow {
  /** Capture it is from. */
  source: string;
  /** Its flow, unlike that of any other capture. */
  flow: string;
  label: string;
  values: Float32Array;
}

export async function readRows(path: string): Promise<VectorRow[]> {
  const rows: VectorRow[] = [];
  let parser: RowParser | undefined;
  const options = { missing: 'keep', kddColumns: 'network', schemas: knownSchemas(), fileName: path } as const;
  await readParquet(path, options, {
    onParser(p) {
      parser = p;
    },
    onRow(fields) {
      if (typeof parser?.parse(fields, '') !== 'object') throw new Error(`${path} has a row that cannot be read`);
      const [source = '', flow = ''] = fields;
      rows.push({ source, flow: `${source} ${flow}`, label: fields.at(-1)!, values: Float32Array.from(parser.values) });
    },
  });
  return rows;
}
