import type { Direction, FlowColumns } from '../../../src/domain/flow.js';
import { DecodedPacket, PROTO } from '../../../src/domain/packet.js';
import type { PacketObserver } from '../../../src/domain/stage.js';
import { parseIp } from '../../../src/util/ip.js';

/** A base time for made-up traffic: 2025-01-01T00:00:00Z in microseconds. */
export const T0 = 1_735_689_600_000_000;

export interface PacketFields {
  /** Seconds after {@link T0}. */
  at?: number;
  src?: string;
  dst?: string;
  proto?: number;
  sport?: number;
  dport?: number;
  flags?: number;
  /** Payload text or number of bytes. */
  payload?: string | Uint8Array | number;
  seq?: number;
  ack?: number;
  window?: number;
  ttl?: number;
  icmpType?: number;
  icmpCode?: number;
  icmpId?: number;
  ipId?: number;
  fragOffset?: number;
  moreFragments?: boolean;
}

const L4_HEADER: Readonly<Record<number, number>> = {
  [PROTO.TCP]: 20,
  [PROTO.UDP]: 8,
  [PROTO.ICMP]: 8,
  [PROTO.ICMPV6]: 8,
};

function payloadBytes(payload: PacketFields['payload']): Uint8Array {
  if (typeof payload === 'string') return new TextEncoder().encode(payload);
  if (typeof payload === 'number') return new Uint8Array(payload).fill(0x78);
  return payload ?? new Uint8Array(0);
}

/** A decoded IP packet with the given fields; TCP from 10.0.0.1:40000 to 10.0.0.2:80 unless said otherwise. */
export function packet(fields: PacketFields = {}): DecodedPacket {
  const p = new DecodedPacket();
  const src = parseIp(fields.src ?? '10.0.0.1');
  const dst = parseIp(fields.dst ?? '10.0.0.2');
  if (!src || !dst) throw new Error(`not an address: ${fields.src} or ${fields.dst}`);
  const proto = fields.proto ?? PROTO.TCP;
  const payload = payloadBytes(fields.payload);
  const ipHeader = src.version === 4 ? 20 : 40;
  const l4Header = L4_HEADER[proto] ?? 0;
  const frame = new Uint8Array(14 + ipHeader + l4Header + payload.length);
  frame.set(payload, 14 + ipHeader + l4Header);
  p.data = frame;
  p.number = 1;
  p.tsUs = T0 + (fields.at ?? 0) * 1e6;
  p.srcMacOffset = 6;
  p.etherType = src.version === 4 ? 0x0800 : 0x86dd;
  p.capLen = p.wireLen = frame.length;
  p.ipVersion = src.version;
  [p.src0, p.src1, p.src2, p.src3] = src.words;
  [p.dst0, p.dst1, p.dst2, p.dst3] = dst.words;
  p.proto = proto;
  p.ttl = fields.ttl ?? 64;
  p.ipId = fields.ipId ?? 0;
  p.ipOffset = 14;
  p.ipLen = p.ipTotalLen = frame.length - 14;
  p.ipFlags = fields.moreFragments ? 1 : 0;
  p.fragOffset = fields.fragOffset ?? 0;
  p.isFragment = p.fragOffset > 0 || p.ipFlags === 1;
  p.l4Offset = 14 + ipHeader;
  const ports = proto === PROTO.TCP || proto === PROTO.UDP;
  p.srcPort = ports ? (fields.sport ?? 40_000) : 0;
  p.dstPort = ports ? (fields.dport ?? 80) : 0;
  p.tcpFlags = proto === PROTO.TCP ? (fields.flags ?? 0) : 0;
  p.seq = fields.seq ?? 0;
  p.ack = fields.ack ?? 0;
  p.window = fields.window ?? 64_240;
  p.icmpType = fields.icmpType ?? 0;
  p.icmpCode = fields.icmpCode ?? 0;
  p.icmpId = fields.icmpId ?? 0;
  p.payloadOffset = 14 + ipHeader + l4Header;
  p.payloadLen = payload.length;
  return p;
}

