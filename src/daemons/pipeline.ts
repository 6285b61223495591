import { createDecoder, type DecodeInput } from '../decode/index.js';
import type { FlowColumns, FlowEndReason } from '../domain/flow.js';
import { DecodedPacket, type PacketBlock } from '../domain/packet.js';
import type { PacketObserver } from '../domain/stage.js';
import {
  createDefragmenter,
  createFlowTable,
  REPEATED,
  type DefragInput,
  type FlowInput,
  type WholePacket,
} from '../flow/index.js';

/** Numbers that a pipeline keeps. */
const PACKETS = 0;
const BYTES = 1;
const NOW_US = 2;
const NEXT_TICK_US = 3;
const TICK_US = 100_000;

export interface PipelineOptions {
  decode?: DecodeInput;
  defrag?: DefragInput;
  flow?: FlowInput;
}

export interface PipelineDeps {
  /** See each packet in this order, after the flow table. */
  observers: readonly PacketObserver[];
  /** A flow ends; called after the observers' own `onFlowEnd`. */
  onFlowEnd?: (flows: FlowColumns, slot: number, reason: FlowEndReason, nowUs: number) => void;
}

/** Bytes to flows to observers: the one wiring of the packet path, live and offline. */
export interface Pipeline {
  push(block: PacketBlock): void;
  /** Moves time on while no packet comes; never backwards. */
  tick(nowUs: number): void;
  /** Ends every flow. */
  flush(): void;
  readonly packets: number;
  readonly bytes: number;
  /** Time of the newest packet or tick, microseconds since the epoch. */
  readonly nowUs: number;
  /** Counters of every stage, prefixed by the stage. */
  stats(): Record<string, number>;
}

export function createPipeline(options: PipelineOptions, deps: PipelineDeps): Pipeline {
  const { observers } = deps;
  const decoder = createDecoder(options.decode ?? {});
  const defrag = createDefragmenter(options.defrag ?? {});
  const flows = createFlowTable(options.flow ?? {}, {
    onEnd(columns, slot, reason, nowUs) {
      for (const observer of observers) observer.onFlowEnd?.(columns, slot, reason, nowUs);
      deps.onFlowEnd?.(columns, slot, reason, nowUs);
    },
  });
  const packet = new DecodedPacket();
  const whole: WholePacket = { data: new Uint8Array(0), offset: 0, length: 0 };
  // By index below. Large numbers in variables of a closure would be allocated anew with each packet.
  const seen = new Float64Array(4);

  function tick(atUs: number): void {
    if (atUs < seen[NEXT_TICK_US]!) return;
    seen[NEXT_TICK_US] = atUs + TICK_US;
    flows.tick(atUs);
    for (const observer of observers) observer.onTick?.(atUs);
  }

  /** Puts fragments together; true when `packet` now is the whole packet. */
  function reassembled(): boolean {
    const outcome = defrag.push(packet, whole);
    if (outcome === 'complete') {
      const { data, frameOffset: offset, capLen: length, linkType } = packet;
      const last = { data, offset, length, linkType };
      decoder.decodeIp(whole.data, whole.offset, whole.length, packet);
      packet.lastFragment = last;
    }
    return outcome !== 'held';
  }

  return {
    push(block) {
      for (let i = 0; i < block.count; i++) {
        decoder.decode(block, i, packet);
        seen[PACKETS]!++;
        seen[BYTES]! += packet.wireLen;
        if (packet.tsUs > seen[NOW_US]!) {
          seen[NOW_US] = packet.tsUs;
          if (packet.tsUs >= seen[NEXT_TICK_US]!) tick(packet.tsUs);
        }
        const slot = packet.isFragment && !reassembled() ? -1 : flows.push(packet);
        if (slot === REPEATED) continue;
        const direction = slot < 0 ? 0 : flows.direction;
        const isNew = slot >= 0 && flows.isNew;
        for (let k = 0; k < observers.length; k++) observers[k]!.onPacket(packet, flows, slot, direction, isNew);
      }
    },
    tick(atUs) {
      if (atUs > seen[NOW_US]!) seen[NOW_US] = atUs;
      tick(seen[NOW_US]!);
    },
    flush() {
      flows.flush(seen[NOW_US]!);
    },
    get packets() {
      return seen[PACKETS]!;
    },
    get bytes() {
      return seen[BYTES]!;
    },
    get nowUs() {
      return seen[NOW_US]!;
    },
    stats() {
      const all: Record<string, number> = {};
      const add = (prefix: string, stats: Record<string, number>): void => {
        for (const [name, value] of Object.entries(stats)) all[`${prefix}_${name}`] = value;
      };
      add('decode', decoder.stats());
      add('defrag', defrag.stats());
      add('flow', flows.stats());
      for (const observer of observers) Object.assign(all, observer.stats());
      return all;
    },
  };
}
