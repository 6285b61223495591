import type { Detection } from '../../../src/domain/detection.js';
import { PROTO, TCP, type DecodedPacket } from '../../../src/domain/packet.js';
import type { PacketObserver } from '../../../src/domain/stage.js';
import { createFlowTable } from '../../../src/flow/index.js';
import { behaviourOptionsSchema, createBehaviour } from '../../../src/detect/behaviour/index.js';
import { arpPacket, packet, T0, type PacketFields } from './packets.js';

/** Behaviour detectors over the product's own flow table, fed with made-up packets. */
export class Replay {
  readonly detections: Detection[] = [];
  readonly observer: PacketObserver;
  private readonly table: ReturnType<typeof createFlowTable>;
  private readonly twice: boolean;
  private nextTickUs = T0;
  private nowUs = T0;

  /** @param twice show every packet twice, as a mirror port on a router does. */
  constructor(options: object = {}, twice = false) {
    this.twice = twice;
    this.observer = createBehaviour(behaviourOptionsSchema.parse(options), { emit: (d) => this.detections.push(d) });
    this.table = createFlowTable(
      { maxFlows: 65_536 },
      { onEnd: (flows, slot, reason, nowUs) => this.observer.onFlowEnd?.(flows, slot, reason, nowUs) },
    );
  }

  push(...packets: DecodedPacket[]): void {
    for (const p of packets) {
      this.tickTo(p.tsUs);
      for (let n = 0; n < (this.twice ? 2 : 1); n++) {
        const slot = this.table.push(p);
        this.observer.onPacket(p, this.table, slot, this.table.direction, slot >= 0 && this.table.isNew);
      }
    }
  }

  private tickTo(us: number): void {
    if (us - this.nextTickUs > 60_000_000) this.nextTickUs = us - 60_000_000;
    for (; this.nextTickUs <= us; this.nextTickUs += 100_000) {
      this.table.tick(this.nextTickUs);
      this.observer.onTick?.(this.nextTickUs);
    }
    this.nowUs = Math.max(this.nowUs, us);
  }

  /** Lets time pass. */
  wait(secs: number): void {
    this.tickTo(this.nowUs + secs * 1e6);
  }

  labels(): string[] {
    return [...new Set(this.detections.map((d) => d.label))].sort();
  }

  arp(fields: Parameters<typeof arpPacket>[0]): void {
    this.push(arpPacket(fields));
  }
}

export interface Talk extends PacketFields {
  at: number;
}

const SYN_ACK = TCP.SYN | TCP.ACK;
const DATA = TCP.PSH | TCP.ACK;

/** The answer to a packet with these fields. */
export function back(f: Talk): Talk {
  return { ...f, src: f.dst ?? '10.0.0.2', dst: f.src ?? '10.0.0.1', sport: f.dport ?? 80, dport: f.sport ?? 40_000 };
}

/** SYN, SYN-ACK and ACK. */
export function handshake(f: Talk): DecodedPacket[] {
  return [
    packet({ ...f, flags: TCP.SYN, seq: 100 }),
    packet({ ...back(f), at: f.at + 0.001, flags: SYN_ACK, seq: 500, ack: 101 }),
    packet({ ...f, at: f.at + 0.002, flags: TCP.ACK, seq: 101, ack: 501 }),
  ];
}

/** A whole connection: payloads by turns, beginning with the client unless `serverFirst`, then FIN both ways. */
export function connection(
  f: Talk,
  turns: (string | number)[],
  options: { serverFirst?: boolean; gap?: number } = {},
): DecodedPacket[] {
  const gap = options.gap ?? 0.005;
  const out = handshake(f);
  let at = f.at + 0.003;
  let fromClient = options.serverFirst !== true;
  for (const payload of turns) {
    const ends = fromClient ? f : back(f);
    out.push(packet({ ...ends, at, flags: DATA, payload, ack: 501 }));
    fromClient = !fromClient;
    at += gap;
  }
  out.push(packet({ ...f, at, flags: TCP.FIN | TCP.ACK, ack: 501 }));
  out.push(packet({ ...back(f), at: at + 0.001, flags: TCP.FIN | TCP.ACK }));
  return out;
}

/** A question for a name of type A, or its answer with the given code. */
export function dnsPayload(name: string, answer?: number): Uint8Array {
  const labels = name.split('.').flatMap((l) => [l.length, ...new TextEncoder().encode(l)]);
  const flags = answer === undefined ? [1, 0] : [0x81, 0x80 | answer];
  return Uint8Array.from([0, 7, ...flags, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]);
}

export const UDP = PROTO.UDP;
