import { errorMessage } from '../../util/errors.js';
import { measureBehaviour } from './tasks/behaviour.js';
import { measureBlocks } from './tasks/blocks.js';
import { consume, measureFile } from './tasks/consume.js';
import { runFleetMember } from './tasks/fleet-member.js';
import { flood, manyFlows } from './tasks/memory.js';
import { generate } from './tasks/generate.js';
import { serveRemediation } from './tasks/remediation.js';
import { measureIntel } from './tasks/intel.js';
import { measureScoring } from './tasks/scoring.js';
import { measureSignatures } from './tasks/signatures.js';
import { watch } from './tasks/watch.js';

const TASKS: Readonly<Record<string, (options: never) => Promise<void> | void>> = {
  consume,
  file: measureFile,
  fleet: runFleetMember,
  behaviour: measureBehaviour,
  blocks: measureBlocks,
  intel: measureIntel,
  generate,
  memory: manyFlows,
  remediation: serveRemediation,
  scoring: measureScoring,
  signatures: measureSignatures,
  flood,
  watch,
};

const [, , task = '', options = '{}'] = process.argv;
try {
  const run = TASKS[task];
  if (run === undefined) throw new Error(`unknown task ${task}`);
  await run(JSON.parse(options) as never);
} catch (error) {
  process.stderr.write(`${errorMessage(error)}\n`);
  process.exitCode = 3;
}
