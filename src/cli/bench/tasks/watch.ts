import type { SourceInput } from '../../../capture/options.js';
import { createPipeline } from '../../../daemons/pipeline.js';
import { behaviourOptionsSchema, createBehaviour } from '../../../detect/behaviour/index.js';
import { cpuUs, openSource } from '../pipeline.js';
import { answer, onCommands } from './answer.js';

interface WatchOptions {
  source: SourceInput;
}

const FLOW = { maxFlows: 262_144 };

/**
 * Captures live until its input ends, by the packet path with or without the behaviour detectors: the command `with` or
 * `without` says which from now on. Every command is answered by packets and CPU time since the last one.
 */
export async function watch(options: WatchOptions): Promise<void> {
  const source = await openSource(options.source);
  const behaviour = createBehaviour(behaviourOptionsSchema.parse({}), { emit: () => undefined });
  const paths = {
    without: createPipeline({ flow: FLOW }, { observers: [] }),
    with: createPipeline({ flow: FLOW }, { observers: [behaviour] }),
  };
  let path = paths.without;
  const abort = new AbortController();
  let last = { cpuUs: cpuUs(), packets: 0 };
  const onCommand = (command: string): void => {
    if (command === 'with' || command === 'without') path = paths[command];
    const now = { cpuUs: cpuUs(), packets: source.stats().packets };
    answer({ cpuUs: now.cpuUs - last.cpuUs, packets: now.packets - last.packets });
    last = now;
  };
  onCommands(onCommand, () => abort.abort());
  answer({ ready: true });
  await source.run((block) => path.push(block), abort.signal);
  source.close();
}
