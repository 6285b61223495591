import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { FORMATTERS, type FormatName } from '../../../src/forward/index.js';
import { VERSION } from '../../../src/util/version.js';
import { CONTEXT, SAMPLES } from './support/samples.js';

/** `UPDATE_GOLDEN=1` writes the files anew; review the difference before committing it. */
const UPDATE = process.env['UPDATE_GOLDEN'] === '1';

describe('golden files of the formats', () => {
  for (const name of Object.keys(FORMATTERS) as FormatName[]) {
    it(`${name} writes every sample as reviewed`, () => {
      const path = new URL(`golden/${name}.txt`, import.meta.url);
      const text = Object.entries(SAMPLES)
        .map(([title, event]) => `# ${title}\n${FORMATTERS[name](event, CONTEXT)}\n`)
        .join('\n');
      if (UPDATE) writeFileSync(path, text);
      assert.equal(text, readFileSync(path, 'utf8'));
    });

    it(`${name} writes the sample events of docs/siem/samples`, () => {
      const path = new URL(`../../../docs/siem/samples/${name}.txt`, import.meta.url);
      const context = { ...CONTEXT, productVersion: VERSION };
      const text = Object.entries(SAMPLES)
        .filter(([title]) => !title.startsWith('hostile'))
        .map(([title, event]) => `# ${title}\n${FORMATTERS[name](event, context)}\n`)
        .join('\n');
      if (UPDATE) writeFileSync(path, text);
      assert.equal(text, readFileSync(path, 'utf8'));
    });

    it(`${name} never writes a raw line break`, () => {
      for (const event of Object.values(SAMPLES))
        assert.doesNotMatch(FORMATTERS[name](event, CONTEXT), /[\r\n\u2028\u0000\u001b]/);
    });
  }
});
