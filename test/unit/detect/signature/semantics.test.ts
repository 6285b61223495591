import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createDecoder } from '../../../../src/decode/index.js';
import { loadRules, SignatureEngine } from '../../../../src/detect/signature/index.js';
import { DecodedPacket } from '../../../../src/domain/packet.js';
import { blockOf } from '../../decode/decode-one.js';
import { PACKETS, SEMANTICS } from './semantics-cases.js';

/** Names of the packets that each rule fires for, by its place in the list. */
function firedFor(options: readonly string[]): string[] {
  const text = options.map((o, i) => `alert ip any any -> any any (${o}; sid:${i + 1};)`).join('\n');
  const { rules, problems } = loadRules([{ file: 'a.rules', text }]);
  assert.deepEqual(problems, []);
  const fired = options.map((): string[] => []);
  let name = '';
  const limits = { maxAlertsPerPacket: 500, maxThresholdEntries: 10, maxHostBits: 10 };
  const engine = new SignatureEngine(rules, limits, { sensor: 's', emit: (d) => fired[d.signatureId - 1]!.push(name) });
  const content = { app: undefined, events: [], isValid: true, sentBytes: () => -1 };
  for (const [known, frame] of Object.entries(PACKETS)) {
    name = known;
    const packet = new DecodedPacket();
    createDecoder().decode(blockOf(frame), 0, packet);
    engine.onPacket(packet, undefined as never, -1, 0, content);
  }
  return fired.map((names) => names.join(' '));
}

describe('a rule fires for the packets that Suricata fires for:', () => {
  const fired = firedFor(SEMANTICS.map(([options]) => options));
  for (const [i, [options, packets]] of SEMANTICS.entries())
    test(options, () => {
      assert.equal(fired[i], packets);
    });

  test('every packet is fired for by some rule and left alone by another', () => {
    for (const name of Object.keys(PACKETS)) {
      const count = SEMANTICS.filter(([, packets]) => packets.split(' ').includes(name)).length;
      assert.ok(count > 0 && count < SEMANTICS.length, name);
    }
  });
});
