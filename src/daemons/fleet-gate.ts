import { join } from 'node:path';
import type { LoadedConfig } from '../config/index.js';
import type { SignedRoster } from '../contract/ipc.js';
import type { Decision, EnforcementReport } from '../domain/decision.js';
import type { ResponderIncident } from '../enforce/index.js';
import { loadTrust, writeRoster } from '../fleet/index.js';
import { nowUs } from '../util/clock.js';
import type { Logger } from '../util/logger.js';

const INCIDENT_EVERY_MS = 60_000;

export interface FleetGateDeps {
  log: Logger;
  refuse(reports: EnforcementReport[]): void;
  incident(incident: ResponderIncident): void;
}

/**
 * In a fleet the responder carries out only what a member has signed and may say here: whoever takes over the bus, or the
 * server daemon's socket, cannot make it block. What is only counted needs no signature. Without a fleet everything passes.
 */
export interface FleetGate {
  /** @returns whether it counts; one that does not is reported as rejected, and recorded. */
  admit(decision: Decision): boolean;
  /**
   * As {@link admit}, for a list: other threads check the signatures, so that a block which comes meanwhile does not wait.
   * @returns those that count.
   */
  admitList(decisions: readonly Decision[]): Promise<Decision[]>;
  roster(roster: SignedRoster): void;
}

/** @throws AppError fleet.folder, fleet.roster */
export function createFleetGate(config: Pick<LoadedConfig, 'fleet' | 'enforce'>, deps: FleetGateDeps): FleetGate {
  const { folder, accept } = config.fleet;
  if (folder === undefined) {
    return { admit: () => true, admitList: (decisions) => Promise.resolve([...decisions]), roster: () => undefined };
  }
  const rosterFile = join(config.enforce.state_dir, 'roster.json');
  const trust = loadTrust(folder, accept, rosterFile);
  let lastIncidentMs = -Infinity;

  function refused(decision: Decision, why: string): EnforcementReport {
    const signer = decision.proof?.signer ?? '';
    deps.log.warn(
      { decisionId: decision.id, value: decision.value, signer, problem: why },
      'A decision does not count.',
    );
    const nowMs = performance.now();
    if (nowMs - lastIncidentMs > INCIDENT_EVERY_MS) {
      lastIncidentMs = nowMs;
      deps.incident({
        severity: 'critical',
        code: 'fleet.forged',
        message: `A decision on ${decision.value} was refused: ${why}.`,
        details: { decisionId: decision.id, value: decision.value, signer },
      });
    }
    const receivedUs = nowUs();
    const error = `not proved: ${why}`;
    return { decisionId: decision.id, enforcement: 'rejected', simulated: false, error, receivedUs, kernelUs: 0 };
  }

  return {
    admit(decision) {
      const why = decision.simulated ? undefined : trust.refuseDecision(decision);
      if (why !== undefined) deps.refuse([refused(decision, why)]);
      return why === undefined;
    },
    async admitList(decisions) {
      const real = decisions.filter((decision) => !decision.simulated);
      const why = await trust.refuseDecisions(real);
      const problems = new Map<Decision, string>();
      for (const [i, decision] of real.entries()) if (why[i] !== undefined) problems.set(decision, why[i]);
      if (problems.size > 0) deps.refuse([...problems].map(([decision, problem]) => refused(decision, problem)));
      return decisions.filter((decision) => !problems.has(decision));
    },
    roster(roster) {
      if (trust.offer(roster) === undefined) writeRoster(rosterFile, roster);
    },
  };
}
