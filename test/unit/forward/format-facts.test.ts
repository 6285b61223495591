import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import type { SiemEvent } from '../../../src/domain/siem-event.js';
import { FORMATTERS } from '../../../src/forward/index.js';
import {
  CIM_ENUMS,
  CIM_RECOMMENDED,
  ECS_FIELDS,
  ECS_TYPES,
  EVE_KEYS,
  LEEF_NORMALISED,
  OCSF_CLASSES,
} from './support/format-facts.js';
import { hostileEvent } from './support/hostile.js';
import { CONTEXT, SAMPLES } from './support/samples.js';

type Json = Record<string, unknown>;

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const TYPE_CHECKS: Readonly<Record<string, (value: unknown) => boolean>> = {
  date: (v) => typeof v === 'string' && ISO.test(v),
  text: (v) => typeof v === 'string' && v !== '',
  long: (v) => Number.isSafeInteger(v),
  float: (v) => typeof v === 'number' && Number.isFinite(v),
  ip: (v) => typeof v === 'string' && /^[0-9a-f.:]+$/.test(v),
};

function flatten(prefix: string, value: unknown, out: Map<string, unknown>): Map<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, item] of Object.entries(value)) flatten(prefix === '' ? key : `${prefix}.${key}`, item, out);
  } else {
    out.set(prefix, value);
  }
  return out;
}

function ecsProblems(document: Json): string[] {
  const problems: string[] = [];
  for (const [name, value] of flatten('', document, new Map())) {
    if (name.startsWith('labels.')) {
      if (typeof value !== 'string' || name.split('.').length !== 2) problems.push(`${name} is no flat keyword`);
      continue;
    }
    const type = ECS_FIELDS[name];
    if (!type) problems.push(`unknown field ${name}`);
    else if (type.endsWith('[]') !== Array.isArray(value))
      problems.push(`${name} must ${type.endsWith('[]') ? '' : 'not '}be a list`);
    else {
      const check = TYPE_CHECKS[type.replace('[]', '')]!;
      for (const item of Array.isArray(value) ? (value as unknown[]) : [value])
        if (!check(item)) problems.push(`${name}: ${String(item)}`);
    }
  }
  const event = document['event'] as { category: string[]; type: string[] };
  for (const category of event.category) {
    for (const type of event.type)
      if (!ECS_TYPES[category]?.includes(type)) problems.push(`${category} does not take ${type}`);
  }
  const mac = (document['source'] as Json | undefined)?.['mac'];
  if (mac !== undefined && !/^[0-9A-F]{2}(-[0-9A-F]{2}){5}$/.test(String(mac))) problems.push(`mac ${String(mac)}`);
  return problems;
}

function eveProblems(line: Json): string[] {
  const problems: string[] = [];
  const only = (object: unknown, allowed: readonly string[], where: string): void => {
    for (const key of Object.keys((object ?? {}) as Json)) if (!allowed.includes(key)) problems.push(`${where}.${key}`);
  };
  only(line, EVE_KEYS.top, 'top');
  only(line['alert'], EVE_KEYS.alert, 'alert');
  only(line['flow'], EVE_KEYS.flow, 'flow');
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+0000$/.test(String(line['timestamp']))) problems.push('timestamp');
  const alert = line['alert'] as Json;
  for (const [key, value] of Object.entries(alert['metadata'] as Json)) {
    const fits = Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');
    if (!fits) problems.push(`metadata.${key}`);
  }
  for (const key of ['gid', 'signature_id', 'rev', 'severity'])
    if (!Number.isSafeInteger(alert[key])) problems.push(key);
  return problems;
}

function ocsfProblems(document: Json): string[] {
  const uid = document['class_uid'] as number;
  const facts = OCSF_CLASSES[uid];
  if (!facts) return [`class ${uid}`];
  const problems = facts.required.filter((key) => document[key] === undefined);
  const activity = document['activity_id'] as number;
  if (!facts.activities.includes(activity)) problems.push(`activity ${activity}`);
  if (document['type_uid'] !== uid * 100 + activity) problems.push(`type_uid ${String(document['type_uid'])}`);
  if (!Number.isSafeInteger(document['time'])) problems.push('time');
  return problems;
}

