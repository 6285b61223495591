import type { StreamSink } from '../../../../src/domain/app-layer.js';
import { FWD, type Direction, type FlowColumns } from '../../../../src/domain/flow.js';
import { DecodedPacket, PROTO, TCP } from '../../../../src/domain/packet.js';
import { createReassembler, type ReassemblyInput } from '../../../../src/flow/reassembly/index.js';

export interface Segment {
  flags?: number;
  seq: number;
  ack?: number;
  data?: string | Uint8Array;
  window?: number;
  /** Timestamp option: value and echo. */
  timestamps?: readonly [number, number];
}

/** A reassembler with one connection, and a note of everything it hands on. */
export function tcpBench(options: ReassemblyInput = {}) {
  const notes: string[] = [];
  const text = ['', ''];
  const events: string[] = [];
  const sink: StreamSink = {
    onData(direction, data, offset, length, position) {
      const bytes = Buffer.from(data.subarray(offset, offset + length)).toString('latin1');
      if (position !== text[direction]!.length) throw new Error(`position ${position}, not ${text[direction]!.length}`);
      text[direction] += bytes;
      notes.push(`${direction}:${bytes}`);
    },
    onGap(direction, length) {
      text[direction] += '?'.repeat(length);
      notes.push(`${direction}:gap ${length}`);
    },
    onEnd(direction) {
      notes.push(`${direction}:end`);
    },
  };
  const reassembler = createReassembler(options, { sinkFor: () => sink });
  const flows = {} as FlowColumns;
  let count = 0;
  const send = (direction: Direction, s: Segment): void => {
    const p = new DecodedPacket();
    const bytes = typeof s.data === 'string' ? Buffer.from(s.data, 'latin1') : (s.data ?? new Uint8Array(0));
    p.proto = PROTO.TCP;
    p.ipVersion = 4;
    p.tsUs = 1e15 + count;
    p.tcpFlags = s.flags ?? TCP.ACK;
    p.seq = s.seq >>> 0;
    p.ack = (s.ack ?? 0) >>> 0;
    p.window = s.window ?? 65535;
    p.data = Buffer.from([...Array<number>(40).fill(0xee), ...bytes]);
    if (s.timestamps !== undefined) {
      p.tcpOptionsOffset = 20;
      p.tcpOptionsLen = 12;
      p.data.set([1, 1, 8, 10], 20);
      Buffer.from(p.data.buffer, p.data.byteOffset).writeUInt32BE(s.timestamps[0], 24);
      Buffer.from(p.data.buffer, p.data.byteOffset).writeUInt32BE(s.timestamps[1], 28);
    }
    p.payloadOffset = 40;
    p.payloadLen = bytes.length;
    reassembler.onPacket(p, flows, 0, direction, count++ === 0);
    // The bytes belong to the decoder: nobody may look at them later.
    p.data.fill(0xdd);
    events.push(...reassembler.events);
  };
  return {
    notes,
    text,
    events,
    send,
    reassembler,
    handshake(clientSeq = 1000, serverSeq = 5000): void {
      send(FWD, { flags: TCP.SYN, seq: clientSeq - 1 });
      send(1, { flags: TCP.SYN | TCP.ACK, seq: serverSeq - 1, ack: clientSeq });
      send(FWD, { seq: clientSeq, ack: serverSeq });
    },
    end(): void {
      reassembler.onFlowEnd?.(flows, 0, 'idle', 2e15);
    },
  };
}
