import type { FlowRecord } from '../domain/flow.js';

const DAY_US = 86_400_000_000;
const MAX_ADDRESSES = 200_000;

/** A source is well known when it talked two-way on this many days, and in this many flows, without an alert. */
const CLEAN_DAYS = 3;
const CLEAN_FLOWS = 20;

interface Past {
  days: number;
  lastDay: number;
  flows: number;
}

/**
 * Which addresses have long behaved: two-way flows on several days and no alert. Fed in order of time; bounded, the
 * address that was quiet longest is forgotten first.
 */
export interface CleanHistory {
  note(flow: Pick<FlowRecord, 'srcIp' | 'dstIp' | 'payloadFwd' | 'payloadBwd' | 'endUs'>): void;
  /** @returns what speaks for the address in a sentence, undefined when it is not well known. */
  of(address: string): string | undefined;
  /** An alert names the address: from now on its past counts from nothing. */
  condemn(address: string): void;
}

export function createCleanHistory(): CleanHistory {
  const known = new Map<string, Past>();

  function touch(address: string, endUs: number): void {
    const past = known.get(address) ?? { days: 0, lastDay: -1, flows: 0 };
    known.delete(address);
    const oldest = known.keys().next().value;
    if (known.size >= MAX_ADDRESSES && oldest !== undefined) known.delete(oldest);
    const day = Math.floor(endUs / DAY_US);
    if (day !== past.lastDay) {
      past.days++;
      past.lastDay = day;
    }
    past.flows++;
    known.set(address, past);
  }

  return {
    note(flow) {
      if (flow.payloadFwd === 0 || flow.payloadBwd === 0) return;
      touch(flow.srcIp, flow.endUs);
      touch(flow.dstIp, flow.endUs);
    },
    of(address) {
      const past = known.get(address);
      if (!past || past.days < CLEAN_DAYS || past.flows < CLEAN_FLOWS) return undefined;
      return `${past.flows} two-way flows on ${past.days} days before its first alert`;
    },
    condemn: (address) => void known.delete(address),
  };
}
