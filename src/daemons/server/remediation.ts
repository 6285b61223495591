import type { RemediationChanges, RemediationQuery } from '../../api/index.js';
import type { Decision } from '../../domain/decision.js';
import { cidrContains, cidrOverlaps, parseCidr, type Cidr } from '../../util/ip.js';

/** Decisions for components that enforce them elsewhere: web servers, reverse proxies, other firewalls. */
export interface RemediationFeed {
  /** A decision was made, applied or ended. */
  changed(decision: Decision): void;
  /** Takes over what is in force, at start. */
  restore(decisions: readonly Decision[]): void;
  list(query: RemediationQuery): Decision[];
  /** What changed for this reader since it last asked; everything when `startup` or when it is not known. */
  changes(reader: string, startup: boolean): RemediationChanges;
}

/** More changes than this since a reader's last question: it gets everything again. */
const MAX_CHANGES = 100_000;
const MAX_READERS = 1000;

/**
 * Only whole addresses and prefixes that are really blocked are handed on: a reader would take a block of one service, a
 * rate limit or a simulated block for a block of everything.
 */
function isForOthers(d: Decision): boolean {
  const isWhole = d.scope === 'ip' || d.scope === 'cidr';
  return isWhole && d.action === 'block' && !d.simulated && d.traffic !== 'to' && d.enforcement === 'applied';
}

export function createRemediationFeed(now: () => number): RemediationFeed {
  const inForce = new Map<string, Map<string, Decision>>();
  /** Values that changed, in order, with the newest decision that ended; the first has number `firstChange`. */
  let log: { value: string; decision: Decision }[] = [];
  let firstChange = 0;
  const readers = new Map<string, number>();

  function note(decision: Decision): void {
    log.push({ value: decision.value, decision });
    if (log.length <= 2 * MAX_CHANGES) return;
    firstChange += log.length - MAX_CHANGES;
    log = log.slice(-MAX_CHANGES);
  }

  function set(decision: Decision): void {
    const { id, value } = decision;
    const known = inForce.get(value);
    const wanted = isForOthers(decision) && (decision.expiresMs === 0 || decision.expiresMs > now());
    if (wanted) {
      if (known?.get(id)?.expiresMs === decision.expiresMs) return;
      // A copy: the decision itself changes while it lives, and its end would go unnoticed.
      const copy = { ...decision };
      if (known) known.set(id, copy);
      else inForce.set(value, new Map([[id, copy]]));
      note(copy);
      return;
    }
    if (!known?.delete(id)) return;
    if (known.size === 0) inForce.delete(value);
    note(decision);
  }

  /** The one of a value that lasts longest: a reader keeps one entry for each value. */
  function longest(decisions: Map<string, Decision>): Decision {
    const end = (d: Decision): number => (d.expiresMs === 0 ? Infinity : d.expiresMs);
    return [...decisions.values()].reduce((a, b) => (end(b) > end(a) ? b : a));
  }

  function remember(reader: string): void {
    readers.delete(reader);
    readers.set(reader, firstChange + log.length);
    const oldest = readers.keys().next().value;
    if (readers.size > MAX_READERS && oldest !== undefined) readers.delete(oldest);
  }

  return {
    changed: set,
    restore(decisions) {
      for (const decision of decisions) set(decision);
    },
    list(query) {
      const all = [...inForce.values()].map(longest);
      return all.filter((d) => matches(d, query));
    },
    changes(reader, startup) {
      const since = readers.get(reader);
      remember(reader);
      const isKnown = since !== undefined && since >= firstChange;
      if (startup || !isKnown) return { isComplete: true, added: [...inForce.values()].map(longest), ended: [] };
      const last = new Map<string, Decision>();
      for (const { value, decision } of log.slice(since - firstChange)) last.set(value, decision);
      const added: Decision[] = [];
      const ended: Decision[] = [];
      for (const [value, decision] of last) {
        const current = inForce.get(value);
        if (current) added.push(longest(current));
        else ended.push(decision);
      }
      return { isComplete: false, added, ended };
    },
  };
}

function matches(decision: Decision, query: RemediationQuery): boolean {
  if (query.value !== undefined && decision.value !== query.value) return false;
  const network = parseCidr(decision.value);
  if (!network) return false;
  const asked = query.within ?? query.network;
  if (!asked) return true;
  return query.within
    ? cidrOverlaps(query.within, network) && isInside(network, query.within)
    : cidrContains(network, asked);
}

const isInside = (inner: Cidr, outer: Cidr): boolean => inner.prefix >= outer.prefix;
