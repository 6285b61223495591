import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import { PROTO } from '../../../src/domain/packet.js';
import { createFlowTable } from '../../../src/flow/index.js';
import { packet } from './packets.js';

/** A step of a run: a UDP packet between few endpoints, so that flows meet, or time that goes by. */
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ from: fc.nat(5), to: fc.nat(5), port: fc.nat(3), back: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ waitSecs: fc.nat(60) }) },
);

/** The obvious table: a map from text to counters, timeouts looked at with every packet. */
function model(steps: readonly unknown[], ignoreDirection: boolean): string[] {
  const live = new Map<string, { fwd: number; bwd: number; first: string; lastSecs: number }>();
  const ended: string[] = [];
  let now = 0;
  for (const s of steps as ({ waitSecs: number } | { from: number; to: number; port: number; back: boolean })[]) {
    if ('waitSecs' in s) {
      now += s.waitSecs;
      continue;
    }
    const [a, b] = s.back ? [`${s.to}:53`, `${s.from}:${s.port}`] : [`${s.from}:${s.port}`, `${s.to}:53`];
    const key = ignoreDirection ? `${a} ${b}` : [a, b].sort().join(' ');
    let flow = live.get(key);
    if (flow !== undefined && now - flow.lastSecs > (flow.bwd > 0 ? 180 : 30)) {
      ended.push(`${flow.fwd},${flow.bwd}`);
      flow = undefined;
    }
    flow ??= { fwd: 0, bwd: 0, first: a, lastSecs: now };
    if (a === flow.first) flow.fwd++;
    else flow.bwd++;
    flow.lastSecs = now;
    live.set(key, flow);
  }
  for (const flow of live.values()) ended.push(`${flow.fwd},${flow.bwd}`);
  return ended.sort();
}

function viaTable(steps: readonly unknown[], sweep: boolean): string[] {
  const ended: string[] = [];
  const table = createFlowTable(
    { maxFlows: 64 },
    { onEnd: (c, slot) => ended.push(`${c.packetsFwd[slot]},${c.packetsBwd[slot]}`) },
  );
  let now = 1e15;
  for (const s of steps as ({ waitSecs: number } | { from: number; to: number; port: number; back: boolean })[]) {
    if ('waitSecs' in s) {
      now += s.waitSecs * 1e6;
      if (sweep) table.tick(now);
      continue;
    }
    const client = { src: `10.0.0.${s.from}`, dst: `10.1.0.${s.to}`, srcPort: s.port, dstPort: 53 };
    const server = { src: client.dst, dst: client.src, srcPort: 53, dstPort: s.port };
    table.push(packet({ ...(s.back ? server : client), proto: PROTO.UDP, tsUs: now }));
  }
  table.flush(now);
  return ended.sort();
}

describe('flow table against a map of objects', () => {
  // Clients and servers have their own addresses here, so the model's names do not collide.
  const separate = fc.array(step, { maxLength: 300 });
  const rename = (steps: readonly unknown[]): unknown[] =>
    (steps as Record<string, number>[]).map((s) => ('waitSecs' in s ? s : { ...s, to: s.to! + 100 }));

  it('counts the same flows, with and without sweeps in between', () => {
    fc.assert(
      fc.property(separate, (raw) => {
        const steps = rename(raw);
        const expected = model(steps, false);
        assert.deepEqual(viaTable(steps, false), expected);
        assert.deepEqual(viaTable(steps, true), expected);
      }),
      { numRuns: 300 },
    );
  });

  it('notices when the model is wrong about directions', () => {
    const steps = rename([
      { from: 1, to: 2, port: 3, back: false },
      { from: 1, to: 2, port: 3, back: true },
    ]);
    assert.notDeepEqual(viaTable(steps, false), model(steps, true));
  });
});
