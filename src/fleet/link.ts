import { join } from 'node:path';
import type { FleetPolicy, FleetRole, FleetSettings, Heartbeat } from '../contract/fleet.js';
import type { InlineDrop } from '../contract/inline.js';
import type { SensorMessage, SignedRoster } from '../contract/ipc.js';
import type { Decision, EnforcementReport } from '../domain/decision.js';
import type { Detection } from '../domain/detection.js';
import type { FlowRecord } from '../domain/flow.js';
import type { Logger } from '../util/logger.js';
import { uuid7 } from '../util/uuid7.js';
import { openFleetBus } from './bus.js';
import { createDecisionLink } from './decision-link.js';
import { writeRoster } from './member.js';
import type { FleetMemory } from './memory.js';
import { partitionOf, SUBJECTS } from './names.js';
import type { FleetOptions } from './options.js';
import { createRegistry } from './registry.js';
import { endOf } from './replica.js';
import { idOf, proofOf, type ProvenDecision } from './seal.js';
import { createServerSide, type FleetServerDeps, type FleetServerSide } from './server-side.js';
import { openShared, type AddressesLink, type PoliciesLink, type SettingsLink } from './shared.js';
import { openSpool } from './spool.js';
import { followRoster } from './trust-link.js';
import { runOutbox } from './work-outbox.js';

/** A permanent block that was lifted is remembered this long for members that are away. */
const KEEP_RELEASE_MS = 90 * 86_400_000;
const REMEMBERED_PARTITIONS = 2000;
/** Some 100,000 reports of a box that is cut off. */
const REPORT_SPOOL_BYTES = 32 * 1024 * 1024;
/** Tasks of one message: what a server may hold unconfirmed is counted in messages. */
const MAX_TOGETHER = 64;

export type Health = Pick<Heartbeat, 'mode' | 'sensor' | 'responder' | 'stats' | 'policies'>;
type Evidence = Extract<SensorMessage, { type: 'evidence' }>;

export interface FleetLinkDeps {
  memory: FleetMemory;
  version: string;
  log: Logger;
  /** For the heartbeat. */
  health(): Health;
  /** True when a responder of this box reports what becomes of a decision. */
  hasResponder(): boolean;
  /** A decision of another member, new or changed. */
  adopt(decision: ProvenDecision): void;
  /** A decision was lifted elsewhere. */
  lift(id: string, actor: string, reason: string, forgive: boolean): void;
  /** Somebody said what may not count. */
  forged(signer: string, why: string, id: string): void;
  /** A newer roster, for the responder. */
  roster(roster: SignedRoster): void;
  /** Allowlist and pause were set elsewhere. */
  settings(settings: FleetSettings): void;
  /** A policy was saved, or taken back, at another server. */
  policy(name: string, policy: FleetPolicy): void;
  /** The addresses of other members are not what they were. */
  addresses(): void;
  /** What a server of the fleet does besides; absent on boxes. */
  server?: FleetServerDeps;
}

/** A member's whole connection to its fleet, as the server daemon uses it. */
export interface FleetLink {
  readonly name: string;
  readonly site: string;
  readonly role: FleetRole;
  readonly roster: SignedRoster | undefined;
  /** NATS servers, host:port. */
  readonly servers: readonly string[];
  /** Signs a decision of this member on its way to the responder; those of others keep their proof. */
  seal(decision: Decision): void;
  /** A decision changed: if it is ours and in force, the fleet hears of it. */
  decided(decision: Decision): void;
  released(decision: Decision, actor: string, reason: string, forgive: boolean): void;
  /** True when this member stores what becomes of the decision: the server that made it, else the one that owns its source. */
  records(decision: Decision): boolean;
  /** In force as this member knows it, decisions of others included. */
  inForce(nowMs: number): ProvenDecision[];
  detection(detection: Detection, decision: Decision | undefined): void;
  evidence(evidence: Evidence): void;
  flows(flows: FlowRecord[]): void;
  drops(drops: readonly InlineDrop[]): void;
  reports(reports: readonly EnforcementReport[]): void;
  /** Allowlist and pause as the fleet has them. */
  readonly settings: SettingsLink;
  readonly policies: PoliciesLink;
  readonly addresses: AddressesLink;
  /** Call once a second. */
  tick(nowMs: number): void;
  status(): FleetLinkStatus;
  readonly serverSide: FleetServerSide | undefined;
  close(): Promise<void>;
}

