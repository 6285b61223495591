import { createOutbox } from '../../bus/index.js';
import type { LoadedConfig } from '../../config/index.js';
import { createBehaviour } from '../../detect/behaviour/index.js';
import { TCP } from '../../domain/packet.js';
import { createFlowFeatures } from '../../features/index.js';
import { nowUs } from '../../util/clock.js';
import { createPipeline } from '../pipeline.js';
import { createDetectionGate } from './detection-gate.js';
import { blockOf } from './injection.js';
import { tcpFrame } from './test-packets.js';

const PORTS = 60;
const GAP_US = 200;
const VICTIM = '198.19.0.1';
const SMALL = { maxFlows: 4096, maxSources: 1024, maxTargets: 1024, maxNetworks: 256, maxPending: 4096 };

/**
 * Shows made-up scans to a packet path and behaviours of their own, whose findings go nowhere: the first real attack is
 * then not the first that the compiler sees, which would take several times as long. Addresses are those of benchmarks
 * (RFC 2544).
 * @returns detections made: at least one a round when port scans are looked for.
 */
export function warmUpSensor(
  config: Pick<LoadedConfig, 'decode' | 'defrag' | 'flow' | 'features' | 'detect'>,
  rounds: number,
): number {
  const outbox = createOutbox(1 << 20);
  let detections = 0;
  const gate = createDetectionGate({ intervalUs: 250_000, maxKeys: 1000 }, (detection) => {
    detections++;
    outbox.push({ type: 'detection', ...detection });
  });
  const { enabled, ...behaviour } = config.detect.behaviour;
  const small = { ...behaviour, ...SMALL, baseline: { ...behaviour.baseline, enabled: false } };
  const observers = [createFlowFeatures({ ...config.features, maxPendingFlows: 4096 }, { emit: () => undefined })];
  if (enabled) observers.push(createBehaviour(small, { emit: gate.push, sensor: 'warm-up', nowUs }));
  const pipeline = createPipeline(
    { decode: config.decode, defrag: config.defrag, flow: { ...config.flow, maxFlows: SMALL.maxFlows } },
    { observers },
  );
  let atUs = nowUs() - rounds * PORTS * 2 * GAP_US;
  for (let round = 0; round < rounds; round++) {
    const block = blockOf(scanOf(`198.18.${(round >> 8) & 0xff}.${round & 0xff}`), atUs, GAP_US);
    pipeline.push(block);
    atUs += block.count * GAP_US;
  }
  pipeline.flush();
  return detections;
}

/** Attempts on many ports, each refused. */
function scanOf(source: string): Uint8Array[] {
  return Array.from({ length: PORTS }, (_, i) => 1 + i * 7).flatMap((port) => {
    const srcPort = 41_000 + port;
    return [
      tcpFrame({ src: source, dst: VICTIM, srcPort, dstPort: port, flags: TCP.SYN, seq: 7 }),
      tcpFrame({ src: VICTIM, dst: source, srcPort: port, dstPort: srcPort, flags: TCP.RST | TCP.ACK, ack: 8 }),
    ];
  });
}
