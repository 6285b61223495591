import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { addFormats } from './formats.js';
import { fc } from '../../support/fuzz.js';
import { sampleAlert, sampleDecision, sampleFlow, sampleIncident } from '../../unit/store/samples.js';
import { startHarness, type Answer, type Harness } from '../../unit/api/harness.js';

interface Schema {
  [key: string]: unknown;
}
interface Parameter {
  name: string;
  in: 'path' | 'query';
  required: boolean;
  schema: Schema;
}
interface OperationDocument {
  operationId: string;
  'x-access': string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}
interface OpenApi {
  paths: Record<string, Record<string, OperationDocument>>;
  components: { schemas: { Problem: Schema } };
}

/** Text that tends to break things. */
const nasty = fc.constantFrom(
  '', '\u0000', '../../etc/passwd', '%00', "' OR 1=1 --", '<script>alert(1)</script>', '${7*7}', 'ip:', 'ip:0.0.0.0/0', '-', '"',
  '__proto__', 'constructor', '\ud800', 'a'.repeat(5000), '::1', '0.0.0.0/0', '999.1.1.1', 'NaN', '1e999', '-1', 'null', '\u202e',
); // prettier-ignore

const anything = fc.oneof(
  nasty,
  fc.string(),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.jsonValue(),
);

/** Values that a JSON schema allows, mostly; now and then anything. */
function valueOf(schema: Schema): fc.Arbitrary<unknown> {
  const fitting = fittingValue(schema);
  return fc.oneof({ arbitrary: fitting, weight: 12 }, { arbitrary: anything, weight: 1 });
}

function fittingValue(schema: Schema): fc.Arbitrary<unknown> {
  const variants = (schema['anyOf'] ?? schema['oneOf']) as Schema[] | undefined;
  if (variants) return fc.oneof(...variants.map(fittingValue));
  if ('const' in schema) return fc.constant(schema['const']);
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]));
  switch (schema['type']) {
    case 'string':
      return textOf(schema);
    case 'integer':
    case 'number': {
      const min = Math.max(Number(schema['minimum'] ?? -1000), -1e9);
      const max = Math.min(Number(schema['maximum'] ?? 1e6), 1e9);
      return fc.integer({ min: Math.ceil(min), max: Math.floor(max) });
    }
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(valueOf((schema['items'] ?? {}) as Schema), { maxLength: 4 });
    case 'object':
      return objectOf(schema);
    default:
      return anything;
  }
}

function textOf(schema: Schema): fc.Arbitrary<string> {
  if (schema['format'] === 'uuid') return fc.oneof(fc.constantFrom(...known), fc.uuid());
  const words = [
    '203.0.113.7',
    '203.0.113.0/24',
    '2001:db8::1',
    'scanners',
    'edge',
    'olga',
    'admin',
    '123456',
    'lan0',
    'a: 1',
  ];
  const plain = fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'grapheme', maxLength: 40 }));
  if (typeof schema['pattern'] !== 'string') return plain;
  return fc.oneof(
    { arbitrary: plain, weight: 2 },
    { arbitrary: fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,31}$/), weight: 3 },
  );
}

function objectOf(schema: Schema): fc.Arbitrary<unknown> {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
  const required = (schema['required'] ?? []) as string[];
  const model = Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, valueOf(inner)]));
  return fc.record(model, { requiredKeys: required });
}

/** Ids of things that exist, so that requests reach past the 404. */
let known: string[] = [randomUUID()];

const RUNS_EACH = 25;
const BINARY = { 'Content-Type': 'application/octet-stream' };

