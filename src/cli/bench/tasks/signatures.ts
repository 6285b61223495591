import { readFileSync } from 'node:fs';
import { createPipeline } from '../../../daemons/pipeline.js';
import { createSignatures } from '../../../daemons/signatures.js';
import { signatureOptionsSchema } from '../../../detect/signature/index.js';
import { compileLater, compileSooner } from '../../../util/compile-sooner.js';
import { cpuUs, openSource } from '../pipeline.js';
import { answer } from './answer.js';

interface SignatureTask {
  /** Rule files; empty for those shipped. */
  rules: string[];
  path: string;
  /** Reads the capture so often; each pass has flows of its own. */
  passes: number;
}

/** Loads rules, then reads a capture through reassembly, parsers and rules; answers CPU time of each step. */
export async function measureSignatures({ rules, path, passes }: SignatureTask): Promise<void> {
  compileLater(); // As `analyze` does, and `compileSooner`.
  const begun = cpuUs();
  const started = performance.now();
  let alerts = 0;
  const options = signatureOptionsSchema.parse({ rules });
  // Streams as the sensor and `analyze` take them.
  const signatures = createSignatures(
    { ...options, stream: { inspect: 'arrival' } },
    { emit: () => void alerts++, sensor: 'bench' },
  );
  compileSooner();
  const loaded = signatures.observer.stats()['signature_rules']!;
  answer({ cpuUs: cpuUs() - begun, wallMs: performance.now() - started, rules: loaded });
  for (let pass = 0; pass < passes; pass++) {
    alerts = 0;
    const pipeline = createPipeline({}, { observers: [signatures.observer] });
    const before = cpuUs();
    const source = await openSource({ kind: 'file', path });
    await source.run((block) => pipeline.push(block), new AbortController().signal);
    pipeline.flush();
    source.close();
    answer({ cpuUs: cpuUs() - before, packets: pipeline.packets, alerts, peakBytes: peakBytes() });
  }
}

/** Most memory the process ever had (proc(5), VmHWM). */
function peakBytes(): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line?.[1] ?? 0) * 1024;
}
