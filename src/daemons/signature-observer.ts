import { createAppLayer, type AppFlow, type AppLayerInput, type FlowEnds } from '../applayer/index.js';
import type { PacketContent, SignatureEngine } from '../detect/signature/index.js';
import type { AppWatcher, StreamSink } from '../domain/app-layer.js';
import type { Direction, FlowColumns } from '../domain/flow.js';
import { PROTO, TCP, type DecodedPacket } from '../domain/packet.js';
import type { PacketObserver } from '../domain/stage.js';
import { formatIpWords } from '../util/ip.js';
import { createReassembler, type ReassemblyInput } from '../flow/reassembly/index.js';
import { createStreamEvents, type StreamEvents } from '../flow/stream-events/index.js';
import { Carriers } from './carriers.js';

export interface ObserverOptions {
  stream: ReassemblyInput;
  appLayer?: AppLayerInput;
  /** Packets wait for their verdict: none passes unseen. */
  inline?: boolean;
}

const NO_EVENTS: readonly string[] = [];

/** The observer of signatures, with what is known of a flow's application layer. */
export interface SignatureObserver extends PacketObserver {
  appOf(slot: number): AppFlow | undefined;
  /** Bytes of a direction that were handed to parsers and rules so far. */
  judgedBytes(slot: number, direction: Direction): number;
  /** False when the receiver would ignore the packet looked at last. */
  readonly isValid: boolean;
  /** The packets of this direction will no longer be shown. */
  cease(slot: number, direction: Direction, tsUs: number): void;
}

/** Connects reassembly, protocol parsers and rules, so that a packet is judged with what it completed. */
export function observeSignatures(
  engine: SignatureEngine,
  options: ObserverOptions,
  watcher?: AppWatcher,
): SignatureObserver {
  const appLayer = createAppLayer(options.appLayer ?? {});
  const flowsApp: (AppFlow | undefined)[] = [];
  /** By twice the slot plus the direction. */
  const judged: number[] = [];
  const reassembler = createReassembler(options.stream, {
    sinkFor(flows, slot) {
      const ports = { srcPort: flows.srcPort[slot]!, dstPort: flows.dstPort[slot]! };
      const app = appLayer.createFlow('tcp', ports, endsOf(flows, slot));
      flowsApp[slot] = app;
      judged[2 * slot] = judged[2 * slot + 1] = 0;
      return new ConnectionSink(app, engine, slot, judged);
    },
  });
  const content: PacketContent = {
    app: undefined,
    events: reassembler.events,
    isValid: true,
    sentBytes: (slot, direction) => reassembler.sentBytes(slot, direction),
  };
  const carriers = new Carriers();
  let streamEvents: StreamEvents | undefined;
  const passesMidstream = options.stream.midstreamPolicy !== undefined && options.stream.midstreamPolicy !== 'ignore';

  function pushSegment(
    packet: DecodedPacket,
    flows: FlowColumns,
    slot: number,
    direction: Direction,
    isNew: boolean,
  ): void {
    flowsApp[slot]?.sides.settle(direction);
    reassembler.onPacket(packet, flows, slot, direction, isNew);
    if (reassembler.isCopy) engine.onCopy(slot);
    content.isValid = reassembler.isValid;
    content.events = reassembler.events;
    if (!engine.wantsStreamEvents) streamEvents = undefined;
    else {
      streamEvents ??= createStreamEvents(options);
      streamEvents.onPacket(packet, { flows, slot, direction, isNew }, reassembler.events);
      content.events = streamEvents.events;
    }
  }

  /** A datagram is a message of its own. */
  function pushDatagram(packet: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): void {
    const app = (flowsApp[slot] ??= appLayer.createFlow('udp', {
      srcPort: flows.srcPort[slot]!,
      dstPort: flows.dstPort[slot]!,
    }));
    app.onData(direction, packet.data, packet.payloadOffset, packet.payloadLen, 0, packet.tsUs);
    app.sides.settle(direction);
    judged[2 * slot + direction] = (judged[2 * slot + direction] ?? 0) + packet.payloadLen;
  }

  return {
    appOf: (slot) => flowsApp[slot],
    judgedBytes: (slot, direction) => judged[2 * slot + direction] ?? 0,
    get isValid() {
      return content.isValid;
    },
    onPacket(packet, flows, slot, direction, isNew) {
      content.isValid = true;
      content.events = NO_EVENTS;
      if (slot >= 0 && isNew && passesMidstream && isMidstream(packet)) engine.exempt(slot);
      if (slot >= 0 && packet.proto === PROTO.TCP) pushSegment(packet, flows, slot, direction, isNew);
      else if (slot >= 0 && packet.proto === PROTO.UDP && packet.payloadLen > 0)
        pushDatagram(packet, flows, slot, direction);
      content.app = slot < 0 ? undefined : flowsApp[slot];
      const odd = content.app === undefined ? NO_EVENTS : content.app.sides.take();
      if (odd.length > 0) content.events = [...content.events, ...odd];
      if (watcher !== undefined) {
        const transactions = content.app?.transactions;
        if (transactions && transactions.length > 0) watcher.onTransactions(transactions, packet, flows, slot);
      }
      engine.onPacket(packet, flows, slot, direction, content);
      if (packet.tunnelDepth > 0 || packet.lastFragment !== undefined)
        carriers.each(packet, (carrier, index) => {
          engine.onCarrier(carrier, index, content);
        });
    },
    onFlowEnd(flows, slot, reason, nowUs) {
      reassembler.onFlowEnd?.(flows, slot, reason, nowUs);
      streamEvents?.onFlowEnd(flows, slot, reason);
      if (reason === 'active') return;
      content.app = flowsApp[slot];
      engine.onFlowEnd(flows, slot, nowUs, content);
      flowsApp[slot] = undefined;
      judged[2 * slot] = judged[2 * slot + 1] = 0;
    },
    cease: (slot, direction, tsUs) => {
      reassembler.cease(slot, direction, tsUs);
    },
    onTick: (nowUs) => reassembler.onTick?.(nowUs),
    stats: () => ({
      ...reassembler.stats(),
      stream_event_connections: streamEvents?.size ?? 0,
      ...appLayer.stats(),
      ...engine.stats(),
    }),
  };
}

