import type { PacketBlock } from '../domain/packet.js';

/** A block that its source fills and hands over again and again. */
export interface ReusableBlock extends PacketBlock {
  /** Packets that fit. */
  readonly room: number;
}

/** @param room packets the block can describe; @param withVlan for sources whose kernel strips VLAN tags. */
export function createBlock(room: number, withVlan = false): ReusableBlock {
  return {
    room,
    data: new Uint8Array(0),
    count: 0,
    offset: new Int32Array(room),
    capLen: new Int32Array(room),
    wireLen: new Int32Array(room),
    tsUs: new Float64Array(room),
    linkType: 0,
    interfaceId: 0,
    ...(withVlan ? { vlanTci: new Int32Array(room).fill(-1) } : {}),
  };
}
