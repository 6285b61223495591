import type { Detection } from '../domain/detection.js';
import type { Suppression, SuppressionHits } from '../domain/suppression.js';
import { cidrContains, parseCidr, parseIp, type Cidr } from '../util/ip.js';
import type { CorrelateOptions } from './options.js';

/** What makes no alert: what the configuration says, and what people say while everything runs. */
export interface SuppressionTable {
  /** Whether a detection is suppressed; the first entry that matches is counted. */
  covers(d: Detection, nowMs: number): boolean;
  /** Entries that people made, in place of the earlier ones; what they have stopped so far stays counted. */
  replace(entries: readonly Suppression[]): void;
  /** Of the configuration. */
  configured(): readonly Suppression[];
  /** Since the start, by id. */
  hits(): ReadonlyMap<string, SuppressionHits>;
}

interface Rule {
  entry: Suppression;
  offenderNet: Cidr | undefined;
  victimNet: Cidr | undefined;
}

/** Networks that cannot be read never match. */
export function createSuppressionTable(configured: CorrelateOptions['suppress']): SuppressionTable {
  const fixed = configured.map((entry, at): Suppression => ({
    ...entry,
    id: `configuration-${at}`,
    owner: '',
    createdMs: 0,
  }));
  const counted = new Map<string, SuppressionHits>();
  let rules = fixed.map(toRule);

  return {
    covers(d, nowMs) {
      const rule = rules.find((r) => matches(r, d, nowMs));
      if (!rule) return false;
      const { id } = rule.entry;
      counted.set(id, { count: (counted.get(id)?.count ?? 0) + 1, lastMs: nowMs });
      return true;
    },
    replace(entries) {
      rules = [...fixed, ...entries].map(toRule);
      const ids = new Set(rules.map((r) => r.entry.id));
      for (const id of counted.keys()) if (!ids.has(id)) counted.delete(id);
    },
    configured: () => fixed,
    hits: () => counted,
  };
}

function toRule(entry: Suppression): Rule {
  const net = (text: string | undefined): Cidr | undefined => (text === undefined ? undefined : parseCidr(text));
  return { entry, offenderNet: net(entry.offender), victimNet: net(entry.victim) };
}

function matches({ entry, offenderNet, victimNet }: Rule, d: Detection, nowMs: number): boolean {
  return (
    (entry.untilMs === 0 || nowMs < entry.untilMs) &&
    (entry.gid === undefined || entry.gid === d.gid) &&
    (entry.label === undefined || entry.label === d.label) &&
    (entry.signatureId === undefined || entry.signatureId === d.signatureId) &&
    (entry.offender === undefined || contains(offenderNet, d.offender)) &&
    (entry.victim === undefined || contains(victimNet, d.victim ?? d.dstIp))
  );
}

function contains(network: Cidr | undefined, address: string): boolean {
  const ip = parseIp(address);
  return network !== undefined && ip !== undefined && cidrContains(network, ip);
}
