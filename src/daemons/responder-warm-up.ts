import { createInbox } from '../bus/index.js';
import { responderCommandSchema } from '../contract/ipc.js';
import type { Decision } from '../domain/decision.js';
import { openWarmUpRun, type EnforceOptions } from '../enforce/index.js';
import { silentLogger } from '../util/logger.js';
import { uuid7 } from '../util/uuid7.js';

/**
 * Takes made-up decisions the way from the server's line to the report, with books of their own that go nowhere.
 * @param rounds decisions; each is lifted again.
 * @returns reports made: two a decision.
 */
export async function warmUpResponder(options: EnforceOptions, rounds: number): Promise<number> {
  const run = await openWarmUpRun(options);
  let taken: Promise<void> = Promise.resolve();
  const inbox = createInbox(responderCommandSchema, silentLogger, (message) => {
    if (message.type === 'decide') taken = run.take(message.decision);
  });
  for (let i = 0; i < rounds; i++) {
    inbox.accept(JSON.stringify({ type: 'decide', decision: decisionOf(i) }));
    await taken;
  }
  return run.reports;
}

/** A block of an address of the networks for benchmarks, 198.18.0.0/15 (RFC 2544): none is ever a real offender. */
function decisionOf(i: number): Decision {
  const nowMs = Date.now();
  const us = nowMs * 1000;
  return {
    id: uuid7(),
    action: 'block',
    scope: 'ip',
    value: `198.18.${(i >> 8) & 0xff}.${i & 0xff}`,
    traffic: 'from',
    durationSecs: 600,
    createdMs: nowMs,
    expiresMs: nowMs + 600_000,
    origin: 'policy',
    actor: 'warm-up',
    policy: 'warm-up',
    policyVersion: 1,
    reason: 'Nothing: this is made up.',
    alertIds: [uuid7()],
    simulated: false,
    mode: 'enforce',
    step: 0,
    enforcement: 'pending',
    trace: { packetUs: us, detectedUs: us, alertUs: us, decidedUs: us, receivedUs: 0, kernelUs: 0 },
  };
}
