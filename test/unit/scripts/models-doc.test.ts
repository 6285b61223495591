import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BAD_INPUT } from '../../../scripts/models-bad-input.js';

test('every test that docs/models.md names for bad input exists, and the document names it', () => {
  const document = readFileSync('docs/models.md', 'utf8');
  for (const { tests } of BAD_INPUT) {
    for (const [file, name] of tests) {
      const text = readFileSync(`test/${file}.test.ts`, 'utf8');
      const begins = [`'${name}`, `"${name}`].some((begin) => text.includes(begin));
      assert.ok(begins, `${file}: ${name}`);
      assert.ok(document.includes(`\`${file}\` "${name}`), `docs/models.md lacks "${name}": run scripts/models-doc.ts`);
    }
  }
});
