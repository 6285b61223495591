import { maskIp, parseCidr, formatCidr } from '../util/ip.js';

/** What is remembered of one offender. */
export interface OffenderRecord {
  offences: number;
  lastOffenceMs: number;
  /** Offences are forgotten after this time of quiet, milliseconds. */
  forgetMs: number;
  /** Until when its present decision holds, epoch milliseconds; 0 = none, Infinity = until released. */
  activeUntilMs: number;
  activeDecisionId: string;
  activeSimulated: boolean;
  activeStep: number;
  /** Scope and action of the decision in force, to tell whether a new one adds anything. */
  activeKind: string;
}

/**
 * Offences by offender, IPv6 by /64 because one subscriber owns a whole /64. Bounded: the offender that was quiet
 * longest is dropped first, and counted.
 */
export interface OffenderHistory {
  get(offender: string, nowMs: number): OffenderRecord | undefined;
  record(offender: string, record: OffenderRecord): void;
  /** The decision ended early (released, refused by the responder). */
  end(decisionId: string, forgive: boolean): void;
  readonly size: number;
  readonly evicted: number;
}

/** Key under which an address is remembered. */
export function offenderKey(offender: string): string {
  const cidr = parseCidr(offender);
  return cidr?.version === 6 && cidr.prefix > 64 ? formatCidr(maskIp(cidr, 64)) : offender;
}

export function createOffenderHistory(maxOffenders: number): OffenderHistory {
  const records = new Map<string, OffenderRecord>();
  const byDecision = new Map<string, string>();
  let evicted = 0;

  function drop(key: string): void {
    const old = records.get(key);
    if (old) byDecision.delete(old.activeDecisionId);
    records.delete(key);
  }

  return {
    get(offender, nowMs) {
      const key = offenderKey(offender);
      const found = records.get(key);
      if (!found) return undefined;
      if (nowMs - found.lastOffenceMs > found.forgetMs && found.activeUntilMs <= nowMs) {
        drop(key);
        return undefined;
      }
      return found;
    },
    record(offender, record) {
      const key = offenderKey(offender);
      drop(key);
      if (records.size >= maxOffenders) {
        const oldest = records.keys().next().value;
        if (oldest !== undefined) drop(oldest);
        evicted++;
      }
      records.set(key, record);
      if (record.activeDecisionId !== '') byDecision.set(record.activeDecisionId, key);
    },
    end(decisionId, forgive) {
      const key = byDecision.get(decisionId);
      const found = key === undefined ? undefined : records.get(key);
      if (key === undefined || !found) return;
      byDecision.delete(decisionId);
      if (forgive) records.delete(key);
      else found.activeUntilMs = 0;
    },
    get size() {
      return records.size;
    },
    get evicted() {
      return evicted;
    },
  };
}