export interface FleetLinkStatus {
  connected: boolean;
  server: string;
  lastError: string;
  beat: Heartbeat;
}

/** Opens the link of a member; the bus is dialled in the background and need not be there. */
export function openFleetLink(options: FleetOptions, deps: FleetLinkDeps): FleetLink {
  const { log } = deps;
  const { member, replica, dir, rosterFile } = deps.memory;
  const { name, site, role, sealer, trust } = member;
  const reach = options.share === 'all' ? 'all' : `${options.share}:${options.share === 'site' ? site : name}`;
  const startedMs = Date.now();
  const spool = openSpool(join(dir, 'spool'), options.spool_mib * 1024 * 1024);
  const flowSpool = openSpool(join(dir, 'flow-spool'), options.flow_spool_mib * 1024 * 1024);
  const bus = openFleetBus(member, log);
  const reportSpool = openSpool(join(dir, 'report-spool'), REPORT_SPOOL_BYTES);
  const work = runOutbox(bus, spool, MAX_TOGETHER);
  const flowWork = runOutbox(bus, flowSpool, MAX_TOGETHER);
  const reportWork = runOutbox(bus, reportSpool, 1);
  /** Where the evidence of a detection belongs. */
  const partitions = new Map<string, number>();

  const decisions = createDecisionLink({
    member,
    bus,
    replica,
    log,
    take(statement) {
      if (statement.state === 'active') deps.adopt(statement.decision);
      else deps.lift(statement.id, statement.actor, statement.reason, statement.forgive);
    },
    refused(statement, why) {
      const { signer } = proofOf(statement);
      log.warn({ signer, decisionId: idOf(statement), problem: why }, 'A decision of the fleet does not count here.');
      if (why.startsWith('its signature')) deps.forged(signer, why, idOf(statement));
    },
  });
  const registry = createRegistry({
    bus,
    log,
    beat,
    listens: role === 'server',
    ...(deps.server === undefined ? {} : { heard: deps.server.heard }),
  });
  const { settings, policy, addresses } = deps;
  const shared = openShared({ member, bus, dir, log, settings, policy, addresses });
  followRoster(member, bus, log, (roster) => {
    writeRoster(rosterFile, roster);
    deps.roster(roster);
    decisions.again();
    shared.again();
  });
  const serverSide =
    deps.server === undefined
      ? undefined
      : createServerSide({
          ...deps.server,
          take: takeWork(deps.server),
          member,
          bus,
          registry,
          log,
          streamMiB: options.stream_mib,
          decisions,
        });

  /** What the box has decided on a detection is known before the detection is judged. */
  function takeWork(server: FleetServerDeps): FleetServerDeps['take'] {
    return (task, from) => {
      if (task.type === 'detection' && task.decision?.proof) {
        decisions.hear({ state: 'active', decision: task.decision as ProvenDecision });
      }
      server.take(task, from);
    };
  }

  function beat(): Heartbeat {
    const { heard, refused, lagP95Ms } = decisions.stats();
    const spools = [spool.stats(), flowSpool.stats(), reportSpool.stats()];
    const sum = (of: (s: (typeof spools)[number]) => number): number => spools.reduce((n, s) => n + of(s), 0);
    return {
      ...{ name, role, site, version: deps.version, startedMs, atMs: Date.now() },
      ...deps.health(),
      decisions: { known: replica.size, refused, waiting: decisions.waiting(), lagP95Ms, heard },
      spool: { waiting: sum((s) => s.waiting), bytes: sum((s) => s.bytes), dropped: sum((s) => s.dropped) },
    };
  }

  function nextVersion(issuer: string, id: string): number {
    const known = replica.get(issuer, id);
    return Math.max(Date.now(), known ? proofOf(known).version + 1 : 0);
  }

  /** True when what we hold is exactly what somebody has said: nothing of it was changed here. */
  function isAsSaid(decision: Decision): boolean {
    const { proof } = decision;
    if (!proof) return false;
    const known = replica.get(proof.issuer, decision.id);
    if (known?.state !== 'active') return false;
    return known.decision.proof.version === proof.version && known.decision.expiresMs === decision.expiresMs;
  }

  return {
    name,
    site,
    role,
    servers: member.servers,
    get roster() {
      return trust.roster()?.signed;
    },
    serverSide,
    settings: shared.settings,
    policies: shared.policies,
    addresses: shared.addresses,
    seal(decision) {
      if (decision.simulated || isAsSaid(decision)) return;
      const issuer = decision.proof?.issuer ?? name;
      const version = nextVersion(issuer, decision.id);
      decision.proof = sealer.decision(decision, { issuer, reach: decision.proof?.reach ?? reach, version }).proof;
    },
    decided(decision) {
      const { proof, simulated, enforcement } = decision;
      if (simulated || proof?.signer !== name || isAsSaid(decision)) return;
      // What this box's own responder refuses is nobody's business: only what is in force here is said.
      if (enforcement !== 'applied' && (deps.hasResponder() || enforcement !== 'pending')) return;
      decisions.say({ state: 'active', decision: forTheWire(decision, proof) });
    },
    released(decision, actor, reason, forgive) {
      const issuer = decision.proof?.issuer;
      const known = issuer === undefined ? undefined : replica.get(issuer, decision.id);
      if (issuer === undefined || known?.state !== 'active') return;
      if (issuer !== name && role !== 'server') return;
      const { expiresMs, proof } = known.decision;
      const keepMs = expiresMs === 0 ? Date.now() + KEEP_RELEASE_MS : expiresMs;
      const claim = { issuer, reach: proof.reach, version: nextVersion(issuer, decision.id) };
      decisions.say(sealer.release({ id: decision.id, actor, reason, forgive, keepMs }, claim));
    },
    records({ proof, value }) {
      const issuer = proof === undefined ? undefined : trust.member(proof.issuer);
      if (issuer === undefined || issuer.role === 'server') return (proof?.issuer ?? name) === name;
      return serverSide?.owns(value) ?? true;
    },
    inForce(nowMs) {
      const list: ProvenDecision[] = [];
      for (const s of replica.values()) if (s.state === 'active' && endOf(s) > nowMs) list.push({ ...s.decision });
      return list;
    },
    detection(detection, decision) {
      const partition = partitionOf(detection.offender);
      partitions.set(detection.id, partition);
      if (partitions.size > REMEMBERED_PARTITIONS) partitions.delete(partitions.keys().next().value ?? '');
      const body = {
        type: 'detection',
        // Names in a fleet are those of its members, whatever a box calls its sensor.
        detection: { ...detection, sensor: name },
        ...(decision?.proof === undefined ? {} : { decision: forTheWire(decision, decision.proof) }),
      };
      work.push({ subject: SUBJECTS.detection(partition, name), id: detection.id, body });
    },
    evidence(evidence) {
      const partition = partitions.get(evidence.detectionId);
      if (partition === undefined) return;
      work.push({
        subject: SUBJECTS.detection(partition, name),
        id: `${evidence.detectionId}.evidence`,
        body: evidence,
      });
    },
    flows(flows) {
      flowWork.push({ subject: SUBJECTS.flows(name), id: uuid7(), body: { type: 'flows', flows } });
    },
    drops(drops) {
      if (drops.length > 0)
        flowWork.push({ subject: SUBJECTS.flows(name), id: uuid7(), body: { type: 'drops', drops } });
    },
    reports(reports) {
      const told = reports.filter((r) => !r.simulated);
      if (told.length > 0) reportWork.push({ subject: SUBJECTS.reports(name), id: uuid7(), body: { reports: told } });
    },
    tick(nowMs) {
      replica.expire(nowMs);
      decisions.tick(nowMs);
      serverSide?.tick(nowMs);
    },
    status() {
      const { connected, server, lastError } = bus.status();
      return { connected, server, lastError, beat: beat() };
    },
    async close() {
      await serverSide?.close();
      decisions.close();
      await bus.close();
      spool.close();
      flowSpool.close();
      reportSpool.close();
      replica.close();
    },
  };
}

/** What others need of a decision: nothing of what became of it here, and no names that mean nothing elsewhere. */
function forTheWire(decision: Decision, proof: ProvenDecision['proof']): ProvenDecision {
  const { set: _set, error: _error, hitPackets: _p, hitBytes: _b, lastHitMs: _h, incidentId: _i, ...rest } = decision;
  return { ...rest, alertIds: [], enforcement: 'pending', trace: { ...decision.trace }, proof: { ...proof } };
}
