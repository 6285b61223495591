import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { fc } from '../../support/fuzz.js';
import type { SiemEvent } from '../../../src/domain/siem-event.js';
import { FORMATTERS, type FormatName } from '../../../src/forward/index.js';
import { CEF_KEYS } from './support/cef-facts.js';
import { ECS_FIELDS } from './support/format-facts.js';
import { hostileEvent } from './support/hostile.js';
import { CONTEXT, SAMPLES } from './support/samples.js';

const DIR = process.env['PORTCULLIS_SCHEMAS'] ?? '';
const skip = DIR !== '' && existsSync(DIR) ? false : 'set PORTCULLIS_SCHEMAS to a directory with the published schemas';

interface LeefAttribute {
  key: string;
  type: string;
  reserved?: boolean;
}
interface CimModel {
  datasets: { IDS_Attacks: { fields: Record<string, { expected_values?: string[] }> } };
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(join(DIR, path), 'utf8')) as T;
}

function documents(format: FormatName, kinds: readonly SiemEvent['kind'][]): [string, unknown][] {
  const events: [string, SiemEvent][] = [
    ...Object.entries(SAMPLES),
    ...fc
      .sample(hostileEvent, { numRuns: 300, seed: 3 })
      .map((event, i): [string, SiemEvent] => [`hostile ${i}`, event]),
  ];
  return events
    .filter(([, event]) => kinds.includes(event.kind))
    .map(([title, event]) => [title, JSON.parse(FORMATTERS[format](event, CONTEXT)) as unknown]);
}

describe('published schemas', { skip }, () => {
  for (const version of ['7.0.10', '8.0.6']) {
    it(`EVE lines fit the schema of Suricata ${version}`, () => {
      const schema = readJson<object>(`suricata/eve-schema-suricata-${version}.json`);
      const check = new Ajv2020({ strict: false, allErrors: true }).compile(schema);
      for (const [title, line] of documents('eve', ['alert', 'decision', 'health', 'gap', 'audit'])) {
        assert.ok(check(line), `${title}: ${JSON.stringify(check.errors?.slice(0, 3))}`);
      }
      assert.equal(check({ timestamp: '2026-01-02T03:04:05.678Z', event_type: 'alert' }), false, 'control');
    });
  }

  it('alerts and decisions fit OCSF 1.8', () => {
    const schema = readJson<object>('ocsf/ocsf-1.8.0-responder.schema.json');
    const check = new Ajv2020({ strict: false, allErrors: true }).compile(schema);
    for (const [title, document] of documents('ocsf', ['alert', 'decision'])) {
      assert.ok(check(document), `${title}: ${JSON.stringify(check.errors?.slice(0, 6))}`);
    }
    const [, first] = documents('ocsf', ['alert'])[0]!;
    assert.equal(check({ ...(first as object), colour: 'red' }), false, 'control: an extra key');
  });

  it('the table of ECS fields agrees with fields.csv', () => {
    const rows = readFileSync(join(DIR, 'ecs/fields.csv'), 'utf8')
      .split('\n')
      .map((line) => line.split(','));
    const header = rows[0]!;
    const column = (name: string): number => header.indexOf(name);
    const byName = new Map(rows.slice(1).map((row) => [row[column('Field')], row]));
    const types = { date: 'date', text: '', long: 'long', float: 'float', ip: 'ip' } as const;
    for (const [name, type] of Object.entries(ECS_FIELDS)) {
      const row = byName.get(name);
      assert.ok(row, `${name} is no ECS field`);
      const wanted = types[type.replace('[]', '') as keyof typeof types];
      const found = row[column('Type')]!;
      if (wanted === '') assert.match(found, /keyword|text|wildcard/, name);
      else assert.equal(found, wanted, name);
      assert.equal(row[column('Normalization')] === 'array', type.endsWith('[]'), `${name} list`);
    }
  });

  it('the table of CEF keys agrees with the dictionary', () => {
    interface Row {
      key: string;
      type: string;
      length: number | string | null;
      audience: string;
    }
    const rows = readJson<{ extensions: Row[] }>('cef/cef-extensions-v27.json').extensions;
    for (const [key, fact] of Object.entries(CEF_KEYS)) {
      if (key.startsWith('c6a2')) continue;
      const row = rows.find((candidate) => candidate.key === key);
      assert.ok(row, `${key} is not in the dictionary`);
      assert.notEqual(row.audience, 'consumer', key);
      if (fact.max !== undefined) assert.equal(Number(row.length), fact.max, key);
    }
  });

  const TYPES: Readonly<Record<string, RegExp>> = {
    date: /^\d{13}$/, integer: /^-?\d+$/, ipv4: /^[0-9.]+$/, ip: /^[0-9a-fA-F.:]+$/, 'ip address': /^[0-9a-fA-F.:]+$/,
  }; // prettier-ignore

  it('LEEF attributes of the dictionary have its types, and none that it reserves is used', () => {
    const { attributes } = readJson<{ attributes: LeefAttribute[] }>('leef/leef-attributes-v2.json');
    const known = new Map(attributes.map((attribute) => [attribute.key, attribute]));
    const used = new Set<string>();
    const wrong = (line: string): string[] =>
      line
        .slice(line.indexOf('x09|') + 4)
        .split('\t')
        .flatMap((pair) => {
          const [key = '', value = ''] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
          const attribute = known.get(key);
          if (!attribute) return [];
          used.add(key);
          const type = TYPES[attribute.type.toLowerCase()];
          return attribute.reserved === true || (type && !type.test(value)) ? [`${key}=${value}`] : [];
        });
    for (const event of [...Object.values(SAMPLES), ...fc.sample(hostileEvent, { numRuns: 300, seed: 3 })]) {
      assert.deepEqual(wrong(FORMATTERS.leef(event, CONTEXT)), []);
    }
    for (const key of ['cat', 'devTime', 'src', 'dst', 'srcPort', 'dstPort', 'proto', 'sev'])
      assert.ok(used.has(key), key);
    assert.deepEqual(wrong('LEEF:2.0|a|b|1|x|x09|devTime=yesterday'), ['devTime=yesterday'], 'control');
  });

  it('Splunk events keep to the values that CIM expects, and alerts have its recommended fields', () => {
    const model = readJson<CimModel>('cim/cim-intrusion-detection.json');
    const { fields } = model.datasets.IDS_Attacks;
    const wrong = (event: Record<string, unknown>): string[] =>
      Object.entries(fields).flatMap(([name, { expected_values: expected }]) =>
        expected && event[name] !== undefined && !expected.includes(String(event[name])) ? [name] : [],
      );
    for (const [title, document] of documents('splunk-hec', ['alert', 'decision'])) {
      const { event } = document as { event: Record<string, unknown> };
      assert.deepEqual(wrong(event), [], title);
      if (!title.startsWith('hostile'))
        for (const name of ['action', 'dest', 'ids_type', 'severity', 'signature', 'src', 'vendor_product'])
          if (title === 'alert') assert.ok(event[name] !== undefined && name in fields, `${title}: ${name}`);
    }
    assert.deepEqual(wrong({ action: 'maybe', severity: 'bad' }), ['action', 'severity'], 'control');
  });

  it('JSON Schema draft 7 of ajv refuses nonsense', () => {
    assert.equal(new Ajv().compile({ type: 'object', required: ['a'] })({}), false);
  });
});