/** A decoded ARP packet; MAC addresses as six-byte arrays. */
export function arpPacket(fields: {
  at?: number;
  op: number;
  senderIp: string;
  targetIp: string;
  senderMac?: readonly number[];
  /** Sent to every station instead of one. */
  toAll?: boolean;
}): DecodedPacket {
  const p = new DecodedPacket();
  const mac = fields.senderMac ?? [2, 0, 0, 0, 0, 1];
  p.data = new Uint8Array(60);
  if (fields.toAll === true) p.data.fill(0xff, 0, 6);
  p.data.set(mac, 6);
  p.data.set(mac, 22);
  p.tsUs = T0 + (fields.at ?? 0) * 1e6;
  p.etherType = 0x0806;
  p.srcMacOffset = 6;
  p.capLen = p.wireLen = 60;
  p.arpOp = fields.op;
  p.arpSenderMacOffset = 22;
  p.arpTargetMacOffset = 32;
  p.src3 = parseIp(fields.senderIp)!.words[3];
  p.dst3 = parseIp(fields.targetIp)!.words[3];
  return p;
}

/** A plain flow table for tests: one flow a 5-tuple, ended only when told. */
export class TestFlows implements FlowColumns {
  capacity: number;
  flowId: Float64Array;
  proto: Uint8Array;
  ipVersion: Uint8Array;
  srcAddr: Uint32Array;
  dstAddr: Uint32Array;
  srcPort: Uint16Array;
  dstPort: Uint16Array;
  startUs: Float64Array;
  lastUs: Float64Array;
  packetsFwd: Uint32Array;
  packetsBwd: Uint32Array;
  bytesFwd: Float64Array;
  bytesBwd: Float64Array;
  payloadFwd: Float64Array;
  payloadBwd: Float64Array;
  tcpFlagsFwd: Uint8Array;
  tcpFlagsBwd: Uint8Array;
  tcpState: Uint8Array;
  handshakePackets: Uint32Array;
  slot = -1;
  direction: Direction = 0;
  isNew = false;
  private readonly byKey = new Map<string, number>();
  private readonly keys: string[] = [];
  private readonly free: number[] = [];
  private nextId = 1;

  constructor(capacity = 16) {
    this.capacity = capacity;
    this.flowId = new Float64Array(capacity);
    this.proto = new Uint8Array(capacity);
    this.ipVersion = new Uint8Array(capacity);
    this.srcAddr = new Uint32Array(4 * capacity);
    this.dstAddr = new Uint32Array(4 * capacity);
    this.srcPort = new Uint16Array(capacity);
    this.dstPort = new Uint16Array(capacity);
    this.startUs = new Float64Array(capacity);
    this.lastUs = new Float64Array(capacity);
    this.packetsFwd = new Uint32Array(capacity);
    this.packetsBwd = new Uint32Array(capacity);
    this.bytesFwd = new Float64Array(capacity);
    this.bytesBwd = new Float64Array(capacity);
    this.payloadFwd = new Float64Array(capacity);
    this.payloadBwd = new Float64Array(capacity);
    this.tcpFlagsFwd = new Uint8Array(capacity);
    this.tcpFlagsBwd = new Uint8Array(capacity);
    this.tcpState = new Uint8Array(capacity);
    this.handshakePackets = new Uint32Array(capacity);
    for (let i = capacity - 1; i >= 0; i--) this.free.push(i);
  }

  private static key(p: DecodedPacket, forward: boolean): string {
    const src = [p.src0, p.src1, p.src2, p.src3, p.srcPort].join();
    const dst = [p.dst0, p.dst1, p.dst2, p.dst3, p.dstPort].join();
    return `${p.proto} ${forward ? src : dst} ${forward ? dst : src} ${p.icmpId}`;
  }

