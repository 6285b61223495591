import type { SourceInput } from '../../../capture/options.js';
import { cpuUs, createHotPath, openSource } from '../pipeline.js';
import { answer, onCommands } from './answer.js';

interface ConsumeOptions {
  source: SourceInput;
}

/** Captures live until its input ends; answers `mark` with packets, drops and CPU time since the last one. */
export async function consume(options: ConsumeOptions): Promise<void> {
  const source = await openSource(options.source);
  const path = createHotPath({ maxFlows: 262_144 });
  const abort = new AbortController();
  let last = { cpu: cpuUs(), packets: 0, drops: 0 };
  const mark = (): void => {
    const { packets, kernelDrops, dropsKnown } = source.stats();
    const now = { cpu: cpuUs(), packets, drops: kernelDrops };
    answer({
      cpuUs: now.cpu - last.cpu,
      packets: now.packets - last.packets,
      drops: now.drops - last.drops,
      dropsKnown,
    });
    last = now;
  };
  onCommands(mark, () => abort.abort());
  answer({ ready: true });
  await source.run((block) => path.onBlock(block), abort.signal);
  source.close();
}

interface FileOptions {
  path: string;
  passes: number;
}

/** Reads one capture file several times; answers each pass's packets and CPU time. */
export async function measureFile(options: FileOptions): Promise<void> {
  for (let pass = 0; pass < options.passes; pass++) {
    const source = await openSource({ kind: 'file', path: options.path });
    const path = createHotPath({ maxFlows: 262_144 });
    const before = cpuUs();
    await source.run((block) => path.onBlock(block), new AbortController().signal);
    answer({ cpuUs: cpuUs() - before, packets: source.stats().packets });
    source.close();
  }
}
