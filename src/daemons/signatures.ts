import { createAppLayer, type AppFlow, type AppLayerInput } from '../applayer/index.js';
import {
  loadRules,
  loadRulesGradually,
  SignatureEngine,
  type FileProblem,
  type PacketContent,
  type SignatureOptions as EngineOptions,
} from '../detect/signature/index.js';
import type { Detection } from '../domain/detection.js';
import type { StreamSink } from '../domain/app-layer.js';
import type { Direction, FlowColumns } from '../domain/flow.js';
import { PROTO, type DecodedPacket } from '../domain/packet.js';
import type { PacketObserver } from '../domain/stage.js';
import { createReassembler, type ReassemblyInput } from '../flow/reassembly/index.js';
import { readConfiguredRules } from './rule-files.js';

export { readRuleFile, shippedRules } from './rule-files.js';

export type SignatureOptions = EngineOptions & { stream: ReassemblyInput; appLayer?: AppLayerInput };

export interface SignatureDeps {
  emit(detection: Detection): void;
  sensor: string;
}

/** The signature engine as one observer of the packet path. */
export interface Signatures {
  observer: PacketObserver;
  problems: readonly FileProblem[];
  /** Reads the rule files again while packets go on, then swaps the rules at once; flows keep their state. */
  reload(): Promise<readonly FileProblem[]>;
}

/** Reads rule files and builds the engine behind reassembly and protocol parsers. */
export function createSignatures(options: SignatureOptions, deps: SignatureDeps): Signatures {
  const first = readConfiguredRules(options);
  const loaded = loadRules(first.files, first.load);
  const engine = new SignatureEngine(loaded.rules, options, deps);
  let problems = [...first.problems, ...loaded.problems];
  return {
    observer: observe(engine, options),
    get problems() {
      return problems;
    },
    async reload() {
      const read = readConfiguredRules(options);
      const { rules, problems: found } = await loadRulesGradually(read.files, read.load);
      engine.setRules(rules);
      problems = [...read.problems, ...found];
      return problems;
    },
  };
}

/** Connects reassembly, protocol parsers and rules, so that a packet is judged with what it completed. */
function observe(engine: SignatureEngine, options: SignatureOptions): PacketObserver {
  const appLayer = createAppLayer(options.appLayer ?? {});
  const flowsApp: (AppFlow | undefined)[] = [];
  const reassembler = createReassembler(options.stream, {
    sinkFor(flows, slot) {
      const app = appLayer.createFlow('tcp', { srcPort: flows.srcPort[slot]!, dstPort: flows.dstPort[slot]! });
      flowsApp[slot] = app;
      return tee(app, engine.sinkFor(slot));
    },
  });
  const content: PacketContent = {
    app: undefined,
    events: reassembler.events,
    isValid: true,
    sentBytes: (slot, direction) => reassembler.sentBytes(slot, direction),
  };

  /** A datagram is a message of its own. */
  function pushDatagram(packet: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): void {
    const app = (flowsApp[slot] ??= appLayer.createFlow('udp', {
      srcPort: flows.srcPort[slot]!,
      dstPort: flows.dstPort[slot]!,
    }));
    app.onData(direction, packet.data, packet.payloadOffset, packet.payloadLen, 0, packet.tsUs);
  }

  return {
    onPacket(packet, flows, slot, direction, isNew) {
      content.isValid = true;
      if (slot >= 0 && packet.proto === PROTO.TCP) {
        reassembler.onPacket(packet, flows, slot, direction, isNew);
        content.isValid = reassembler.isValid;
      } else if (slot >= 0 && packet.proto === PROTO.UDP && packet.payloadLen > 0)
        pushDatagram(packet, flows, slot, direction);
      content.app = slot < 0 ? undefined : flowsApp[slot];
      engine.onPacket(packet, flows, slot, direction, content);
    },
    onFlowEnd(flows, slot, reason, nowUs) {
      reassembler.onFlowEnd?.(flows, slot, reason, nowUs);
      if (reason === 'active') return;
      content.app = flowsApp[slot];
      engine.onFlowEnd(flows, slot, nowUs, content);
      flowsApp[slot] = undefined;
    },
    onTick: (nowUs) => reassembler.onTick?.(nowUs),
    stats: () => ({ ...reassembler.stats(), ...appLayer.stats(), ...engine.stats() }),
  };
}

function tee(first: StreamSink, second: StreamSink): StreamSink {
  return {
    onData(direction, data, offset, length, position, tsUs) {
      first.onData(direction, data, offset, length, position, tsUs);
      second.onData(direction, data, offset, length, position, tsUs);
    },
    onGap(direction, length, position, tsUs) {
      first.onGap(direction, length, position, tsUs);
      second.onGap(direction, length, position, tsUs);
    },
    onEnd(direction, tsUs) {
      first.onEnd(direction, tsUs);
      second.onEnd(direction, tsUs);
    },
  };
}
