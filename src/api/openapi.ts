import { z } from 'zod';
import { API_PREFIX, OPERATIONS, problemSchema, type Operation } from '../contract/http.js';

type Json = Record<string, unknown>;

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
  });
  return json;
}

const FILE = { type: 'string', format: 'binary' };
const PROBLEM = { $ref: '#/components/schemas/Problem' };
const problemResponse = (description: string): Json => ({
  description,
  content: { 'application/problem+json': { schema: PROBLEM } },
});

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query'): Json[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }));
}

function operationOf(id: string, operation: Operation): Json {
  const { access, body, response, status } = operation;
  const parameters = [...parametersOf(operation.params, 'path'), ...parametersOf(operation.query, 'query')];
  const isPublic = access === 'public';
  return {
    operationId: id,
    tags: [operation.path.split('/')[1] ?? ''],
    summary: operation.summary,
    'x-access': access,
    ...(operation.personOnly === true ? { 'x-person-only': true } : {}),
    ...(isPublic ? {} : { security: [{ bearer: [] }] }),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(operation.upload === true
      ? { requestBody: { required: true, content: { 'application/octet-stream': { schema: FILE } } } }
      : {}),
    ...(body
      ? { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } } }
      : {}),
    responses: {
      [String(status)]: response
        ? { description: 'Done', content: { 'application/json': { schema: schemaOf(response, 'output') } } }
        : operation.download
          ? {
              description: 'A file',
              content: Object.fromEntries(operation.download.map((type) => [type, { schema: FILE }])),
            }
          : { description: 'Done' },
      ...(isPublic
        ? {}
        : { '401': problemResponse('No, wrong or expired token'), '403': problemResponse('Not allowed') }),
      '429': problemResponse('Too many requests'),
      default: problemResponse('Any other problem'),
    },
  };
}

/** The OpenAPI 3.1 document of the API, made from the contract. */
export function createOpenApi(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const [id, operation] of Object.entries(OPERATIONS) as [string, Operation][]) {
    const path = API_PREFIX + operation.path.replaceAll(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[operation.method] = operationOf(id, operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Portcullis',
      version,
      description:
        'Roles rise viewer, analyst, operator, admin; `x-access` names the least one. Errors are RFC 9457 problems with a stable `code`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { Problem: schemaOf(problemSchema, 'output') },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT or API token' } },
    },
  };
}
