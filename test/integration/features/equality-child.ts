import { openFileSource, openPcapWriter, openSource } from '../../../src/capture/index.js';
import { createPipeline } from '../../../src/daemons/pipeline.js';
import { LINK } from '../../../src/domain/packet.js';
import {
  createFlowFeatures,
  createKddFeatures,
  flowFeatureOptionsSchema,
  kddFeatureOptionsSchema,
  type EmitVector,
} from '../../../src/features/index.js';
import { toFlowRecord } from '../../../src/flow/index.js';

/**
 * Captures live until standard input ends, writing the packets to a file beside computing flows and features; then reads
 * the file. Prints both results. Arguments: interface, file.
 */
const [interfaceName = '', file = ''] = process.argv.slice(2);

/** Flows and vectors in the order they came; ids differ between runs and are left out. */
function createRun() {
  const vectors: string[] = [];
  const flows: string[] = [];
  const emit: EmitVector = (vector, _packet, columns, slot, moment) => {
    const { communityId } = toFlowRecord(columns, slot, 'active');
    vectors.push(`${moment} ${communityId} ${vector.schema} ${[...vector.values].join(',')}`);
  };
  const pipeline = createPipeline(
    {},
    {
      observers: [
        createFlowFeatures(flowFeatureOptionsSchema.parse({}), { emit }),
        createKddFeatures(kddFeatureOptionsSchema.parse({}), { emit }),
      ],
      onFlowEnd(columns, slot, reason) {
        const { flowId: _id, ...flow } = toFlowRecord(columns, slot, reason);
        flows.push(JSON.stringify(flow));
      },
    },
  );
  return { pipeline, result: () => ({ packets: pipeline.packets, flows, vectors }) };
}

const live = createRun();
const writer = openPcapWriter(file, LINK.ETHERNET, { nanoseconds: true });
const source = await openSource({ kind: 'afpacket', interface: interfaceName });
const stop = new AbortController();
process.stdin.on('end', () => {
  stop.abort();
});
process.stdin.resume();
process.stdout.write('ready\n');
await source.run((block) => {
  for (let i = 0; i < block.count; i++) writer.write(block, i);
  live.pipeline.push(block);
}, stop.signal);
live.pipeline.flush();
const { kernelDrops } = source.stats();
source.close();
writer.close();

const offline = createRun();
const reader = await openFileSource(file);
await reader.run((block) => {
  offline.pipeline.push(block);
}, new AbortController().signal);
reader.close();
offline.pipeline.flush();
process.stdout.write(`${JSON.stringify({ kernelDrops, live: live.result(), offline: offline.result() })}\n`);