/** The first packet seen of a connection does not open it. */
function isMidstream(packet: DecodedPacket): boolean {
  return packet.proto === PROTO.TCP && (packet.tcpFlags & (TCP.SYN | TCP.ACK)) !== TCP.SYN;
}

/** Addresses of the flow in this slot, while it lasts. */
function endsOf(flows: FlowColumns, slot: number): FlowEnds {
  const text = (column: FlowColumns['srcAddr']): string => {
    const word = (i: number): number => column[4 * slot + i]! >>> 0;
    return formatIpWords(flows.ipVersion[slot]!, word(0), word(1), word(2), word(3));
  };
  return { src: () => text(flows.srcAddr), dst: () => text(flows.dstAddr) };
}

/** The bytes of one connection: to its parser, then to the rules. */
class ConnectionSink implements StreamSink {
  readonly #app: AppFlow;
  readonly #engine: SignatureEngine;
  readonly #slot: number;
  readonly #judged: number[];

  constructor(app: AppFlow, engine: SignatureEngine, slot: number, judged: number[]) {
    this.#app = app;
    this.#engine = engine;
    this.#slot = slot;
    this.#judged = judged;
  }

  onData(direction: Direction, data: Uint8Array, offset: number, length: number, position: number, tsUs: number): void {
    // The bytes that end the handshake still count; what is encrypted tells rules nothing.
    this.#judged[2 * this.#slot + direction]! += length;
    if (this.#app.isEncrypted) {
      this.#app.onData(direction, data, offset, length, position, tsUs);
      return;
    }
    const bytes = offset === 0 && length === data.length ? data : data.subarray(offset, offset + length);
    this.#app.onData(direction, bytes, 0, length, position, tsUs);
    this.#engine.onData(this.#slot, direction, bytes, 0, length, position);
  }

  onGap(direction: Direction, length: number, position: number, tsUs: number): void {
    this.#app.onGap(direction, length, position, tsUs);
    this.#engine.onGap(this.#slot, direction, length, position);
  }

  onEnd(direction: Direction, tsUs: number): void {
    this.#app.onEnd(direction, tsUs);
    this.#engine.onEnd(this.#slot, direction);
  }
}
