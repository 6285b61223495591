import { openFileSource } from '../../capture/index.js';
import type { LoadedConfig } from '../../config/index.js';
import { createCorrelator } from '../../correlate/index.js';
import type { Alert } from '../../domain/alert.js';
import type { FlowRecord } from '../../domain/flow.js';
import { toFlowRecord } from '../../flow/index.js';
import { silentLogger } from '../../util/logger.js';
import { uuid7 } from '../../util/uuid7.js';
import { createDetectors } from '../detectors.js';
import { createPipeline } from '../pipeline.js';

/** What the live detectors make of captures, in the order in which it happens in them. */
export interface CaptureSink {
  flow(flow: FlowRecord): void;
  alert(alert: Alert): void;
  packets(count: number): void;
}

/**
 * Runs captures through decoder, detectors and correlator as live.
 * @param models folder of the model to use instead of the configured ones.
 */
export async function readCaptures(
  config: LoadedConfig,
  files: readonly string[],
  models: string | undefined,
  sink: CaptureSink,
): Promise<void> {
  const own = { ...config.detect.models, ...(models === undefined ? {} : { enabled: true, models: [models] }) };
  for (const file of files) {
    const correlator = createCorrelator(config.correlate, {
      newId: uuid7,
      emit: ({ alert }) => sink.alert({ ...alert }),
    });
    const detectors = await createDetectors(
      { ...config, detect: { ...config.detect, models: own } },
      { emit: (d) => correlator.push(d), log: silentLogger, sensor: config.name, offline: true },
    );
    try {
      const pipeline = createPipeline(config, {
        observers: detectors.observers,
        onFlowEnd: (flows, slot, reason) => sink.flow(toFlowRecord(flows, slot, reason)),
      });
      const source = await openFileSource(file);
      await source.run((block) => {
        pipeline.push(block);
        sink.packets(block.count);
      }, new AbortController().signal);
      pipeline.flush();
      await detectors.drain();
      correlator.tick(pipeline.nowUs / 1000 + 3_600_000);
    } finally {
      await detectors.close();
    }
  }
}
