import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseConfig } from '../../../src/config/index.js';
import { FORMAT_STEPS, migrateConfig, moveKey, type FormatStep } from '../../../src/config/migrate.js';
import { CONFIG_FORMAT } from '../../../src/config/options.js';

const fixture = (name: string): string => readFileSync(new URL(`formats/${name}.yaml`, import.meta.url), 'utf8');

/** The kinds of change there are: a key moves into a section, a unit changes. */
const STEPS: readonly FormatStep[] = [
  {
    from: 1,
    apply(document) {
      moveKey(document, ['siem_destinations'], ['siem', 'destinations']);
    },
  },
  {
    from: 2,
    apply(document) {
      const secs: unknown = document.getIn(['flow', 'idle_timeout_secs']);
      moveKey(document, ['flow', 'idle_timeout_secs'], ['flow', 'idle_timeout_ms']);
      if (typeof secs === 'number') document.setIn(['flow', 'idle_timeout_ms'], secs * 1000);
    },
  },
];

describe('formats of the configuration', () => {
  it('takes a file of an earlier format through every step, comments included', () => {
    assert.equal(migrateConfig(fixture('before'), 3, STEPS), fixture('after'));
  });

  it('takes only the steps that a file has not been through, and none twice', () => {
    const second = migrateConfig(fixture('before'), 2, STEPS.slice(0, 1));
    assert.match(second, /^format: 2$/m);
    assert.equal(migrateConfig(second, 3, STEPS), fixture('after'));
    assert.equal(migrateConfig(fixture('after'), 3, STEPS), fixture('after'));
  });

  it('leaves a file of the newest format, and one that is no mapping, as it is', () => {
    for (const text of ['mode: observe\n', 'format: 1\n', 'a: [', '- 1\n', ''])
      assert.equal(migrateConfig(text, CONFIG_FORMAT), text);
  });

  it('refuses a file of a later format with a fix', () => {
    assert.throws(() => migrateConfig('format: 99\n', CONFIG_FORMAT), { code: 'config.later_format', kind: 'user' });
    assert.throws(() => parseConfig('format: 99\nnew_key: 1\n', 'x.yaml'), { code: 'config.later_format' });
  });

  it('has a step for every format before the newest', () => {
    assert.deepEqual(
      FORMAT_STEPS.map((step) => step.from),
      Array.from({ length: CONFIG_FORMAT - 1 }, (_, i) => i + 1),
    );
  });
});
