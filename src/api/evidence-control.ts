import type { PacketDetail, PacketPage, PacketQuery } from '../contract/http.js';

/** Packets that sensors kept around alerts. */
export interface EvidenceControl {
  /** Empty when none were kept. */
  packets(alertId: string, query: PacketQuery): Promise<PacketPage>;
  /** @throws AppError evidence.not_found */
  packet(alertId: string, number: number): Promise<PacketDetail>;
  /** A pcap file; undefined when no packets were kept. */
  pcap(alertId: string): Promise<Uint8Array | undefined>;
}
