import type { Alert } from '../../domain/alert.js';
import type { AllowEntry, Decision, EnforcementReport, ProtectedEntry } from '../../domain/decision.js';
import type { SiemDecisionEvent, SiemEvent } from '../../domain/siem-event.js';
import type { ResponderCommand } from '../../contract/ipc.js';
import { decisionToSiemEvent } from '../../forward/index.js';
import type { DecisionOp, DecisionWrite } from '../../store/index.js';
import { cidrContains, cidrOverlaps, parseCidr, type Cidr } from '../../util/ip.js';
import { LatencyHistogram } from '../../util/latency-histogram.js';

/** A clock that goes on by more than this beside the time that passed was set, milliseconds. */
const CLOCK_STEP_MS = 2000;
/** A decision whose responder did not report its end in this time after its expiry is ended by the server, milliseconds. */
const EXPIRY_GRACE_MS = 3000;

export interface DecisionBookDeps {
  /** Name of this box. */
  name: string;
  /** To every responder. @returns how many there are. */
  toResponders(command: ResponderCommand): number;
  queue(write: DecisionWrite): void;
  toSiem(event: SiemEvent, decision: Decision): void;
  /** For the live feed. */
  changed(decision: Decision, isNew: boolean): void;
  /** A decision ended early or never took effect; the policy engine forgets it. */
  ended(decisionId: string, forgive: boolean): void;
  /** The alerts of this decision were blocked or would have been. */
  answered(decision: Decision): void;
  /** Somebody or something here lifted it before its time; not what the responder reports. */
  released?(decision: Decision, actor: string, reason: string, forgive: boolean): void;
  /** Monotonic milliseconds. */
  monoMs?(): number;
}

/**
 * Decisions in force as the server knows them: what it sent, what the responder reported, and when they end. Everything
 * here is in memory and synchronous, so that a block never waits for the database.
 */
export interface DecisionBook {
  /** Sends a new decision to the responder, then records it. */
  add(decision: Decision, alert: Alert | undefined): void;
  /** A decision of another member of the fleet, new or changed. */
  adopt(decision: Decision): void;
  release(id: string, actor: string, reason: string, forgive: boolean): Decision | undefined;
  /** Another decision does the same or more: this one is lifted, and nobody is told that the address is free. */
  replace(id: string, by: string): void;
  /** The decision ends `durationSecs` from now. */
  extend(id: string, durationSecs: number, actor: string): Decision | undefined;
  report(reports: readonly EnforcementReport[]): void;
  hits(hits: readonly { decisionId: string; packets: number; bytes: number }[], atMs: number): void;
  get(id: string): Decision | undefined;
  active(): Decision[];
  /** Decisions in force that cover the address or lie in the prefix. */
  covering(network: Cidr): Decision[];
  /** Takes over what the store says is in force, at start. */
  restore(decisions: readonly Decision[]): void;
  /** Ends what is over; call about once a second. */
  tick(nowMs: number): void;
  counts(): { active: number; simulated: number };
  /** Packet to kernel acknowledgement of enforced policy decisions, since start. */
  readonly latency: LatencyHistogram;
}

interface Entry {
  decision: Decision;
  alert: Alert | undefined;
  network: Cidr;
}