function cimProblems(envelope: Json): string[] {
  const event = envelope['event'] as Json;
  const problems: string[] = [];
  if (typeof envelope['time'] !== 'number' || !/^\d{10}(\.\d{1,3})?$/.test(String(envelope['time'])))
    problems.push('time');
  if (event['ids_type'] === undefined) return problems;
  for (const field of CIM_RECOMMENDED) if (event[field] === undefined) problems.push(`no ${field}`);
  for (const [field, values] of Object.entries(CIM_ENUMS)) {
    if (!values.includes(String(event[field]))) problems.push(`${field}=${String(event[field])}`);
  }
  return problems;
}

function leefProblems(line: string): string[] {
  const match = /^LEEF:2\.0\|([^|]+)\|([^|]+)\|([^|]+)\|([^|]+)\|x09\|(.*)$/.exec(line);
  if (!match) return ['header'];
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const part of match[5]!.split('\t')) {
    const at = part.indexOf('=');
    const key = part.slice(0, at);
    const value = part.slice(at + 1);
    if (at < 1 || value === '' || !/^[A-Za-z][A-Za-z0-9_]*$/.test(key)) problems.push(`"${part}"`);
    if (seen.has(key)) problems.push(`${key} twice`);
    seen.add(key);
    const pattern = LEEF_NORMALISED[key];
    if (pattern && !pattern.test(value)) problems.push(`${key}=${value}`);
  }
  return problems;
}

function otlpProblems(record: Json): string[] {
  const problems: string[] = [];
  if (!/^\d{19}$/.test(String(record['timeUnixNano'])) || typeof record['timeUnixNano'] !== 'string')
    problems.push('timeUnixNano');
  if (![9, 10, 13, 17, 21].includes(record['severityNumber'] as number)) problems.push('severityNumber');
  for (const { key, value } of record['attributes'] as { key: string; value: Json }[]) {
    if (key === '' || Object.keys(value).length !== 1) problems.push(key);
    if ('intValue' in value && typeof value['intValue'] !== 'string') problems.push(`${key} is a bare integer`);
  }
  return problems;
}

const CHECKS: Readonly<Record<string, (text: string) => string[]>> = {
  ecs: (text) => ecsProblems(JSON.parse(text) as Json),
  eve: (text) => eveProblems(JSON.parse(text) as Json),
  ocsf: (text) => ocsfProblems(JSON.parse(text) as Json),
  'splunk-hec': (text) => cimProblems(JSON.parse(text) as Json),
  leef: leefProblems,
  otlp: (text) => otlpProblems(JSON.parse(text) as Json),
};

/** One fault a format that its check must notice. */
const FAULTS: Readonly<Record<string, [from: RegExp, to: string]>> = {
  ecs: [/"type":\["info"/, '"type":["change"'],
  eve: [/\+0000"/, 'Z"'],
  ocsf: [/"type_uid":(\d)/, '"type_uid":9$1'],
  'splunk-hec': [/"ids_type":"network"/, '"ids_type":"lan"'],
  leef: [/\tsev=/, '\tcat=x\tsev='],
  otlp: [/"intValue":"(\d+)"/, '"intValue":$1'],
};

describe('what receivers require of each format', () => {
  for (const [name, check] of Object.entries(CHECKS)) {
    const format = FORMATTERS[name as keyof typeof FORMATTERS];
    const text = (event: SiemEvent): string => format(event, CONTEXT);

    it(`${name}: every sample keeps to the facts`, () => {
      for (const [title, event] of Object.entries(SAMPLES)) assert.deepEqual(check(text(event)), [], title);
    });

    it(`${name}: 500 hostile events keep to the facts`, () => {
      fc.assert(
        fc.property(hostileEvent, (event) => {
          assert.deepEqual(check(text(event)), []);
        }),
        { numRuns: 500 },
      );
    });

    it(`${name}: the check notices a fault`, () => {
      const [from, to] = FAULTS[name]!;
      const broken = text(SAMPLES['alert']!).replace(from, to);
      assert.notEqual(broken, text(SAMPLES['alert']!));
      assert.notDeepEqual(check(broken), []);
    });
  }

  it('json carries the canonical event and the fixed fields', () => {
    const parsed = JSON.parse(FORMATTERS.json(SAMPLES['alert']!, CONTEXT)) as Json;
    assert.deepEqual(parsed['labels'], { site: 'hq' });
    assert.equal(parsed['kind'], 'alert');
  });
});