describe('every operation of the OpenAPI document under generated requests', () => {
  let h: Harness;
  let document: OpenApi;
  let token: string;
  let password = '';
  const ajv = addFormats(new Ajv2020({ strict: false, allErrors: false }));
  let isProblem: ValidateFunction;

  before(async () => {
    h = await startHarness();
    await h.addUser('fuzz', 'admin');
    token = (await h.login('fuzz')).token;
    const alert = sampleAlert({ title: '<img src=x onerror=alert(1)>' });
    const incident = sampleIncident({ id: alert.incidentId });
    const decision = sampleDecision({ alertIds: [alert.id], expiresMs: 0 });
    h.store.alerts.queue({ alert });
    h.store.incidents.queue(incident);
    h.store.flows.queue('edge', sampleFlow());
    await h.store.decisions.save({ decision });
    await h.store.flush();
    const upload = (await h.call('POST', '/captures?name=a.pcap', { token, body: 'x', headers: BINARY })).body as {
      id: string;
    };
    const job = (await h.call('POST', '/jobs', { token, body: { captureId: upload.id } })).body as { id: string };
    known = [alert.id, incident.id, decision.id, upload.id, job.id];
    document = (await h.call('GET', '//openapi.json')).body as OpenApi;
    isProblem = ajv.compile(document.components.schemas.Problem);
    password = (await h.store.users.get('fuzz'))?.passwordHash ?? '';
  });
  after(() => h.close());

  /** The fuzzing admin stays admin, logged in and unlocked. */
  async function repair(): Promise<void> {
    await h.store.users.update('fuzz', { role: 'admin', disabled: false, mustChangePassword: false, passwordHash: password, failedLogins: 0, lockedUntilMs: 0, totpSecret: '' }); // prettier-ignore
    if ((await h.call('GET', '/auth/me', { token })).status !== 200) token = (await h.login('fuzz')).token;
  }
  /** Only these can take the admin's rights away; doing without a repair after each request halves the time. */
  const endangers = (template: string): boolean => /^\/api\/v1\/(auth|users|sessions)/.test(template);

  function checkAnswer(operation: OperationDocument, answer: Answer, validate: Map<string, ValidateFunction>): void {
    const { operationId } = operation;
    assert.ok(answer.status < 500, `${operationId}: ${answer.status} ${answer.text}`);
    if (answer.status >= 400) {
      assert.ok(isProblem(answer.body), `${operationId}: ${answer.text} ${ajv.errorsText(isProblem.errors)}`);
      return;
    }
    const expected = operation.responses[String(answer.status)];
    assert.ok(expected, `${operationId}: undocumented status ${answer.status}`);
    const schema = expected.content?.['application/json']?.schema;
    if (!schema && expected.content) {
      const type = (answer.headers.get('content-type') ?? '').split(';')[0] ?? '';
      assert.ok(type in expected.content, `${operationId}: undocumented type ${type}`);
      assert.match(answer.headers.get('content-disposition') ?? '', /^attachment; filename="[A-Za-z0-9._-]+"$/);
      return;
    }
    if (!schema) {
      assert.equal(answer.text, '', operationId);
      return;
    }
    const check = validate.get(operationId) ?? ajv.compile(schema);
    validate.set(operationId, check);
    assert.ok(check(answer.body), `${operationId}: ${ajv.errorsText(check.errors)} in ${answer.text.slice(0, 500)}`);
  }

  function requestOf(
    operation: OperationDocument,
  ): fc.Arbitrary<{ path: Record<string, unknown>; query: Record<string, unknown>; body: unknown }> {
    const place = (where: string) =>
      fc.record(
        Object.fromEntries(
          (operation.parameters ?? []).filter((p) => p.in === where).map((p) => [p.name, valueOf(p.schema)]),
        ),
        where === 'path'
          ? {}
          : {
              requiredKeys: (operation.parameters ?? []).filter((p) => p.in === where && p.required).map((p) => p.name),
            },
      );
    if (operation.requestBody?.content['application/octet-stream']) {
      const bytes = fc.oneof(fc.string({ maxLength: 200 }), nasty);
      return fc.record({ path: place('path'), query: place('query'), body: bytes });
    }
    const body = operation.requestBody?.content['application/json']?.schema;
    return fc.record({
      path: place('path'),
      query: place('query'),
      body: body ? valueOf(body) : fc.constant(undefined),
    });
  }

  it('never fails with 5xx, and every answer follows its schema', async () => {
    const validate = new Map<string, ValidateFunction>();
    const succeeded = new Set<string>();
    const statuses: Record<number, number> = {};
    for (const [template, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const slow = [
          'login',
          'changePassword',
          'addUser',
          'resetPassword',
          'disableTotp',
          'startPasskey',
          'removePasskey',
        ].includes(operation.operationId);
        const property = fc.asyncProperty(requestOf(operation), async ({ path, query, body }) => {
          const text = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
          const encode = (value: unknown): string =>
            encodeURIComponent(text(value).replaceAll(/[\ud800-\udfff]/g, '?')) || '-';
          const target = template.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encode(path[name]));
          const search = Object.entries(query)
            .map(([name, value]) => `${name}=${encode(value)}`)
            .join('&');
          const answer = await h.call(method.toUpperCase(), `/${target}?${search}`, {
            token,
            body: method === 'get' ? undefined : body,
            ...(operation.requestBody?.content['application/octet-stream'] ? { headers: BINARY } : {}),
          });
          statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
          if (answer.status < 300) succeeded.add(operation.operationId);
          checkAnswer(operation, answer, validate);
          if (endangers(template) || answer.status === 401) await repair();
        });
        await fc.assert(property, { numRuns: slow ? 4 : RUNS_EACH, seed: 20_260_101, endOnFailure: true });
      }
    }
    const count = Object.values(document.paths).flatMap((methods) => Object.keys(methods)).length;
    assert.ok(
      succeeded.size > count * 0.6,
      `only ${succeeded.size} of ${count} ever succeeded: ${JSON.stringify(statuses)}`,
    );
  });

  it('notices an answer that does not follow its schema (mutation control)', () => {
    const operation = document.paths['/api/v1/status']?.['get'];
    assert.ok(operation);
    const answer = (body: unknown): Answer => ({
      status: 200,
      headers: new Headers(),
      text: JSON.stringify(body),
      body,
    });
    assert.throws(() => {
      checkAnswer(operation, answer({ version: 1 }), new Map());
    }, /getStatus/);
    assert.throws(() => {
      checkAnswer(operation, { ...answer({}), status: 503 }, new Map());
    }, /503/);
  });
});
