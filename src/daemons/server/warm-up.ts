import { createInbox, createOutbox } from '../../bus/index.js';
import { responderMessageSchema, sensorMessageSchema } from '../../contract/ipc.js';
import { createCorrelator, type CorrelateOptions } from '../../correlate/index.js';
import type { Detection } from '../../domain/detection.js';
import { createBlastTracker, createPolicyEngine, type Policy, type PolicyOptions } from '../../policy/index.js';
import { nowUs } from '../../util/clock.js';
import { silentLogger } from '../../util/logger.js';
import { uuid7 } from '../../util/uuid7.js';
import { createDecisionBook } from './decisions.js';
import { createJudge } from './judge.js';

export interface WarmUpInput {
  correlate: CorrelateOptions;
  policy: PolicyOptions;
  policies: readonly Policy[];
  /** Detections pushed through. */
  rounds: number;
}

/** CPU time of a part: 17 to 27 ms for the first, 1 to 9 for most others. */
const ROUNDS_OF_A_PART = 30;

/** Of the addresses reserved for benchmarks, 198.18.0.0/15 (RFC 2544): none is ever a real offender. */
const addressOf = (i: number): string => `198.18.${(i >> 8) & 0xff}.${i & 0xff}`;

/**
 * Takes made-up detections the whole way from the sensor's line to the line for the responder and back, with a correlator,
 * a policy engine and a decision book of their own whose results go nowhere. Without it the first real attacks would run
 * through code that the compiler has not seen yet, several times slower.
 * @returns decisions that were made; 0 when no policy answers a scan.
 */
export function warmUp(input: WarmUpInput): number {
  const parts = warmUpInParts(input);
  for (;;) {
    const { done, value } = parts.next();
    if (done === true) return value;
  }
}

/** The same, for who has work to do between the parts; one takes some milliseconds. */
export function* warmUpInParts({ correlate, policy, policies, rounds }: WarmUpInput): Generator<void, number> {
  let decisions = 0;
  const blast = createBlastTracker({ maxAddresses: rounds, windowMs: 60_000, homeNetworks: policy.home_networks });
  const engine = createPolicyEngine(policy, {
    findProtected: () => undefined,
    findAllowed: () => undefined,
    blastRadius: (network) => blast.radius(network, Date.now()),
    mode: () => 'enforce',
    pausedUntilMs: () => 0,
    newId: uuid7,
  });
  engine.setPolicies(policies);
  const outbox = createOutbox(1 << 20);
  const book = createDecisionBook({
    name: 'warm-up',
    toResponders(command) {
      outbox.push(command);
      return 1;
    },
    queue: () => undefined,
    toSiem: () => undefined,
    changed: () => undefined,
    ended: engine.ended,
    answered: () => undefined,
  });
  const judge = createJudge({
    engine,
    book,
    condemn: blast.condemn,
    judged(_update, _verdict, decision) {
      if (!decision) return;
      decisions++;
      fromResponder.accept(reportLine(decision.id));
      book.release(decision.id, 'warm-up', 'done', true);
    },
  });
  const correlator = createCorrelator(correlate, { emit: judge, newId: uuid7 });
  const fromSensor = createInbox(sensorMessageSchema, silentLogger, (message) => {
    if (message.type === 'detection') correlator.push(message.detection);
  });
  const fromResponder = createInbox(responderMessageSchema, silentLogger, (message) => {
    if (message.type === 'report') book.report(message.reports);
  });
  for (let i = 0; i < rounds; i++) {
    if (i > 0 && i % ROUNDS_OF_A_PART === 0) yield;
    fromSensor.accept(JSON.stringify({ type: 'detection', detection: detectionOf(i) }));
  }
  return decisions;
}

function reportLine(decisionId: string): string {
  const atUs = nowUs();
  const report = { decisionId, enforcement: 'applied', simulated: false, receivedUs: atUs, kernelUs: atUs };
  return JSON.stringify({ type: 'report', reports: [report] });
}

/** What sensors send most: behaviours, models with their features, rules. */
function detectionOf(i: number): Detection {
  const atUs = nowUs();
  const offender = addressOf(i);
  const base = {
    id: uuid7(),
    rev: 1,
    offender,
    victim: '198.19.0.1',
    srcIp: offender,
    srcPort: 40_000,
    dstIp: '198.19.0.1',
    dstPort: 443,
    proto: 6,
    spoofable: false,
    packetUs: atUs,
    detectedUs: atUs,
    sensor: 'warm-up',
  };
  if (i % 3 === 0) {
    return {
      ...base,
      tier: 'classification',
      gid: 3,
      signatureId: 1,
      label: 'unknown',
      title: 'Attack of an unknown kind',
      category: 'attempted-recon',
      severity: 'medium',
      score: 0.9,
      confidence: 0.9,
      evidence: [{ name: 'packets', value: 12, usual: 3, contribution: 0.2, text: '12 packets; usual: 3' }],
      features: { schema: 'flow', values: new Array<number>(85).fill(0.5) },
    };
  }
  if (i % 3 === 1) {
    return {
      ...base,
      tier: 'signature',
      gid: 1,
      signatureId: 1_000_001,
      label: 'web-application-attack',
      title: 'A rule',
      category: 'Web Application Attack',
      severity: 'high',
      score: 1,
      confidence: 0.9,
      evidence: [{ name: 'rule', value: 'alert http any any -> any any (msg:"A rule"; sid:1000001;)' }],
      metadata: { confidence: ['high'] },
      flowId: i,
      communityId: '1:AAAAAAAAAAAAAAAAAAAAAAAAAAA=',
      appProto: 'http',
    };
  }
  return {
    ...base,
    tier: 'behaviour',
    gid: 2,
    signatureId: 1,
    label: 'port_scan',
    title: 'Port scan',
    category: 'attempted-recon',
    severity: 'medium',
    score: 0.9,
    confidence: 0.95,
    attack: { techniqueId: 'T1046', techniqueName: 'Network Service Discovery' },
    evidence: [{ name: 'ports', value: 15, unit: 'ports', usual: 2, text: '15 distinct ports in 1 s; usual: 2' }],
  };
}
