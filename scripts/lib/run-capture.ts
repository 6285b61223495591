import { openFileSource } from '../../src/capture/index.js';
import { createPipeline } from '../../src/daemons/pipeline.js';
import type { PacketObserver } from '../../src/domain/stage.js';

/** Shows the observer every packet of a capture in its flow, and the ends of all flows. @throws AppError capture.* */
export async function runCapture(observer: PacketObserver, path: string): Promise<void> {
  const pipeline = createPipeline({}, { observers: [observer] });
  const source = await openFileSource(path);
  try {
    await source.run((block) => {
      pipeline.push(block);
    }, new AbortController().signal);
  } finally {
    pipeline.flush();
    source.close();
  }
}
