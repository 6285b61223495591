import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { responseRequestSchema, type ResponseAnswer } from '../../../src/contract/http.js';
import type { ResponderCommand } from '../../../src/contract/ipc.js';
import { loadConfig } from '../../../src/config/index.js';
import { createDecisionBook, createExemptions } from '../../../src/daemons/server/decisions.js';
import { createResponseRequests } from '../../../src/daemons/server/response-requests.js';
import type { Mode } from '../../../src/domain/decision.js';
import type { SiemEvent } from '../../../src/domain/siem-event.js';
import { siemOptionsSchema } from '../../../src/forward/index.js';
import { policyOptionsSchema } from '../../../src/policy/index.js';

const config = await loadConfig();
const ACTOR = { name: 'token:soar' };
let mode: Mode;
let pausedUntilMs: number;
let benignFlows: number;
let sent: ResponderCommand[];
let toSiem: SiemEvent[];
let exemptions: ReturnType<typeof createExemptions>;
let book: ReturnType<typeof createDecisionBook>;

beforeEach(() => {
  mode = 'enforce';
  pausedUntilMs = 0;
  benignFlows = 0;
  sent = [];
  toSiem = [];
  exemptions = createExemptions();
  book = createDecisionBook({
    name: 'fw1',
    toResponders: (command) => sent.push(command),
    queue: () => undefined,
    toSiem: (event) => toSiem.push(event),
    changed: () => undefined,
    ended: () => undefined,
    answered: () => undefined,
  });
});

function ask(items: object[], change: object = {}, options: object = {}): ResponseAnswer[] {
  const respond = createResponseRequests(
    {
      book,
      config,
      exemptions,
      settings: {
        mode: () => mode,
        pausedUntilMs: () => pausedUntilMs,
        setMode: () => Promise.resolve(),
        adoptPause: () => undefined,
        refresh: () => Promise.resolve(),
        pauseUntil: () => Promise.resolve(),
        learning: () => null,
        learn: () => Promise.resolve(),
        tick: () => Promise.resolve(),
      },
      guards: {
        findProtected: exemptions.findProtected,
        findAllowed: exemptions.findAllowed,
        blastRadius: () => ({ benignFlows, benignPeers: 0 }),
      },
      policyOptions: policyOptionsSchema.parse({}),
    },
    siemOptionsSchema.parse({ requests: options }).requests,
  );
  const base = { idempotencyKey: 'key-12345678', source: 'wazuh', reference: 'alert 9' };
  return respond(responseRequestSchema.parse({ ...base, items, ...change }), ACTOR);
}

const block = (value: string, change: object = {}) => ({ op: 'block', value, reason: 'brute force', ...change });
const applied = (id: string) =>
  book.report([{ decisionId: id, enforcement: 'applied', simulated: false, receivedUs: 1, kernelUs: 2 }]);

