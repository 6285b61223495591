import { openFileSource } from '../src/capture/index.js';
import { createPipeline } from '../src/daemons/pipeline.js';
import type { FlowColumns, FlowRecord } from '../src/domain/flow.js';
import type { PacketObserver } from '../src/domain/stage.js';
import { toFlowRecord } from '../src/flow/index.js';
import { errorCode } from '../src/util/errors.js';

/** One capture and how to label its flows; undefined leaves a flow out. */
export interface LabelledCapture {
  path: string;
  /** Where it comes from: a data set, or a lab run. */
  origin: string;
  labelOf: (flow: FlowRecord) => string | undefined;
}

export interface ReplayOptions {
  observer: PacketObserver;
  /** Each flow at its end, with its label; undefined when it has none. */
  onFlow(label: string | undefined, flows: FlowColumns, slot: number, flow: FlowRecord): void;
  maxFlows?: number;
  /** Lets detectors that speak once a second speak of the last second. */
  tickAtEnd?: boolean;
}

/** Runs one observer over a labelled capture, up to its last whole packet. */
export async function replayLabelled(capture: LabelledCapture, options: ReplayOptions): Promise<void> {
  const pipeline = createPipeline(options.maxFlows === undefined ? {} : { flow: { maxFlows: options.maxFlows } }, {
    observers: [options.observer],
    onFlowEnd(flows, slot) {
      const flow = toFlowRecord(flows, slot, 'active');
      options.onFlow(capture.labelOf(flow), flows, slot, flow);
    },
  });
  const source = await openFileSource(capture.path);
  try {
    await source.run((block) => pipeline.push(block), new AbortController().signal);
  } catch (error) {
    if (errorCode(error) !== 'capture.truncated') throw error;
  } finally {
    source.close();
    if (options.tickAtEnd === true) pipeline.tick(pipeline.nowUs + 1e6);
    pipeline.flush();
  }
}
