import type { AlertUpdate } from '../domain/alert.js';
import type { Detection } from '../domain/detection.js';
import { uuid7 } from '../util/uuid7.js';
import { Crowds } from './crowds.js';
import { Explanations } from './explanations.js';
import { familyOf, isVague } from './family.js';
import { alertKey, whoOf } from './merge.js';
import { Offenders } from './offenders.js';
import { OpenAlert, type Background } from './open-alert.js';
import type { CorrelateOptions } from './options.js';
import { createSuppressionTable, type SuppressionTable } from './suppress.js';
import { Witnesses } from './witnesses.js';

export interface CorrelatorDeps {
  /** A new alert, or one that grew enough to be judged again. The alert is a copy. */
  emit: (update: AlertUpdate) => void;
  /** Ids of alerts and incidents; UUIDv7 of the given epoch milliseconds unless given. */
  newId?: (ms: number) => string;
}

export interface Correlator {
  /** Merges one detection; its `detectedUs` is the present. */
  push(detection: Detection): void;
  /** Sends updates that waited, closes what has been quiet. About once a second. */
  tick(nowMs: number): void;
  readonly suppressions: SuppressionTable;
  stats(): Record<string, number>;
}

/**
 * Detections to alerts: one alert for one offender and label while detections keep coming. It speaks when an alert is
 * new, gains a tier, gets worse or surer, doubles its count, or when its offender proves its address; never more than
 * once per `minUpdateMs` and alert, and what is held back is said at the next tick.
 */