export function createDecisionBook(deps: DecisionBookDeps): DecisionBook {
  const entries = new Map<string, Entry>();
  const latency = new LatencyHistogram();
  const monoMs = deps.monoMs ?? (() => performance.now());
  let lastTick: { wallMs: number; monoMs: number } | undefined;

  /** The kernel counts the time that passes, however the clock is set: what the list says ends with it. */
  function followClock(wallMs: number): void {
    const now = { wallMs, monoMs: monoMs() };
    const stepMs = lastTick ? wallMs - lastTick.wallMs - (now.monoMs - lastTick.monoMs) : 0;
    lastTick = now;
    if (Math.abs(stepMs) < CLOCK_STEP_MS) return;
    for (const { decision } of entries.values()) {
      // What a fleet has signed ends when it says.
      if (decision.expiresMs === 0 || decision.proof) continue;
      decision.expiresMs += Math.round(stepMs);
      if (decision.origin === 'feed') continue;
      record(decision, undefined, '', '');
      deps.changed(decision, false);
    }
  }

  function record(decision: Decision, op: DecisionOp | undefined, actor: string, reason: string): void {
    deps.queue({ decision, ...(op === undefined ? {} : { step: { atMs: Date.now(), op, actor, reason } }) });
  }

  function siem(entry: Entry, op: SiemDecisionEvent['op'], reason: string): void {
    const { decision, alert } = entry;
    // A feed of 100,000 addresses is one event, told when it was applied.
    if (decision.origin === 'feed') return;
    deps.toSiem(
      decisionToSiemEvent(decision, op, {
        sensor: deps.name,
        reason,
        ...(alert === undefined ? {} : { alert }),
      }),
      decision,
    );
  }

  function end(entry: Entry, how: 'expired' | 'revoked', actor: string, reason: string): void {
    const wasInForce = entry.decision.enforcement === 'applied' && !entry.decision.simulated;
    forget(entry, how, actor, reason);
    if (wasInForce) siem(entry, 'unblock', reason);
  }

  function forget({ decision }: Entry, how: 'expired' | 'revoked', actor: string, reason: string): void {
    entries.delete(decision.id);
    decision.enforcement = how;
    record(decision, how === 'expired' ? 'expired' : 'released', actor, reason);
    deps.changed(decision, false);
  }

  function applied(entry: Entry, report: EnforcementReport): void {
    const { decision } = entry;
    const isFirst = decision.enforcement === 'pending';
    decision.enforcement = 'applied';
    decision.simulated = report.simulated;
    if (report.set !== undefined) decision.set = report.set;
    if (isFirst) {
      decision.trace.receivedUs = report.receivedUs;
      decision.trace.kernelUs = report.kernelUs;
      if (!report.simulated && decision.origin === 'policy' && decision.trace.packetUs > 0) {
        latency.add(report.kernelUs - decision.trace.packetUs);
      }
      record(decision, 'applied', 'responder', report.set ?? '');
      siem(entry, report.simulated ? 'simulated' : 'block', decision.reason);
      deps.answered(decision);
    } else record(decision, undefined, '', '');
    deps.changed(decision, false);
  }

  function refused(entry: Entry, report: EnforcementReport): void {
    const { decision } = entry;
    if (report.kept) {
      // A renewal was refused: the kernel holds what it held, so the list does.
      Object.assign(decision, report.kept);
      record(decision, 'rejected', 'responder', report.error ?? '');
      siem(entry, 'refused', report.error ?? 'refused by the responder');
      deps.changed(decision, false);
      return;
    }
    entries.delete(decision.id);
    decision.enforcement = report.enforcement;
    if (report.error !== undefined) decision.error = report.error;
    record(decision, report.enforcement === 'rejected' ? 'rejected' : 'failed', 'responder', report.error ?? '');
    siem(entry, 'refused', report.error ?? 'refused by the responder');
    deps.ended(decision.id, false);
    deps.changed(decision, false);
  }

  return {
    latency,
    add(decision, alert) {
      deps.toResponders({ type: 'decide', decision });
      const network = parseCidr(decision.value);
      if (network) entries.set(decision.id, { decision, alert, network });
      record(decision, 'created', decision.actor, decision.reason);
      deps.changed(decision, true);
    },
    adopt(decision) {
      const known = entries.get(decision.id)?.decision;
      if (!known) {
        this.add(decision, undefined);
        return;
      }
      const { durationSecs, expiresMs, proof } = decision;
      if (known.proof?.version === proof?.version) return;
      Object.assign(known, { durationSecs, expiresMs, proof });
      deps.toResponders({ type: 'decide', decision: known });
      record(known, 'extended', proof?.signer ?? '', 'changed in the fleet');
      deps.changed(known, false);
    },
    release(id, actor, reason, forgive) {
      const entry = entries.get(id);
      if (!entry) return undefined;
      deps.released?.(entry.decision, actor, reason, forgive);
      deps.toResponders({ type: 'release', decisionId: id, reason });
      end(entry, 'revoked', actor, reason);
      deps.ended(id, forgive);
      return entry.decision;
    },
    replace(id, by) {
      const entry = entries.get(id);
      if (!entry) return;
      const reason = `decision ${by} does the same`;
      deps.released?.(entry.decision, 'server', reason, false);
      deps.toResponders({ type: 'release', decisionId: id, reason });
      forget(entry, 'revoked', 'server', reason);
      deps.ended(id, false);
    },
    extend(id, durationSecs, actor) {
      const entry = entries.get(id);
      if (!entry) return undefined;
      const { decision } = entry;
      const nowMs = Date.now();
      decision.durationSecs = Math.round((nowMs - decision.createdMs) / 1000) + durationSecs;
      decision.expiresMs = nowMs + durationSecs * 1000;
      deps.toResponders({ type: 'decide', decision });
      record(decision, 'extended', actor, `ends in ${durationSecs} s`);
      siem(entry, 'extend', `extended by ${actor}`);
      deps.changed(decision, false);
      return decision;
    },
    report(reports) {
      for (const report of reports) {
        const entry = entries.get(report.decisionId);
        if (!entry) continue;
        switch (report.enforcement) {
          case 'applied':
            applied(entry, report);
            break;
          case 'rejected':
          case 'failed':
            refused(entry, report);
            break;
          case 'expired':
            end(entry, 'expired', 'responder', 'its time is over');
            deps.ended(report.decisionId, false);
            break;
          case 'revoked':
            end(entry, 'revoked', 'responder', report.error ?? 'lifted on the box');
            deps.ended(report.decisionId, false);
            break;
          case 'pending':
            break;
        }
      }
    },
    hits(hits, atMs) {
      for (const { decisionId, packets, bytes } of hits) {
        const decision = entries.get(decisionId)?.decision;
        if (!decision || packets === decision.hitPackets) continue;
        decision.hitPackets = packets;
        decision.hitBytes = bytes;
        decision.lastHitMs = atMs;
        record(decision, undefined, '', '');
        deps.changed(decision, false);
      }
    },
    get: (id) => entries.get(id)?.decision,
    active: () => [...entries.values()].map((e) => e.decision),
    covering(network) {
      return [...entries.values()].filter((e) => cidrOverlaps(e.network, network)).map((e) => e.decision);
    },
    restore(decisions) {
      for (const decision of decisions) {
        const network = parseCidr(decision.value);
        if (network) entries.set(decision.id, { decision, alert: undefined, network });
      }
    },
    tick(nowMs) {
      followClock(nowMs);
      for (const entry of entries.values()) {
        const { expiresMs } = entry.decision;
        if (expiresMs > 0 && expiresMs + EXPIRY_GRACE_MS < nowMs) {
          // A responder that still holds it must not hold what the list no longer says.
          deps.toResponders({ type: 'release', decisionId: entry.decision.id, reason: 'its time is over' });
          end(entry, 'expired', 'server', 'its time is over');
          deps.ended(entry.decision.id, false);
        }
      }
    },
    counts() {
      let simulated = 0;
      for (const { decision } of entries.values()) if (decision.simulated) simulated++;
      return { active: entries.size - simulated, simulated };
    },
  };
}

