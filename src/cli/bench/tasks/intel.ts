import { createIntel, intelOptionsSchema, TableBuilder, type IndicatorTable } from '../../../detect/intel/index.js';
import { mixedTraffic } from '../mixed-traffic.js';
import { answer } from './answer.js';
import { comparePaths } from './compare.js';

interface IntelBenchOptions {
  indicators: number;
  packets: number;
  passes: number;
}

const LOOKUPS = 2_000_000;

/** Size of a table of many indicators, a look-up in it, and what it adds to a packet. */
export function measureIntel({ indicators, packets, passes }: IntelBenchOptions): void {
  const table = tableOf(indicators);
  const intel = createIntel(intelOptionsSchema.parse({}), { emit: () => undefined, sensor: 'bench' });
  intel.setTable(table);
  const compared = comparePaths(mixedTraffic(packets), passes, intel.observer);
  answer({ ...compared, megabytes: table.bytes / 1e6, lookup: lookupNs(table) });
}

/** Half names, the rest addresses and every tenth a network. */
function tableOf(indicators: number): IndicatorTable {
  const builder = new TableBuilder(indicators);
  const base = { source: 'bench', confidence: 0.7, label: 'c2', validFromMs: 0, validUntilMs: 0 };
  for (let i = 0; i < indicators; i++) {
    const start = `${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;
    if (i % 10 === 0) builder.add({ ...base, type: 'cidr', value: `${start}.0/24` });
    else if (i % 2 === 0) builder.add({ ...base, type: 'domain', value: `host-${i}.evil.example` });
    else builder.add({ ...base, type: 'ip', value: `${start}.9` });
  }
  return builder.build(0);
}

/** Addresses all over IPv4, most of which are not listed. */
function lookupNs(table: IndicatorTable): number {
  const words = Uint32Array.from({ length: 65_536 }, (_, i) => Math.imul(i + 1, 0x9e3779b1));
  let best = Infinity;
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < LOOKUPS; i++) table.findAddress(4, 0, 0, 0, words[i & 65_535]!);
    best = Math.min(best, (process.cpuUsage(before).user * 1000) / LOOKUPS);
  }
  return best;
}
