import type { FeatureSchema } from '../../../src/domain/feature.js';
import { trainOptionsSchema, type TrainOptions } from '../../../src/train/options.js';
import { createRandom } from '../../../src/train/random.js';
import { createTableBuilder } from '../../../src/train/table/builder.js';
import type { Table } from '../../../src/train/table/table.js';

export const SYNTHETIC_SCHEMA: FeatureSchema = {
  name: 'synthetic',
  version: 1,
  features: [
    { name: 'packets', kind: 'numeric', unit: 'packets', description: 'Packets of the flow.' },
    { name: 'bytes', kind: 'numeric', unit: 'bytes', description: 'Bytes of the flow.' },
    { name: 'distinct_ports', kind: 'numeric', unit: 'ports', description: 'Distinct ports of the source in 2 s.' },
    { name: 'syn_share', kind: 'ratio', unit: '', description: 'Share of SYN packets.' },
    { name: 'has_reply', kind: 'flag', unit: '', description: 'The other side answered.' },
    { name: 'state', kind: 'category', unit: '', description: 'End state.', vocabulary: ['open', 'closed', 'reset'] },
    { name: 'noise', kind: 'numeric', unit: '', description: 'Says nothing.' },
    { name: 'gap', kind: 'numeric', unit: 's', description: 'Mean time between packets.' },
  ],
};

/**
 * Made-up flows of three kinds that overlap a little: benign, scan (many ports, few packets, no reply) and flood
 * (many packets, no gap). `missingShare` blanks that share of the cells of column `gap`.
 */
export function syntheticTable(rows: number, seed: number, missingShare = 0): Table {
  const random = createRandom(seed);
  const builder = createTableBuilder(SYNTHETIC_SCHEMA, { maxRows: rows, seed });
  for (let r = 0; r < rows; r++) {
    const u = random.next();
    const label = u < 0.6 ? 'benign' : u < 0.85 ? 'scan' : 'flood';
    const scan = label === 'scan';
    const flood = label === 'flood';
    const packets = Math.max(1, Math.round(Math.exp((flood ? 7 : scan ? 0.5 : 3) + 0.8 * random.normal())));
    builder.add(
      [
        packets,
        packets * (scan || flood ? 60 : 400) * Math.exp(0.3 * random.normal()),
        Math.max(1, Math.round(scan ? 80 + 40 * random.normal() : 3 + 2 * random.normal())),
        Math.min(1, Math.max(0, (scan || flood ? 0.9 : 0.1) + 0.15 * random.normal())),
        random.next() < (scan || flood ? 0.1 : 0.95) ? 1 : 0,
        random.next() < 0.1 ? 2 : scan ? 1 : 0,
        random.normal(),
        random.next() < missingShare ? NaN : Math.exp((flood ? -6 : -1) + 0.7 * random.normal()),
      ],
      { label, group: r, time: 1_700_000_000 + r },
    );
  }
  return builder.build();
}

export function trainOptions(changes: Partial<TrainOptions> & Pick<TrainOptions, 'algorithm'>): TrainOptions {
  return trainOptionsSchema.parse({ data: ['synthetic.csv'], out: 'unused', falsePositiveBudget: 0.02, ...changes });
}

export const FIXED_TIME = { trainedMs: 1_700_000_000_000, repeatable: true };
