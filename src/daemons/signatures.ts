import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAppLayer, type AppFlow } from '../applayer/index.js';
import { installRoot } from '../config/index.js';
import {
  loadRules,
  SignatureEngine,
  type FileProblem,
  type PacketContent,
  type Rule,
  type SignatureOptions as EngineOptions,
} from '../detect/signature/index.js';
import type { Detection } from '../domain/detection.js';
import type { StreamSink } from '../domain/app-layer.js';
import type { Direction, FlowColumns } from '../domain/flow.js';
import { PROTO, type DecodedPacket } from '../domain/packet.js';
import type { PacketObserver } from '../domain/stage.js';
import { createReassembler, type ReassemblyInput } from '../flow/reassembly/index.js';
import { AppError, errorMessage } from '../util/errors.js';

export type SignatureOptions = EngineOptions & { stream: ReassemblyInput };

export interface SignatureDeps {
  emit(detection: Detection): void;
  sensor: string;
}

/** The signature engine as one observer of the packet path. */
export interface Signatures {
  observer: PacketObserver;
  problems: readonly FileProblem[];
  /** Reads the rule files again and swaps the rules; flows keep their state. */
  reload(): readonly FileProblem[];
}

/** Reads rule files and builds the engine behind reassembly and protocol parsers. */
export function createSignatures(options: SignatureOptions, deps: SignatureDeps): Signatures {
  let loaded = readRules(options);
  const engine = new SignatureEngine(loaded.rules, options, deps);
  return {
    observer: observe(engine, options),
    get problems() {
      return loaded.problems;
    },
    reload() {
      loaded = readRules(options);
      engine.setRules(loaded.rules);
      return loaded.problems;
    },
  };
}

/** Connects reassembly, protocol parsers and rules, so that a packet is judged with what it completed. */
function observe(engine: SignatureEngine, options: SignatureOptions): PacketObserver {
  const appLayer = createAppLayer({});
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

function readRules(options: EngineOptions): { rules: Rule[]; problems: FileProblem[] } {
  const files = options.rules.length > 0 ? options.rules : shippedRules();
  const classification = options.classification === undefined ? undefined : readRuleFile(options.classification);
  return loadRules(
    files.map((file) => ({ file, text: readRuleFile(file) })),
    {
      addressVariables: options.addresses,
      portVariables: options.ports,
      classification,
      threshold:
        options.threshold === undefined
          ? undefined
          : { file: options.threshold, text: readRuleFile(options.threshold) },
      maxDatasetEntries: options.maxDatasetEntries,
    },
  );
}

/** Rule files in `policies/rules`. */
export function shippedRules(): string[] {
  const folder = join(installRoot(), 'policies', 'rules');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.rules'))
    .sort()
    .map((name) => join(folder, name));
}

/** Text of a rule or classification file. @throws {AppError} `rules.cannot_read`. */
export function readRuleFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new AppError({
      kind: 'user',
      code: 'rules.cannot_read',
      message: `${file} cannot be read: ${errorMessage(error)}`,
      fix: 'Name a rule file that this user can read.',
      cause: error,
    });
  }
}