  push(p: DecodedPacket): number {
    if (p.ipVersion === 0) {
      this.slot = -1;
      this.isNew = false;
      return -1;
    }
    const fwd = this.byKey.get(TestFlows.key(p, true));
    const bwd = this.byKey.get(TestFlows.key(p, false));
    this.isNew = fwd === undefined && bwd === undefined;
    this.direction = fwd === undefined && bwd !== undefined ? 1 : 0;
    const slot = this.isNew ? this.open(p) : (fwd ?? bwd)!;
    this.slot = slot;
    this.lastUs[slot] = p.tsUs;
    const columns =
      this.direction === 0
        ? ([this.packetsFwd, this.bytesFwd, this.payloadFwd, this.tcpFlagsFwd] as const)
        : ([this.packetsBwd, this.bytesBwd, this.payloadBwd, this.tcpFlagsBwd] as const);
    columns[0][slot]! += 1;
    columns[1][slot]! += p.ipLen;
    columns[2][slot]! += p.payloadLen;
    columns[3][slot]! |= p.tcpFlags;
    return slot;
  }

  private open(p: DecodedPacket): number {
    if (this.free.length === 0) this.grow();
    const slot = this.free.pop()!;
    this.byKey.set(TestFlows.key(p, true), slot);
    this.keys[slot] = TestFlows.key(p, true);
    this.flowId[slot] = this.nextId++;
    this.proto[slot] = p.proto;
    this.ipVersion[slot] = p.ipVersion;
    this.srcAddr.set([p.src0, p.src1, p.src2, p.src3], 4 * slot);
    this.dstAddr.set([p.dst0, p.dst1, p.dst2, p.dst3], 4 * slot);
    this.srcPort[slot] = p.srcPort;
    this.dstPort[slot] = p.dstPort;
    this.startUs[slot] = p.tsUs;
    for (const column of [
      this.packetsFwd,
      this.packetsBwd,
      this.bytesFwd,
      this.bytesBwd,
      this.payloadFwd,
      this.handshakePackets,
    ])
      column[slot] = 0;
    for (const column of [this.payloadBwd, this.tcpFlagsFwd, this.tcpFlagsBwd, this.tcpState]) column[slot] = 0;
    return slot;
  }

  private grow(): void {
    const bigger = new TestFlows(this.capacity * 2);
    for (const name of Object.keys(bigger) as (keyof TestFlows)[]) {
      const column = bigger[name];
      if (ArrayBuffer.isView(column)) {
        (column as Float64Array).set(this[name] as Float64Array);
        (this as Record<string, unknown>)[name] = column;
      }
    }
    for (let i = bigger.capacity - 1; i >= this.capacity; i--) this.free.push(i);
    this.capacity = bigger.capacity;
  }

  close(slot: number): void {
    this.byKey.delete(this.keys[slot]!);
    this.free.push(slot);
  }

  /** Slots of the flows that are open, in the order they began. */
  openSlots(): number[] {
    return [...this.byKey.values()];
  }
}

/** Feeds packets to observers as the pipeline does. */
export class Feed {
  readonly flows: TestFlows;
  nowUs = T0;
  private nextTickUs = T0;
  private readonly observers: readonly PacketObserver[];

  constructor(...observers: PacketObserver[]) {
    this.observers = observers;
    this.flows = new TestFlows();
  }

  /** @returns the packet's slot. */
  push(p: DecodedPacket): number {
    this.tickTo(p.tsUs);
    this.nowUs = p.tsUs;
    this.flows.push(p);
    for (const o of this.observers) o.onPacket(p, this.flows, this.flows.slot, this.flows.direction, this.flows.isNew);
    return this.flows.slot;
  }

  /** Moves the clock with ticks, ten a second, at most 100 of them. */
  tickTo(us: number): void {
    if (us - this.nextTickUs > 10_000_000) this.nextTickUs = us - 10_000_000;
    for (; this.nextTickUs <= us; this.nextTickUs += 100_000) {
      for (const o of this.observers) o.onTick?.(this.nextTickUs);
    }
    this.nowUs = Math.max(this.nowUs, us);
  }

  end(slot: number, reason: 'closed' | 'idle' | 'reset' | 'shutdown' = 'closed'): void {
    for (const o of this.observers) o.onFlowEnd?.(this.flows, slot, reason, this.nowUs);
    this.flows.close(slot);
  }

  /** Ends every open flow, as at shutdown. */
  endAll(): void {
    for (const slot of this.flows.openSlots()) this.end(slot, 'shutdown');
  }
}
