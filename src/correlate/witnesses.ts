import type { Detection } from '../domain/detection.js';

/** Longest time between the reports of the inline daemon and of the sensor about the same packet. */
const WINDOW_US = 10_000_000;
const MAX_REMEMBERED = 10_000;

type Witness = 'inline' | 'sensor';

/**
 * Where packets are judged inline and watched as well, both see the same packet: what one rule says of one connection is
 * counted once, whoever speaks first.
 */
export class Witnesses {
  /** By rule and connection, in order of last mention: who has spoken of it, and when. */
  private readonly heard = new Map<string, { by: Witness; atUs: number }>();

  /** @returns true when the other witness has reported it already. Each report answers for one of the other's. */
  isSecond(d: Detection): boolean {
    if (d.tier !== 'signature') return false;
    const key = `${d.gid}:${d.signatureId} ${connectionOf(d)}`;
    const by: Witness = d.metadata?.['inline_verdict'] === undefined ? 'sensor' : 'inline';
    const before = this.heard.get(key);
    this.heard.delete(key);
    if (before !== undefined && before.by !== by && Math.abs(d.packetUs - before.atUs) <= WINDOW_US) return true;
    this.heard.set(key, { by, atUs: d.packetUs });
    if (this.heard.size > MAX_REMEMBERED) this.heard.delete(this.heard.keys().next().value!);
    return false;
  }
}

function connectionOf(d: Detection): string {
  return d.communityId ?? `${d.srcIp} ${d.srcPort} ${d.dstIp} ${d.dstPort} ${d.proto}`;
}
