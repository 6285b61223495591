import type { InlineDrop, InlineVerdict } from '../../contract/inline.js';
import type { Severity } from '../../domain/severity.js';
import type { DecodedPacket } from '../../domain/packet.js';
import { formatIpWords } from '../../util/ip.js';
import { uuid7 } from '../../util/uuid7.js';

const MAX_OPEN = 2000;

/** Why packets were stopped. */
export interface DropReason {
  verdict: InlineVerdict;
  simulated: boolean;
  gid: number;
  signatureId: number;
  title: string;
  severity: Severity;
  policy: string;
}

/** Stopped packets, summed up by connection and reason until they are reported. */
export class DropBook {
  /** Not reported one by one because too many were open. */
  overflow = 0;
  private readonly open = new Map<string, InlineDrop>();

  add(p: DecodedPacket, reason: DropReason, nowMs: number): void {
    const src = formatIpWords(p.ipVersion, p.src0 >>> 0, p.src1 >>> 0, p.src2 >>> 0, p.src3 >>> 0);
    const dst = formatIpWords(p.ipVersion, p.dst0 >>> 0, p.dst1 >>> 0, p.dst2 >>> 0, p.dst3 >>> 0);
    const key = `${reason.gid}:${reason.signatureId}:${reason.title} ${src} ${p.srcPort} ${dst} ${p.dstPort} ${p.proto}`;
    const known = this.open.get(key);
    if (known) {
      known.packets++;
      known.bytes += p.ipTotalLen;
      known.lastMs = nowMs;
      return;
    }
    if (this.open.size >= MAX_OPEN) {
      this.overflow++;
      return;
    }
    this.open.set(key, {
      id: uuid7(nowMs),
      ...reason,
      srcIp: src,
      srcPort: p.srcPort,
      dstIp: dst,
      dstPort: p.dstPort,
      proto: p.proto,
      packets: 1,
      bytes: p.ipTotalLen,
      firstMs: nowMs,
      lastMs: nowMs,
    });
  }

  /** What was stopped since the last call. */
  take(): InlineDrop[] {
    const all = [...this.open.values()];
    this.open.clear();
    return all;
  }
}
