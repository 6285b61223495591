import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRules, SignatureEngine, type PacketContent, type Rule } from '../../../src/detect/signature/index.js';
import { createFlowTable } from '../../../src/flow/index.js';
import { packet, type PacketFields } from '../../unit/support/packets.js';

const rulesOf = (...texts: string[]): Rule[] => loadRules([{ file: 'x.rules', text: texts.join('\n') }]).rules;
const CONTENT: PacketContent = { app: undefined, events: [], isValid: true, sentBytes: () => 0 };

/** An engine over a flow table, fed with packets of one UDP flow. */
function engineWith(rules: Rule[], maxStreamBytes?: number) {
  const fired: number[] = [];
  const limits = { maxAlertsPerPacket: 15, maxThresholdEntries: 1000, maxHostBits: 1000 };
  const engine = new SignatureEngine(rules, maxStreamBytes === undefined ? limits : { ...limits, maxStreamBytes }, {
    emit: (d) => fired.push(d.signatureId),
    sensor: 'test',
    communityId: () => '1:test',
  });
  const flows = createFlowTable({}, { onEnd: () => undefined });
  return {
    engine,
    fired,
    send(payload: string, fields: PacketFields = {}) {
      const p = packet({ proto: 17, dport: 7000, payload, ...fields });
      const slot = flows.push(p);
      engine.onPacket(p, flows, slot, flows.direction, CONTENT);
      return slot;
    },
    stream(slot: number, text: string, position: number) {
      const bytes = new TextEncoder().encode(text);
      engine.onData(slot, 0, bytes, 0, bytes.length, position);
    },
  };
}

const SET = 'alert udp any any -> any any (content:"first"; flowbits:set,seen; flowbits:noalert; sid:1;)';
const GET = 'alert udp any any -> any any (content:"second"; flowbits:isset,seen; sid:2;)';

test('a flow keeps its bits over a reload, and rules that are gone are silent', async () => {
  const { engine, fired, send } = engineWith(rulesOf(SET, GET));
  send('first');
  await engine.setRulesGradually(rulesOf(GET, 'alert udp any any -> any any (content:"third"; sid:3;)'));
  send('second third');
  assert.deepEqual(fired, [2, 3]);
  engine.setRules(rulesOf('alert udp any any -> any any (content:"third"; sid:3;)'));
  send('second');
  assert.deepEqual(fired, [2, 3]);
});

test('packets that come while the new rules are prepared meet the old ones', async () => {
  const { engine, fired, send } = engineWith(rulesOf('alert udp any any -> any any (content:"x"; sid:1;)'));
  const many = Array.from(
    { length: 400 },
    (_, n) => `alert udp any any -> any ${n + 1} (content:"x${n}"; sid:${n + 10};)`,
  );
  const swap = engine.setRulesGradually(rulesOf(...many, 'alert udp any any -> any any (content:"x"; sid:2;)'), 0);
  send('x');
  await swap;
  send('x');
  assert.deepEqual(fired, [1, 2]);
});

test('streams beyond the memory limit are seen without what was kept of them, and counted', () => {
  const rule = 'alert tcp-stream any any -> any any (content:"needle"; sid:5;)';
  for (const [limit, expected] of [
    [1_000_000, [5]],
    [0, []],
  ] as const) {
    const { engine, fired, send, stream } = engineWith(rulesOf(rule), limit);
    const slot = send('', { proto: 6, flags: 2 });
    stream(slot, 'a nee', 0);
    send('', { proto: 6, flags: 16, seq: 1 });
    stream(slot, 'dle', 5);
    send('', { proto: 6, flags: 16, seq: 1 });
    assert.deepEqual(fired, expected, `limit ${limit}`);
    assert.equal(engine.stats()['signature_streams_shed']! > 0, limit === 0);
    if (limit > 0) continue;
    // A whole needle in one piece is found all the same.
    stream(slot, 'needle', 8);
    send('', { proto: 6, flags: 16, seq: 1 });
    assert.deepEqual(fired, [5]);
  }
});
