import type { LoadedConfig } from '../../config/index.js';
import { createCorrelator, type Correlator } from '../../correlate/index.js';
import type { AlertUpdate } from '../../domain/alert.js';
import type { Decision } from '../../domain/decision.js';
import type { Detection } from '../../domain/detection.js';
import type { FlowRecord } from '../../domain/flow.js';
import type { Verdict } from '../../domain/verdict.js';
import { alertToSiemEvent } from '../../forward/index.js';
import { findSuperfluous } from '../../policy/index.js';
import type { Store } from '../../store/index.js';
import { uuid7 } from '../../util/uuid7.js';
import { createDecisionBook, type DecisionBook } from './decisions.js';
import type { EvidenceStore } from './evidence.js';
import { createFlowIntake } from './flow-intake.js';
import { createIncidentBook } from './incidents.js';
import { createJudge } from './judge.js';
import type { Outlets } from './outlets.js';
import type { Policing } from './policing.js';
import { createRemediationFeed, type RemediationFeed } from './remediation.js';
import { createResponseMemory } from './response-memory.js';

const MAX_WAITING_FLOWS = 50_000;

/** Sums of one second, for the timeline. */
export interface SecondSums {
  packets: number;
  bytes: number;
  flows: number;
  kernelDrops: number;
  alerts: number;
  blocks: number;
}

/**
 * From a detection to a decision on its way to the responders; store, SIEM and console get theirs after that. Everything
 * here is in memory and synchronous.
 */
export interface DecisionPath {
  correlator: Correlator;
  /** A detection, with what a box of the fleet has decided on it already. */
  push(detection: Detection, decided?: Decision): void;
  book: DecisionBook;
  remediation: RemediationFeed;
  flows: { push(sensor: string, flows: readonly FlowRecord[]): void; drain(): void; stats(): Record<string, number> };
  /** Since start. */
  counts: { detections: number; alerts: number; flows: number; problems: number };
  sums: SecondSums;
  /** @returns the sums since the last call. */
  takeSums(): SecondSums;
}

interface PathDeps {
  store: Store;
  policing: Policing;
  evidence: EvidenceStore;
  outlets: Outlets;
}

export async function openPath(config: LoadedConfig, deps: PathDeps): Promise<DecisionPath> {
  const { store, outlets } = deps;
  const { engine, blast } = deps.policing;
  const incidents = createIncidentBook();
  const responses = createResponseMemory();
  const remediation = createRemediationFeed(Date.now);
  const counts = { detections: 0, alerts: 0, flows: 0, problems: 0 };
  const sums: SecondSums = { packets: 0, bytes: 0, flows: 0, kernelDrops: 0, alerts: 0, blocks: 0 };

  const book = createDecisionBook({
    name: config.name,
    toResponders: outlets.toResponders,
    queue(write) {
      if (outlets.records(write.decision)) store.decisions.queue(write);
    },
    toSiem(event, decision) {
      if (outlets.records(decision)) outlets.toSiem(event);
    },
    released: outlets.released,
    changed(decision, isNew) {
      outlets.decided(decision);
      remediation.changed(decision);
      outlets.publish({ topic: 'decisions', data: decision }, isNew ? 'created' : 'updated');
    },
    ended: engine.ended,
    answered(decision) {
      if (!outlets.records(decision)) return;
      if (!decision.simulated) sums.blocks++;
      const response = decision.simulated ? 'simulated' : 'blocked';
      if (decision.alertIds.length > 0) store.alerts.queue({ ids: decision.alertIds, response });
    },
  });

  /** Of the detection at hand: made by a box of the fleet, or here. */
  let decidedThere: Decision | undefined;

  function judged({ alert, isNew, latest }: AlertUpdate, verdict: Verdict, decidedHere: Decision | undefined): void {
    const decision = decidedHere ?? decidedThere;
    if (decidedThere && !decidedThere.alertIds.includes(alert.id)) decidedThere.alertIds.push(alert.id);
    deps.evidence.link(latest.id, alert.id);
    counts.alerts += isNew ? 1 : 0;
    sums.alerts += isNew ? 1 : 0;
    const response = responses.of(alert.id, decision);
    store.alerts.queue({ alert, verdict, ...(response === undefined ? {} : { response }) });
    const grown = incidents.add(alert, isNew);
    store.incidents.queue(grown.incident);
    outlets.toSiem(
      alertToSiemEvent(alert, {
        isNew,
        action: response ?? 'allowed',
        ...(decision ? { decisionId: decision.id } : {}),
      }),
    );
    outlets.publishAlert(alert, response ?? 'none', isNew);
    outlets.publish({ topic: 'incidents', data: grown.incident }, grown.isNew ? 'created' : 'updated');
  }

  const judge = createJudge({ engine, book, condemn: blast.condemn, judged });
  const correlator = createCorrelator(config.correlate, { emit: judge, newId: uuid7 });
  const intake = createFlowIntake((sensor, flow) => {
    blast.note(flow);
    store.flows.queue(sensor, flow);
  }, MAX_WAITING_FLOWS);

  book.restore(await store.decisions.active(Date.now()));
  for (const { decision, by } of findSuperfluous(book.active())) book.replace(decision.id, by.id);
  remediation.restore(book.active());
  engine.restore(book.active());
  return {
    correlator,
    push(detection, decided) {
      decidedThere = decided && (book.get(decided.id) ?? decided);
      correlator.push(detection);
      decidedThere = undefined;
    },
    book,
    remediation,
    flows: intake,
    counts,
    sums,
    takeSums() {
      const taken = { ...sums };
      for (const key of Object.keys(sums) as (keyof SecondSums)[]) sums[key] = 0;
      return taken;
    },
  };
}
