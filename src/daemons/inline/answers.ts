import { PROTO, TCP, type DecodedPacket } from '../../domain/packet.js';
import { portUnreachable, tcpReset, type RawSender } from '../../inline/index.js';

/** What is said to either end of a connection that was stopped; without a sender, nothing. */
export class Answers {
  readonly counts = { rejected: 0, reset_errors: 0 };
  private readonly raw: RawSender | undefined;

  constructor(raw: RawSender | undefined) {
    this.raw = raw;
  }

  /** Says no to the sender: a reset, or "port unreachable". */
  reject(p: DecodedPacket): void {
    this.counts.rejected++;
    if (p.tunnelDepth > 0) return;
    if (p.proto !== PROTO.TCP) return this.send(portUnreachable(p));
    const length = p.payloadLen + (p.tcpFlags & (TCP.SYN | TCP.FIN) ? 1 : 0);
    this.send(tcpReset(p, false, { seq: p.ack, ack: (p.seq + length) >>> 0 }));
  }

  /** The victim shall not wait for a stream that does not go on. @param next sequence number where it believes a reset. */
  resetVictim(p: DecodedPacket, next: number | undefined): void {
    if (p.tunnelDepth === 0) this.send(tcpReset(p, true, { seq: next ?? p.seq }));
  }

  private send(packet: Buffer): void {
    if (this.raw !== undefined && this.raw.send(packet) !== 0) this.counts.reset_errors++;
  }
}
