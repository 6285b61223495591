import type { Direction, FlowColumns } from '../../domain/flow.js';
import type { DecodedPacket } from '../../domain/packet.js';
import { hashWords } from './address-table.js';
import { hashAt } from './contacts.js';
import { INSIDE, type FlowMoment } from './detector.js';
import type { HomeNetworks } from './home-networks.js';

/** A moment to be reused: each decision sets all of it. */
export function newMoment(): FlowMoment {
  return {
    flows: null as unknown as FlowColumns,
    slot: 0,
    nowUs: 0,
    packetUs: 0,
    packetNumber: 0,
    technique: 0,
    packet: undefined,
    direction: 0,
    src: 0,
    dst: 0,
    inside: 0,
    source: -1,
  };
}

/** Time decided: the flow's last packet stands for the one that did. */
export function setByTime(at: FlowMoment, flows: FlowColumns, slot: number, nowUs: number): void {
  at.flows = flows;
  at.slot = slot;
  at.nowUs = nowUs;
  at.packetUs = flows.lastUs[slot]!;
  at.packetNumber = 0;
  at.packet = undefined;
  at.direction = 0;
  at.src = hashAt(flows.srcAddr, slot);
  at.dst = hashAt(flows.dstAddr, slot);
  at.source = -1;
}

/** A packet decided. It has the addresses at hand, and the flow's columns may lie in no cache. */
export function setByPacket(
  at: FlowMoment,
  p: DecodedPacket,
  flows: FlowColumns,
  slot: number,
  direction: Direction,
): void {
  at.flows = flows;
  at.slot = slot;
  at.nowUs = p.tsUs;
  at.packetUs = p.tsUs;
  at.packetNumber = p.number;
  at.packet = p;
  at.direction = direction;
  const from = hashWords(p.src0 | 0, p.src1 | 0, p.src2 | 0, p.src3 | 0);
  const to = hashWords(p.dst0 | 0, p.dst1 | 0, p.dst2 | 0, p.dst3 | 0);
  at.src = direction === 0 ? from : to;
  at.dst = direction === 0 ? to : from;
  at.source = -1;
}

/** Which ends of the moment's flow are inside, as bits of INSIDE. */
export function insideOf({ flows, slot, packet: p, direction }: FlowMoment, home: HomeNetworks): number {
  const version = p === undefined ? flows.ipVersion[slot]! : p.ipVersion;
  const from = p === undefined ? home.contains(version, flows.srcAddr, slot) : hasSource(home, p);
  const to = p === undefined ? home.contains(version, flows.dstAddr, slot) : hasDestination(home, p);
  return ((direction === 0 ? from : to) ? INSIDE.SOURCE : 0) | ((direction === 0 ? to : from) ? INSIDE.DESTINATION : 0);
}

function hasSource(home: HomeNetworks, p: DecodedPacket): boolean {
  return home.has(p.ipVersion, p.src0, p.src1, p.src2, p.src3);
}

function hasDestination(home: HomeNetworks, p: DecodedPacket): boolean {
  return home.has(p.ipVersion, p.dst0, p.dst1, p.dst2, p.dst3);
}
