import { join } from 'node:path';
import type { Heartbeat } from '../contract/fleet.js';
import type { InlineDrop } from '../contract/inline.js';
import type { SensorMessage } from '../contract/ipc.js';
import type { Decision, EnforcementReport } from '../domain/decision.js';
import type { Detection } from '../domain/detection.js';
import type { FlowRecord } from '../domain/flow.js';
import { uuid7 } from '../util/uuid7.js';
import type { FleetBus } from './bus.js';
import { partitionOf, SUBJECTS } from './names.js';
import type { FleetOptions } from './options.js';
import { forTheWire } from './seal.js';
import { openSpool } from './spool.js';
import { runOutbox } from './work-outbox.js';

const MIB = 1024 * 1024;
/** Detections whose evidence may still come. */
const REMEMBERED_PARTITIONS = 2000;
/** Some 100,000 reports of a box that is cut off. */
const REPORT_SPOOL_BYTES = 32 * MIB;
/** Tasks of one message: what a server may hold unconfirmed is counted in messages. */
const MAX_TOGETHER = 64;

type Evidence = Extract<SensorMessage, { type: 'evidence' }>;

/** What a member has seen and done, on its way to the servers of the fleet: kept in spools until the bus has it. */
export interface WorkLink {
  /** @param decision what this member has decided on it, if anything. */
  detection(detection: Detection, decision: Decision | undefined): void;
  /** Of a detection that was handed over before; of any other it is dropped. */
  evidence(evidence: Evidence): void;
  flows(flows: FlowRecord[]): void;
  drops(drops: readonly InlineDrop[]): void;
  /** What became of decisions here; what was only counted is nobody's business. */
  reports(reports: readonly EnforcementReport[]): void;
  /** What waits in the spools, for the heartbeat. */
  spooled(): Heartbeat['spool'];
  close(): void;
}

/**
 * Opens the spools of a member and sends what is in them whenever the bus is there.
 * @param name of the member.
 * @param dir the folder of the link; each spool has one of its own in it.
 */
export function openWorkLink(name: string, dir: string, options: FleetOptions, bus: FleetBus): WorkLink {
  const detections = openSpool(join(dir, 'spool'), options.spool_mib * MIB);
  const traffic = openSpool(join(dir, 'flow-spool'), options.flow_spool_mib * MIB);
  const done = openSpool(join(dir, 'report-spool'), REPORT_SPOOL_BYTES);
  const spools = [detections, traffic, done];
  const work = runOutbox(bus, detections, MAX_TOGETHER);
  const flowWork = runOutbox(bus, traffic, MAX_TOGETHER);
  const reportWork = runOutbox(bus, done, 1);
  /** Where the evidence of a detection belongs. */
  const partitions = new Map<string, number>();

  return {
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
      const id = `${evidence.detectionId}.evidence`;
      work.push({ subject: SUBJECTS.detection(partition, name), id, body: evidence });
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
    spooled() {
      const stats = spools.map((spool) => spool.stats());
      const sum = (of: (s: (typeof stats)[number]) => number): number => stats.reduce((n, s) => n + of(s), 0);
      return { waiting: sum((s) => s.waiting), bytes: sum((s) => s.bytes), dropped: sum((s) => s.dropped) };
    },
    close() {
      for (const spool of spools) spool.close();
    },
  };
}