export function createCorrelator(options: CorrelateOptions, deps: CorrelatorDeps): Correlator {
  const newId = deps.newId ?? uuid7;
  const offenders = new Offenders(options, newId);
  const suppressions = createSuppressionTable(options.suppress);
  const explanations = new Explanations(options);
  const crowds = new Crowds(options);
  const witnesses = new Witnesses();
  /** In order of last activity. */
  const open = new Map<string, OpenAlert>();
  const waiting = new Set<string>();
  const counters = {
    detections: 0,
    suppressed: 0,
    explained: 0,
    seen_twice: 0,
    alerts_created: 0,
    updates: 0,
    alerts_evicted: 0,
  };

  function tell(entry: OpenAlert, isNew: boolean, nowMs: number): void {
    counters.updates++;
    waiting.delete(entry.alert.key);
    deps.emit({ alert: entry.tell(nowMs), isNew, latest: entry.latest });
  }

  function create(d: Detection, key: string, known: Background & { incidentId: string }, nowMs: number): void {
    const entry = new OpenAlert(d, { id: newId(nowMs), key, incidentId: known.incidentId }, options);
    entry.merge(d, known);
    open.set(key, entry);
    counters.alerts_created++;
    tell(entry, true, nowMs);
    if (open.size > options.maxAlerts) evictOldest(nowMs);
  }

  function evictOldest(nowMs: number): void {
    const [key, entry] = open.entries().next().value!;
    if (waiting.has(key)) tell(entry, false, nowMs);
    open.delete(key);
    counters.alerts_evicted++;
  }

  function update(entry: OpenAlert, d: Detection, known: Background, nowMs: number): void {
    const { key } = entry.alert;
    entry.merge(d, known);
    open.delete(key);
    open.set(key, entry);
    tellIfWorth(entry, nowMs);
  }

  function tellIfWorth(entry: OpenAlert, nowMs: number): void {
    if (!entry.isWorthUpdate(nowMs)) return;
    if (entry.isDecisive() || nowMs - entry.told.atMs >= options.minUpdateMs) tell(entry, false, nowMs);
    else waiting.add(entry.alert.key);
  }

  /** What all tiers say of the offender and this kind of behaviour. */
  function backgroundOf(d: Detection, who: string): Background & { incidentId: string } {
    const atMs = Math.round(d.packetUs / 1000);
    const { incidentId, agreement, proved } = offenders.note(d, who, atMs);
    const sinceMs = atMs - options.agreeSecs * 1000;
    return { incidentId, proved, tiers: agreement.tiers(sinceMs), confidence: agreement.confidence(sinceMs) };
  }

  /** Opens an alert or adds to the one that is open. */
  function merge(found: Detection, nowMs: number): void {
    const detection = crowds.place(found, nowMs);
    const who = whoOf(detection);
    const key = alertKey(detection, who, options.scopeByVictim);
    const background = backgroundOf(detection, who);
    const known = open.get(key);
    const idleMs = known ? detection.packetUs / 1000 - known.alert.lastMs : Infinity;
    const isOpen = known !== undefined && idleMs < options.alertIdleSecs * 1000;
    if (witnesses.isSecond(detection) && isOpen) {
      counters.seen_twice++;
      known.attest(detection);
      waiting.add(key);
    } else if (isOpen) update(known, detection, background, nowMs);
    else {
      open.delete(key);
      create(detection, key, background, nowMs);
    }
    if (detection.tier === 'classification') explanations.noteClass(who, key, nowMs);
    if (detection.tier !== 'behaviour') return;
    for (const d of explanations.note(who, key, nowMs, detection.metadata?.['outside_of'])) {
      explain(open.get(key), d, nowMs);
    }
  }

  /** A model's finding that the alert of a behaviour, or of a better model, explains. It agrees unless it claims to be something else. */
  function explain(entry: OpenAlert | undefined, d: Detection, nowMs: number): boolean {
    if (!entry) return false;
    counters.explained++;
    const { label } = entry.alert;
    const agrees = isVague(d) || familyOf(d) === familyOf({ ...d, label });
    const spoken = agrees ? { ...d, label } : { ...entry.latest, packetUs: d.packetUs };
    entry.explain(d, backgroundOf(spoken, whoOf(entry.latest)));
    tellIfWorth(entry, nowMs);
    return true;
  }

  /** Amplifiers that answer to ever other ports of their victim look like scanners; the alert about the flood has them. */
  function isAnswerOfFlood(d: Detection, nowMs: number): boolean {
    if (d.tier !== 'behaviour' || d.metadata?.['unasked_answers'] === undefined) return false;
    const key = explanations.floodOf(d, nowMs);
    if (key === undefined || open.get(key)?.alert.label !== 'amplification') return false;
    counters.explained++;
    return true;
  }

  /** True when a finding has a place already: an alert that explains it, or of a model a moment to wait for one. */
  function isPlaced(d: Detection, nowMs: number): boolean {
    if (isAnswerOfFlood(d, nowMs)) return true;
    if (d.tier !== 'classification' && d.tier !== 'anomaly') return false;
    const key = explanations.keyFor(d, nowMs);
    if (key !== undefined && explain(open.get(key), d, nowMs)) return true;
    // Its own alert is open already, or it agrees with another tier: nothing to wait for.
    const who = whoOf(d);
    if (open.has(alertKey(d, who, options.scopeByVictim)) || backgroundOf(d, who).tiers.length > 1) return false;
    return explanations.hold(d, nowMs);
  }

  function mergeDue(nowMs: number): void {
    for (const d of explanations.due(nowMs)) {
      // A flood names its target or network, not the sources whose findings wait.
      const key = explanations.keyFor(d, d.detectedUs / 1000);
      if (key === undefined || !explain(open.get(key), d, nowMs)) merge(d, nowMs);
    }
  }

  return {
    suppressions,
    push(detection) {
      counters.detections++;
      const nowMs = detection.detectedUs / 1000;
      if (suppressions.covers(detection, nowMs)) {
        counters.suppressed++;
        return;
      }
      if (explanations.waiting > 0) mergeDue(nowMs);
      if (!isPlaced(detection, nowMs)) merge(detection, nowMs);
    },

    tick(nowMs) {
      mergeDue(nowMs);
      for (const key of waiting) {
        const entry = open.get(key);
        if (!entry) waiting.delete(key);
        else if (nowMs - entry.told.atMs >= options.minUpdateMs) tell(entry, false, nowMs);
      }
      for (const [key, entry] of open) {
        if (nowMs - entry.alert.lastMs < options.alertIdleSecs * 1000) break;
        if (waiting.has(key)) tell(entry, false, nowMs);
        open.delete(key);
      }
      offenders.expire(nowMs);
    },

    stats: () => ({
      ...counters,
      alerts_open: open.size,
      updates_waiting: waiting.size,
      offenders: offenders.size,
      offenders_evicted: offenders.evicted,
    }),
  };
}
