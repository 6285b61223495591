// npx tsx scripts/models-tiers.ts --captures DIR --index FILE --cache DIR
//
// What the behaviour tier says of the captures on which scripts/models-sources.ts judged the classifier, for the table that
// puts the two side by side (scripts/models-sources-doc.ts). A flow is the behaviour tier's when it names the flow's
// source, or for floods its target.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { behaviourOptionsSchema, createBehaviour } from '../src/detect/behaviour/index.js';
import { flowClass } from '../src/train/table/flow-classes.js';
import { fitting } from './detection/replay.js';
import type { MeasuredOrigin, TierCounts } from './models-sources-doc.js';
import { replayLabelled, type LabelledCapture } from './models-replay.js';
import { indexedCaptures } from './models-vectors.js';

interface Ends {
  family: string;
  srcIp: string;
  dstIp: string;
}

/** Flows of a capture by family, and how many of them the behaviour tier names an end of. */
async function countNamed(capture: LabelledCapture): Promise<Record<string, TierCounts>> {
  const offenders = new Set<string>();
  const targets = new Set<string>();
  const flows: Ends[] = [];
  const options = fitting(behaviourOptionsSchema.parse({}), statSync(capture.path).size);
  const behaviour = createBehaviour(options, {
    emit(d) {
      if (d.metadata?.['scope']?.includes('target') === true) targets.add(d.victim ?? d.dstIp);
      else offenders.add(d.offender);
    },
  });
  await replayLabelled(capture, {
    observer: behaviour,
    onFlow(label, _flows, _slot, { srcIp, dstIp }) {
      if (label === undefined) return;
      const family = label === 'benign' ? 'benign' : (flowClass(label) ?? 'other attacks');
      flows.push({ family, srcIp, dstIp });
    },
    maxFlows: 65_536,
    tickAtEnd: true,
  });
  const counts: Record<string, TierCounts> = {};
  for (const { family, srcIp, dstIp } of flows) {
    const count = (counts[family] ??= { flows: 0, named: 0 });
    count.flows++;
    if (offenders.has(srcIp) || targets.has(dstIp)) count.named++;
  }
  return counts;
}

const { values } = parseArgs({
  options: { captures: { type: 'string' }, index: { type: 'string' }, cache: { type: 'string' } },
});
const { captures, index, cache } = values;
if (!captures || !index || !cache) throw new Error('Give --captures, --index and --cache.');
const judged = new Set(
  readdirSync(cache)
    .filter((n) => /^sources-.+-seed1\.json$/.test(n))
    .map((n) => JSON.parse(readFileSync(join(cache, n), 'utf8')) as MeasuredOrigin)
    .flatMap(({ groups }) => groups.flatMap((g) => Object.keys(g.captures))),
);
const out: Record<string, Record<string, TierCounts>> = {};
for (const capture of indexedCaptures(captures, index)) {
  const name = capture.path.slice(join(captures, '/').length);
  if (judged.has(name)) out[name] = await countNamed(capture);
}
writeFileSync(join(cache, 'tiers.json'), JSON.stringify(out));
console.log(`${Object.keys(out).length} of ${judged.size} captures`);
