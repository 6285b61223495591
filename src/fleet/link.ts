import type { Heartbeat } from '../contract/fleet.js';
import type { Decision } from '../domain/decision.js';
import { openFleetBus } from './bus.js';
import { createDecisionLink } from './decision-link.js';
import type { FleetLink, FleetLinkDeps } from './fleet-link.js';
import { writeRoster } from './member.js';
import type { FleetOptions } from './options.js';
import { createRegistry } from './registry.js';
import { endOf } from './replica.js';
import { forTheWire, idOf, proofOf, type ProvenDecision } from './seal.js';
import { createServerSide, type FleetServerDeps } from './server-side.js';
import { openShared } from './shared.js';
import { followRoster } from './trust-link.js';
import { openWorkLink } from './work-link.js';

/** A permanent block that was lifted is remembered this long for members that are away. */
const KEEP_RELEASE_MS = 90 * 86_400_000;

/** Opens the link of a member; the bus is dialled in the background and need not be there. */
export function openFleetLink(options: FleetOptions, deps: FleetLinkDeps): FleetLink {
  const { log } = deps;
  const { member, replica, dir, rosterFile } = deps.memory;
  const { name, site, role, sealer, trust } = member;
  const reach = options.share === 'all' ? 'all' : `${options.share}:${options.share === 'site' ? site : name}`;
  const startedMs = Date.now();
  let wasSaved = true;
  const bus = openFleetBus(member, log);
  const work = openWorkLink(name, dir, options, bus);

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
    return {
      ...{ name, role, site, version: deps.version, startedMs, atMs: Date.now() },
      ...deps.health(),
      decisions: { known: replica.size, refused, waiting: decisions.waiting(), lagP95Ms, heard },
      spool: work.spooled(),
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
    peers: shared.peers,
    seal(decision) {
      if (decision.simulated || isAsSaid(decision)) return;
      const issuer = decision.proof?.issuer ?? name;
      const version = nextVersion(issuer, decision.id);
      decision.proof = sealer.decision(decision, { issuer, reach: decision.proof?.reach ?? reach, version }).proof;
    },
    decided(decision) {
      const { proof, simulated, enforcement } = decision;
      if (proof && enforcement === 'expired') replica.end(proof.issuer, decision.id, proof.version);
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
    detection: work.detection,
    evidence: work.evidence,
    flows: work.flows,
    drops: work.drops,
    reports: work.reports,
    tick(nowMs) {
      replica.expire(nowMs);
      if (replica.isSaved !== wasSaved) {
        wasSaved = replica.isSaved;
        if (wasSaved) log.info({}, 'Decisions of the fleet are written again.');
        else log.error({ dir }, 'Decisions of the fleet are in force but cannot be written: is the disk full?');
      }
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
      work.close();
      replica.close();
    },
  };
}
