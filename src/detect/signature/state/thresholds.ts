import type { Rule, ThresholdSpec } from '../rule.js';

interface Entry {
  sinceUs: number;
  count: number;
  next: number;
}

export type Admission = 'raise' | 'before' | 'after';

/** Counts alerts per rule and address; the oldest entry goes when the table is full. */
export interface Thresholds {
  /** raise: the alert is to be raised; before: the rule has not matched often enough; after: it was raised before. */
  admit(rule: Rule, src: string, dst: string, flowId: number, nowUs: number): Admission;
  /** The action of a rule now: its own, or that of its rate filter while it fires often. */
  actionOf(rule: Rule, src: string, dst: string, flowId: number, nowUs: number): string;
  readonly size: number;
  readonly evicted: number;
}

export function createThresholds(maxEntries: number): Thresholds {
  const table = new Map<string, Entry>();
  let evicted = 0;

  function entryOf(key: string, nowUs: number): Entry {
    let entry = table.get(key);
    if (!entry) {
      if (table.size >= maxEntries) {
        table.delete(table.keys().next().value!);
        evicted++;
      }
      entry = { sinceUs: nowUs, count: 0, next: 0 };
      table.set(key, entry);
    }
    return entry;
  }

  function decide(spec: ThresholdSpec, key: string, nowUs: number): Admission {
    const entry = entryOf(key, nowUs);
    const windowUs = spec.seconds * 1e6;
    // A window holds its last microsecond, and goes on when its count is reached: as in Suricata.
    if (spec.type !== 'backoff' && nowUs - entry.sinceUs > windowUs) {
      entry.sinceUs = nowUs;
      entry.count = 0;
    }
    entry.count++;
    switch (spec.type) {
      case 'limit':
        return entry.count <= spec.count ? 'raise' : 'after';
      case 'threshold':
        if (entry.count < spec.count) return 'before';
        entry.count = 0;
        return 'raise';
      case 'both':
        return entry.count === spec.count ? 'raise' : entry.count < spec.count ? 'before' : 'after';
      case 'backoff':
        if (entry.count < (entry.next || spec.count)) return entry.next === 0 ? 'before' : 'after';
        entry.next = (entry.next || spec.count) * spec.multiplier;
        return 'raise';
      default:
        return entry.count > spec.count ? 'raise' : 'before';
    }
  }

  const keyOf = (rule: Rule, spec: ThresholdSpec, src: string, dst: string, flowId: number): string => {
    const id = `${rule.gid}:${rule.signatureId}:${spec.type}`;
    switch (spec.track) {
      case 'by_src':
        return `${id}:${src}`;
      case 'by_dst':
        return `${id}:${dst}`;
      case 'by_both':
        // A pair of hosts, whichever of them the packet comes from.
        return src < dst ? `${id}:${src}:${dst}` : `${id}:${dst}:${src}`;
      case 'by_flow':
        return `${id}:${flowId}`;
      case 'by_rule':
        return id;
    }
  };

  return {
    get size() {
      return table.size;
    },
    get evicted() {
      return evicted;
    },
    actionOf(rule, src, dst, flowId, nowUs) {
      const filter = rule.rateFilter;
      if (!filter) return rule.action;
      const entry = entryOf(keyOf(rule, filter, src, dst, flowId), nowUs);
      // `next` holds the second in which the other action came into force; 0: it is not. The alert that finds its time over
      // is not counted.
      const second = Math.floor(nowUs / 1e6);
      if (entry.next !== 0) {
        if (second - entry.next <= filter.timeoutSecs) return filter.newAction;
        entry.next = 0;
        return rule.action;
      }
      if (nowUs - entry.sinceUs > filter.seconds * 1e6) {
        entry.sinceUs = nowUs;
        entry.count = 0;
      }
      if (++entry.count <= filter.count) return rule.action;
      entry.next = second;
      return filter.newAction;
    },
    admit(rule, src, dst, flowId, nowUs) {
      for (const spec of [rule.detectionFilter, rule.threshold]) {
        const admission = spec ? decide(spec, keyOf(rule, spec, src, dst, flowId), nowUs) : 'raise';
        if (admission !== 'raise') return admission;
      }
      return 'raise';
    },
  };
}
