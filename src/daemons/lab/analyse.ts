import { writeFile } from 'node:fs/promises';
import { loadConfig, type LoadedConfig } from '../../config/index.js';
import type { JobAlert } from '../../contract/http.js';
import { createCorrelator } from '../../correlate/index.js';
import type { Alert } from '../../domain/alert.js';
import type { Detection } from '../../domain/detection.js';
import { parsePolicy, policyError, type Policy } from '../../policy/index.js';
import { uuid7 } from '../../util/uuid7.js';
import { createOfflineEngine, openOfflineRun } from '../offline-run.js';
import type { ChildTask, JobResult } from './child-messages.js';
import { compareBlocks, type JobDecision } from './compare.js';

type Task = Extract<ChildTask, { op: 'analyse' }>;

const PROGRESS_MS = 200;
const MAX_BLOCKS = 20_000;
const MAX_EVIDENCE = 8;
const MAX_EVIDENCE_TEXT = 300;

/** The detectors and policies of this box over a capture. Nothing is blocked. */
export async function analyse(task: Task, onProgress: (packets: number) => void): Promise<JobResult> {
  const startedMs = performance.now();
  const config = detectorsOf(await loadConfig(task.configFile), task);
  const inForce = task.policies.map((text) => readPolicy(text));
  const active = createOfflineEngine(config, inForce);
  const candidate =
    task.candidate === undefined ? undefined : createOfflineEngine(config, withCandidate(inForce, task.candidate));
  const alerts = new Map<string, Alert>();
  const packetNumbers = new Map<string, number>();
  const decisions = { active: [] as JobDecision[], candidate: [] as JobDecision[] };
  const counts = { detections: 0, alerts: 0, flows: 0 };

  const correlator = createCorrelator(config.correlate, {
    newId: uuid7,
    emit({ alert, isNew, latest }) {
      if (isNew) counts.alerts++;
      if (alerts.has(alert.id) || alerts.size < task.maxAlerts) {
        alerts.set(alert.id, alert);
        if (isNew && latest.packetNumber !== undefined) packetNumbers.set(alert.id, latest.packetNumber);
      }
      for (const [side, engine] of [
        ['active', active],
        ['candidate', candidate],
      ] as const) {
        const decision = engine?.judge(alert, alert.lastMs).decision;
        if (decision && decisions[side].length < MAX_BLOCKS) {
          decisions[side].push({ decision: { ...decision, createdMs: alert.lastMs }, alertTitle: alert.title });
        }
      }
    },
  });

  let toldMs = 0;
  const run = await openOfflineRun(config, {
    onDetection(detection: Detection) {
      counts.detections++;
      correlator.push(detection);
    },
    onFlow: () => counts.flows++,
    onProgress(packets) {
      const now = performance.now();
      if (now - toldMs < PROGRESS_MS) return;
      toldMs = now;
      onProgress(packets);
    },
  });
  await run.read(task.capture, new AbortController().signal);
  await run.finish();
  correlator.tick(run.pipeline.nowUs / 1000 + 3_600_000);
  await run.detectors.close();

  const found = [...alerts.values()].sort((a, b) => a.firstMs - b.firstMs);
  await writeFile(task.alertsFile, toLines(found.map((alert) => toJobAlert(alert, packetNumbers.get(alert.id)))), {
    mode: 0o640,
  });
  const compared = compareBlocks(decisions.active, candidate ? decisions.candidate : undefined);
  await writeFile(task.blocksFile, toLines(compared), { mode: 0o640 });
  return {
    packets: run.pipeline.packets,
    bytes: run.pipeline.bytes,
    ...counts,
    labels: countBy(found, (a) => a.label).map(([label, n]) => ({ label, alerts: n })),
    severities: countBy(found, (a) => a.severity).map(([severity, n]) => ({ severity, alerts: n })),
    tookMs: Math.round(performance.now() - startedMs),
    truncated: counts.alerts > alerts.size,
    active: verdictOf(decisions.active),
    ...(candidate ? { candidate: verdictOf(decisions.candidate) } : {}),
  };
}

function detectorsOf(config: LoadedConfig, task: Task): LoadedConfig {
  const { signature, behaviour, models } = config.detect;
  return {
    ...config,
    detect: {
      ...config.detect,
      signature: { ...signature, enabled: signature.enabled && task.signatures },
      behaviour: { ...behaviour, enabled: behaviour.enabled && task.behaviour },
      models: { ...models, enabled: models.enabled && task.models },
    },
  };
}

function readPolicy(text: string, source = 'policy'): Policy {
  const parsed = parsePolicy(text, source);
  if (!parsed.ok) throw policyError(parsed.problems);
  return parsed.policy;
}

function withCandidate(inForce: readonly Policy[], text: string): Policy[] {
  const candidate = readPolicy(text, 'candidate');
  const isReplaced = inForce.some((policy) => policy.name === candidate.name);
  const others = inForce.map((policy) => (policy.name === candidate.name ? candidate : policy));
  return isReplaced ? others : [...others, candidate];
}

const toLines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

function toJobAlert(alert: Alert, packetNumber: number | undefined): JobAlert {
  const { id, title, label, severity, tiers, confidence, offender, victim, count, firstMs, lastMs } = alert;
  const { srcIp, srcPort, dstIp, dstPort, proto } = alert;
  return {
    ...{ id, title, label, severity, tiers, confidence, offender, srcIp, srcPort, dstIp, dstPort, proto },
    ...{ count, firstMs, lastMs },
    ...(victim === undefined ? {} : { victim }),
    ...(packetNumber === undefined ? {} : { packetNumber }),
    evidence: alert.evidence.slice(0, MAX_EVIDENCE).map(({ name, value, text }) => {
      const shown = text ?? value;
      return { name, value: typeof shown === 'string' ? shown.slice(0, MAX_EVIDENCE_TEXT) : shown };
    }),
  };
}

function verdictOf(decisions: readonly JobDecision[]): JobResult['active'] {
  return {
    decisions: decisions.length,
    offenders: new Set(decisions.map(({ decision }) => decision.value)).size,
    actions: Object.fromEntries(countBy(decisions, ({ decision }) => decision.action)),
  };
}

function countBy<T>(items: readonly T[], nameOf: (item: T) => string): [string, number][] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}
