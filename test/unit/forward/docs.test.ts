import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { checkSiemOptions, siemOptionsSchema } from '../../../src/forward/index.js';
import { PRESET_NAMES } from '../../../src/forward/options.js';
import { DECISION_GID, HOUSEKEEPING_GID } from '../../../src/forward/formats/eve.js';
import { ECS_FIELDS } from './support/format-facts.js';

const read = (path: string): string => readFileSync(new URL(`../../../docs/siem/${path}`, import.meta.url), 'utf8');
const FOLDERS = ['.', 'rsyslog', 'syslog-ng', 'splunk', 'elastic', 'qradar', 'sentinel', 'wazuh', 'evebox'];

interface Mapping {
  type?: string;
  properties?: Record<string, Mapping>;
}

describe('docs/siem', () => {
  it('names every preset', () => {
    const text = read('README.md');
    for (const preset of PRESET_NAMES) assert.ok(text.includes(`\`${preset}\``), preset);
  });

  it('has configuration examples that the options accept', () => {
    let found = 0;
    for (const folder of FOLDERS) {
      for (const [, block] of read(`${folder}/README.md`).matchAll(/```yaml\n([^]*?)```/g)) {
        const value = parse(block!) as { siem?: object } | object[];
        const section = Array.isArray(value) ? { destinations: value } : value.siem;
        const result = siemOptionsSchema.safeParse(section);
        assert.ok(result.success, `${folder}: ${result.success ? '' : JSON.stringify(result.error.issues)}`);
        const wrong = checkSiemOptions(result.data, '/tmp').filter(
          ({ message }) => !/Cannot read|cannot be read|not writable/.test(message),
        );
        assert.deepEqual(wrong, [], folder);
        found++;
      }
    }
    assert.ok(found >= 8, `${found} examples`);
  });

  it('has an index template that maps every ECS field we send', () => {
    const template = JSON.parse(read('elastic/index-template.json')) as { template: { mappings: Mapping } };
    for (const [name, type] of Object.entries(ECS_FIELDS)) {
      let at: Mapping | undefined = template.template.mappings;
      for (const part of name.split('.')) at = at?.properties?.[part];
      assert.ok(at?.type, name);
      if (type === 'long' || type === 'float' || type === 'date') assert.equal(at.type, type, name);
      if (type.startsWith('ip')) assert.equal(at.type, 'ip', name);
    }
  });

  it('has a Kibana export whose references all resolve', () => {
    const objects = read('elastic/kibana-dashboard.ndjson')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; type: string; references: { id: string; type: string }[] });
    const known = new Set(objects.map(({ type, id }) => `${type}/${id}`));
    for (const { references } of objects)
      for (const { type, id } of references) assert.ok(known.has(`${type}/${id}`), id);
    assert.ok(known.has('dashboard/portcullis-overview'));
  });

  it('has Splunk tags for event types that exist', () => {
    const types = new Set(
      [...read('splunk/default/eventtypes.conf').matchAll(/^\[(.+)\]$/gm)].map((match) => match[1]),
    );
    for (const [, type] of read('splunk/default/tags.conf').matchAll(/^\[eventtype=(.+)\]$/gm))
      assert.ok(types.has(type), type);
  });

  it('has Wazuh rules for the generator ids that we send', () => {
    const rules = read('wazuh/portcullis_rules.xml');
    for (const gid of [DECISION_GID, HOUSEKEEPING_GID])
      assert.ok(rules.includes(`<field name="alert.gid">^${gid}$</field>`));
  });
});
