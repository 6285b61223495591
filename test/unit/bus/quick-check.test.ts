import assert from 'node:assert/strict';
import test from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { fc } from '../../support/fuzz.js';
import type { z } from 'zod';
import { createQuickCheck } from '../../../src/bus/quick-check.js';
import { inlineCommandSchema, inlineMessageSchema } from '../../../src/contract/inline.js';
import {
  responderCommandSchema,
  responderMessageSchema,
  sensorCommandSchema,
  sensorMessageSchema,
} from '../../../src/contract/ipc.js';

const detection = {
  id: 'd1',
  tier: 'behaviour',
  gid: 2,
  signatureId: 1,
  rev: 1,
  label: 'port_scan',
  title: 'Port scan',
  category: 'attempted-recon',
  severity: 'medium',
  score: 0.9,
  confidence: 0.95,
  offender: '198.51.100.7',
  spoofable: false,
  evidence: [{ name: 'ports', value: 15, unit: 'ports', usual: 2 }],
  metadata: { scope: ['target'] },
  packetUs: 1,
  detectedUs: 2,
  repeats: 3,
  sensor: 'router',
  srcIp: '198.51.100.7',
  srcPort: 4711,
  dstIp: '203.0.113.1',
  dstPort: 22,
  proto: 6,
};
const decision = {
  id: 'x',
  action: 'block',
  scope: 'ip',
  value: '198.51.100.7',
  traffic: 'from',
  durationSecs: 60,
  createdMs: 1,
  expiresMs: 60_001,
  origin: 'policy',
  actor: 'scan',
  reason: 'a scan',
  alertIds: ['a'],
  simulated: false,
  mode: 'enforce',
  step: 0,
  enforcement: 'pending',
  trace: { packetUs: 1, detectedUs: 2, alertUs: 3, decidedUs: 4, receivedUs: 0, kernelUs: 0 },
};
const report = { decisionId: 'x', enforcement: 'applied', simulated: false, receivedUs: 5, kernelUs: 6 };

/** The messages that must be quick, and others beside them. */
const CASES: { schema: z.ZodType; message: Record<string, unknown>; isQuick: boolean }[] = [
  { schema: sensorMessageSchema, message: { type: 'detection', detection }, isQuick: true },
  { schema: responderCommandSchema, message: { type: 'decide', decision }, isQuick: true },
  { schema: responderCommandSchema, message: { type: 'sync', decisions: [decision, decision] }, isQuick: true },
  { schema: responderMessageSchema, message: { type: 'report', reports: [report] }, isQuick: true },
  { schema: responderMessageSchema, message: { type: 'answer', requestId: 'q', result: { any: [1] } }, isQuick: true },
  { schema: sensorMessageSchema, message: { type: 'stats', atMs: 1, stats: { a: 1, b: 'x', c: true } }, isQuick: true },
  { schema: sensorCommandSchema, message: { type: 'capture', running: true, interfaces: ['eth0'] }, isQuick: true },
  { schema: inlineCommandSchema, message: { type: 'block', value: '198.51.100.7' }, isQuick: true },
  { schema: inlineMessageSchema, message: { type: 'unheard of' }, isQuick: false },
];

const copy = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('what sensors and responders send on the way to a block gets a quick yes', () => {
  for (const { schema, message, isQuick } of CASES) {
    assert.equal(createQuickCheck(schema)(copy(message)), isQuick, JSON.stringify(message));
  }
});

/** Puts something else in one place of a message: hostile or broken, as JSON could bring it. */
function spoil(message: unknown, { path, what }: { path: number[]; what: unknown }): unknown {
  const whole = copy(message) as Record<string, unknown>;
  let at = whole;
  for (const [depth, step] of path.entries()) {
    const keys = Object.keys(at);
    const key =
      step % 7 === 0 ? ['extra', '__proto__', 'constructor'][step % 3]! : keys[step % Math.max(1, keys.length)]!;
    const next = Object.hasOwn(at, key) ? at[key] : undefined;
    if (depth < path.length - 1 && typeof next === 'object' && next !== null) {
      at = next as Record<string, unknown>;
      continue;
    }
    if (what === REMOVED) delete at[key];
    else Object.defineProperty(at, key, { value: what, enumerable: true, configurable: true, writable: true });
    break;
  }
  return JSON.parse(JSON.stringify(whole).replaceAll('"too large"', '1e999'));
}

const REMOVED = Symbol('removed');
const spoiled = fc.record({
  path: fc.array(fc.nat(40), { minLength: 1, maxLength: 4 }),
  what: fc.oneof(
    fc.constant(REMOVED),
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom(-1, 0.5, 'too large', 1e300, '', 'block', null, [], {}, ['x'], [['x']]),
  ),
});

/** A quick yes may only be given for what the schema takes as it is. */
function findWrongYes(check: (schema: z.ZodType) => (value: unknown) => boolean): unknown {
  const checks = CASES.map(({ schema, message }) => ({ schema, message, quick: check(schema) }));
  let wrong: unknown;
  fc.assert(
    fc.property(fc.nat(checks.length - 1), spoiled, (i, change) => {
      const { schema, message, quick } = checks[i]!;
      const value = spoil(message, change);
      if (wrong !== undefined || !quick(value)) return;
      const result = schema.safeParse(value);
      if (!result.success || !isDeepStrictEqual(result.data, value)) wrong = value;
    }),
    { numRuns: 4000, seed: 4 },
  );
  return wrong;
}

test('nothing that the contract refuses or changes ever gets a quick yes', () => {
  assert.equal(findWrongYes(createQuickCheck), undefined);
});

test('the comparison finds a check that takes any object, one that lets unknown keys pass, and one that overlooks a key', () => {
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  const lax = [
    () => (value: unknown) => isObject(value),
    (schema: z.ZodType) => (value: unknown) => schema.safeParse(value).success,
    (schema: z.ZodType) => (value: unknown) => {
      if (!isObject(value)) return false;
      const { ['interfaces']: _one, ...rest } = value;
      return createQuickCheck(schema)(rest);
    },
  ];
  for (const check of lax) assert.notEqual(findWrongYes(check), undefined);
});
