import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig, type LoadedConfig } from '../../../src/config/index.js';
import { FLOW_SCHEMA } from '../../../src/features/index.js';
import { createRandom, type Random } from '../../../src/train/random.js';
import { openParquetWriter } from '../../../src/train/table/parquet.js';

/** Made-up flows of the live schema: each kind differs from benign in a few features of its own. */
export type Kind = 'benign' | 'port_scan' | 'flood' | 'brute_force';

const SHIFTS: Record<Kind, Record<string, number>> = {
  benign: {},
  port_scan: { src_ports_short: 6, syn_count: 3 },
  flood: { packets_fwd: 7, packets_per_second: 6 },
  brute_force: { pair_flows_long: 5, src_flows_long: 4 },
};

/** Features that exist are shifted; the others of a kind are spread over columns by its name. */
export function flowVector(kind: Kind, random: Random): number[] {
  const values = FLOW_SCHEMA.features.map((f) =>
    f.vocabulary ? random.below(f.vocabulary.length) : Math.exp(0.6 * random.normal()),
  );
  const shifts = SHIFTS[kind];
  const numeric = FLOW_SCHEMA.features.flatMap((f, i) => (f.vocabulary ? [] : [i]));
  for (const [n, [name, shift]] of Object.entries(shifts).entries()) {
    const named = FLOW_SCHEMA.features.findIndex((f) => f.name === name);
    const spread = numeric[(kind.length * 7 + n * 5) % numeric.length]!;
    values[named >= 0 ? named : spread]! += shift + 0.8 * Math.abs(random.normal());
  }
  return values;
}

/** A base table of so many flows of each kind, as `scripts/models-collect.ts` would write it. */
export function writeBase(path: string, flows: Partial<Record<Kind, number>>, seed: number): void {
  const random = createRandom(seed);
  const writer = openParquetWriter(path, FLOW_SCHEMA, ['source']);
  for (const [kind, n] of Object.entries(flows) as [Kind, number][]) {
    for (let i = 0; i < n; i++) {
      writer.add({ values: flowVector(kind, random), meta: [`run-${kind}-${i % 40}`], label: kind });
    }
  }
  writer.close();
}

/** A configuration whose data folder is `dir`, with further YAML. */
export async function configIn(dir: string, yaml: string): Promise<LoadedConfig> {
  mkdirSync(join(dir, 'run'), { recursive: true });
  writeFileSync(join(dir, 'portcullis.yaml'), `data_dir: .\n${yaml}\n`);
  return loadConfig(join(dir, 'portcullis.yaml'));
}