/** Protected and allowed networks as the server knows them, for policies, the API and explanations. */
export interface Exemptions {
  /** What the responder reports. */
  setProtected(entries: readonly ProtectedEntry[]): void;
  /** What the server knows by itself: it may have no responder. */
  setPeers(entries: readonly ProtectedEntry[]): void;
  /** @param entries names already resolved */
  setAllowed(entries: readonly AllowEntry[]): void;
  protected(): readonly ProtectedEntry[];
  /** The allowlist with its names resolved. */
  allowedNow(): readonly AllowEntry[];
  findProtected(network: Cidr): ProtectedEntry | undefined;
  /** The entry that overlaps the network and has not expired. */
  findAllowed(network: Cidr, nowMs: number): AllowEntry | undefined;
}

export function createExemptions(): Exemptions {
  let reported: readonly ProtectedEntry[] = [];
  let peers: readonly ProtectedEntry[] = [];
  let kept: { entry: ProtectedEntry; network: Cidr }[] = [];
  let allow: { entry: AllowEntry; network: Cidr | undefined }[] = [];

  function keep(): void {
    const known = new Set(reported.map((entry) => entry.value));
    kept = [...reported, ...peers.filter((entry) => !known.has(entry.value))].flatMap((entry) => {
      const network = parseCidr(entry.value);
      return network ? [{ entry, network }] : [];
    });
  }

  return {
    setProtected(entries) {
      reported = entries;
      keep();
    },
    setPeers(entries) {
      peers = entries;
      keep();
    },
    setAllowed(entries) {
      allow = entries.map((entry) => ({ entry, network: parseCidr(entry.value) }));
    },
    protected: () => kept.map((k) => k.entry),
    allowedNow: () => allow.map((a) => a.entry),
    findProtected: (network) => kept.find((k) => cidrOverlaps(k.network, network))?.entry,
    findAllowed(network, nowMs) {
      const live = allow.filter((a) => a.network && (a.entry.expiresMs === 0 || a.entry.expiresMs > nowMs));
      const covers = live.find((a) => a.network && cidrContains(a.network, network));
      return (covers ?? live.find((a) => a.network && cidrOverlaps(a.network, network)))?.entry;
    },
  };
}
