import { readRows, type VectorRow } from '../../../scripts/models-rows.js';
import { FLOW_SCHEMA } from '../../../src/features/index.js';
import { hashText } from '../../../src/train/random.js';
import { openParquetWriter } from '../../../src/train/table/parquet.js';

/** Of the shipped base table: everyday traffic and attacks, without anything that asks many ports for a good reason. */
const KINDS =
  /\/(browsing|dns-lookups|downloads|git-clone|pings|ssh-sessions|udp-stream|scan-[a-z]+|flood-syn|brute-(ssh|ftp|http-form)|sweep-tcp)[^/]*$/;
/** One flow in so many: training must take seconds. */
const ONE_IN = 6;

/** Writes a small table of lab traffic in which no monitoring system is; a model that it trains has never seen one. */
export async function writeSmallBase(path: string): Promise<{ rows: number }> {
  const isWanted = (r: VectorRow): boolean => KINDS.test(r.source) && hashText(r.flow) % ONE_IN === 0;
  const rows = (await readRows('models/base/flow.parquet')).filter(isWanted);
  const writer = openParquetWriter(path, FLOW_SCHEMA, ['source', 'flow']);
  for (const { values, source, flow, label } of rows) {
    writer.add({ values, meta: [source, flow.slice(source.length + 1)], label });
  }
  writer.close();
  return { rows: rows.length };
}