describe('what a SIEM asks for', () => {
  it('goes to the responder with the SIEM as its origin, and its source and reference in the reason', () => {
    const [answer] = ask([block('203.0.113.7', { durationSecs: 600 })]);
    assert.equal(answer?.outcome, 'accepted', answer?.message);
    const decision = book.get(answer.decisionIds[0]!);
    assert.equal(decision?.origin, 'siem');
    assert.equal(decision.actor, 'token:soar');
    assert.equal(decision.reason, 'brute force (wazuh alert 9)');
    assert.equal(decision.durationSecs, 600);
    assert.equal(decision.simulated, false);
    assert.deepEqual(sent.map((c) => c.type), ['decide']); // prettier-ignore
    applied(decision.id);
    assert.equal(toSiem[0]?.kind === 'decision' && toSiem[0].op, 'block');
  });

  it('may be a prefix around an allowed host: in the kernel the exemption comes first', () => {
    exemptions.setAllowed([{ id: '1', value: '203.0.113.7', owner: 'o', comment: 'partner', createdMs: 0, expiresMs: 0 }]); // prettier-ignore
    const [answer] = ask([block('203.0.113.0/24')]);
    assert.equal(answer?.outcome, 'accepted', answer?.message);
  });

  const refusals: [string, string, () => ResponseAnswer[]][] = [
    ['a protected address', 'decision.protected', () => {
      exemptions.setProtected([{ value: '203.0.113.0/24', reason: 'gateway', detail: 'eth0' }]);
      return ask([block('203.0.113.7')]);
    }],
    ['a prefix that holds a protected address', 'decision.protected', () => {
      exemptions.setProtected([{ value: '203.0.113.1', reason: 'gateway', detail: 'eth0' }]);
      return ask([block('203.0.113.0/24')]);
    }],
    ['an allowed address', 'decision.allowed', () => {
      exemptions.setAllowed([{ id: '1', value: '203.0.113.7', owner: 'o', comment: 'partner', createdMs: 0, expiresMs: 0 }]);
      return ask([block('203.0.113.7')]);
    }],
    ['an address that ordinary traffic shares', 'decision.warned', () => {
      benignFlows = 1000;
      return ask([block('203.0.113.7')]);
    }],
    ['too wide a prefix', 'response.prefix', () => ask([block('203.0.0.0/16')])],
    ['too wide an IPv6 prefix', 'response.prefix', () => ask([block('2001:db8::/32')])],
    ['everything', 'response.prefix', () => ask([block('0.0.0.0/0')])],
    ['what the responder never blocks', 'decision.invalid', () => ask([block('224.0.0.251')])],
    ['a port of a protocol without ports', 'decision.invalid', () => ask([block('203.0.113.7', { proto: 1, port: 8 })])],
    ['what is no address', 'request.bad_address', () => ask([block('203.0.113.7; drop')])],
    ['one service without its protocol', 'decision.invalid', () => ask([block('203.0.113.7', { port: 22 })])],
    ['more than the hourly limit', 'response.limit', () => ask([block('203.0.113.7')], {}, { max_blocks_per_hour: 0 })],
  ]; // prettier-ignore
  for (const [what, code, run] of refusals) {
    it(`is refused for ${what}: ${code}`, () => {
      const answer = run().at(-1);
      assert.equal(answer?.outcome, 'refused');
      assert.equal(answer.code, code);
      assert.deepEqual(sent, []);
    });
  }

  it('is shortened to the longest duration, and the answer says so; no duration means the default', () => {
    const [long, none, forever] = ask([
      block('203.0.113.7', { durationSecs: 10 * 86_400 }),
      block('203.0.113.8'),
      block('203.0.113.9', { durationSecs: 0 }),
    ]);
    assert.equal(long?.capped, true);
    assert.match(long.message, /shortened/);
    assert.equal(book.get(long.decisionIds[0]!)?.durationSecs, 86_400);
    assert.equal(book.get(none!.decisionIds[0]!)?.durationSecs, 3600);
    assert.equal(book.get(forever!.decisionIds[0]!)?.durationSecs, 3600);
  });

  it('is counted and not enforced in suggest mode, in observe mode and while responses are paused', () => {
    mode = 'suggest';
    assert.equal(ask([block('203.0.113.7')])[0]?.simulated, true);
    mode = 'observe';
    assert.equal(ask([block('203.0.113.8')])[0]?.simulated, true);
    mode = 'enforce';
    pausedUntilMs = Date.now() + 60_000;
    assert.equal(ask([block('203.0.113.9')])[0]?.simulated, true);
    for (const decision of book.active()) assert.equal(decision.simulated, true);
  });

  it('that is in force already changes nothing, or makes its own block longer', () => {
    const [first] = ask([block('203.0.113.7', { durationSecs: 600 })]);
    const [same] = ask([block('203.0.113.7', { durationSecs: 300 })]);
    assert.equal(same?.outcome, 'unchanged');
    assert.deepEqual(same.decisionIds, first?.decisionIds);
    const [longer] = ask([block('203.0.113.7', { durationSecs: 7200 })]);
    assert.equal(longer?.outcome, 'accepted');
    assert.deepEqual(longer.decisionIds, first?.decisionIds);
    assert.equal(book.active().length, 1);
  });

  it('may lift what programs decided, and not what a person decided', () => {
    const [answer] = ask([block('203.0.113.7')]);
    const [lifted] = ask([{ op: 'release', value: '203.0.113.7/32', reason: 'case closed' }]);
    assert.equal(lifted?.outcome, 'accepted');
    assert.deepEqual(lifted.decisionIds, answer?.decisionIds);
    assert.equal(book.active().length, 0);
    const [nothing] = ask([{ op: 'release', value: '203.0.113.7', reason: 'case closed' }]);
    assert.equal(nothing?.outcome, 'unchanged');

    const [again] = ask([block('203.0.113.7')]);
    const decision = book.get(again!.decisionIds[0]!)!;
    decision.origin = 'operator';
    decision.actor = 'olga';
    const [refused] = ask([{ op: 'release', value: '203.0.113.7', reason: 'case closed' }]);
    assert.equal(refused?.code, 'response.operator');
    assert.equal(book.active().length, 1);
  });

  it('as a dry run is answered in full and does nothing', () => {
    ask([block('198.51.100.1')]);
    sent = [];
    const answers = ask(
      [block('203.0.113.7'), block('0.0.0.0/0'), { op: 'release', value: '198.51.100.1', reason: 'r' }],
      { dryRun: true },
    );
    assert.deepEqual(answers.map((a) => a.outcome), ['accepted', 'refused', 'accepted']); // prettier-ignore
    assert.deepEqual(sent, []);
    assert.equal(book.active().length, 1);
  });
});
