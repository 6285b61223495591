// npx tsx scripts/models-tiers.ts --captures DIR --index FILE --cache DIR
//
// What the behaviour tier says of the captures on which scripts/models-sources.ts judged the classifier, for the table that
// puts the two side by side (scripts/models-sources-doc.ts). A flow is the behaviour tier's when it names the flow's
// source, or for floods its target.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openFileSource } from '../src/capture/index.js';
import { createPipeline } from '../src/daemons/pipeline.js';
import { behaviourOptionsSchema, createBehaviour } from '../src/detect/behaviour/index.js';
import { toFlowRecord } from '../src/flow/index.js';
import { flowClass } from '../src/train/table/flow-classes.js';
import { errorCode } from '../src/util/errors.js';
import { fitting } from './detection/replay.js';
import type { MeasuredOrigin, TierCounts } from './models-sources-doc.js';
import { indexedCaptures, type LabelledCapture } from './models-vectors.js';

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
  const pipeline = createPipeline(
    { flow: { maxFlows: 65_536 } },
    {
      observers: [behaviour],
      onFlowEnd(columns, slot) {
        const flow = toFlowRecord(columns, slot, 'active');
        const label = capture.labelOf(flow);
        if (label === undefined) return;
        const family = label === 'benign' ? 'benign' : (flowClass(label) ?? 'other attacks');
        flows.push({ family, srcIp: flow.srcIp, dstIp: flow.dstIp });
      },
    },
  );
  const source = await openFileSource(capture.path);
  try {
    await source.run((block) => pipeline.push(block), new AbortController().signal);
  } catch (error) {
    // A capture cut short is good up to its last whole packet.
    if (errorCode(error) !== 'capture.truncated') throw error;
  } finally {
    source.close();
    pipeline.tick(pipeline.nowUs + 1e6);
    pipeline.flush();
  }
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
