import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { detectionDocument, measuredIn } from '../../../scripts/detection-doc.js';
import { DETECTORS } from '../../../scripts/detection/prose.js';
import { FOUND, QUIET } from '../../../scripts/detection/shown.js';
import { BEHAVIOURS } from '../../../src/detect/behaviour/index.js';
import { SCENARIOS } from '../../lab/scenarios/index.js';

test('docs/detection.md has the options and prose of the program, and figures of both kinds', async () => {
  const text = readFileSync('docs/detection.md', 'utf8');
  assert.equal(text, await detectionDocument(measuredIn(text)), 'run npx tsx scripts/detection-doc.ts');
  const { lab, captures } = measuredIn(text);
  assert.match(lab, /\| port_scan +\|/);
  assert.match(captures, /per 10,000 flows/);
});

test('every test, detector and scenario that the tables of the document name exists', () => {
  const scenarios = new Set(SCENARIOS.map((s) => s.name));
  for (const {
    detector,
    test: [file, name],
    lab,
  } of [...FOUND, ...QUIET]) {
    assert.ok(existsSync(`src/detect/behaviour/${detector}.ts`), detector);
    const text = readFileSync(`test/unit/detect/behaviour/${file}.test.ts`, 'utf8');
    assert.ok(
      ["test('", 'test(`'].some((begin) => text.includes(`${begin}${name}`)),
      `${file}: ${name}`,
    );
    for (const scenario of lab) assert.ok(scenarios.has(scenario), scenario);
  }
});

test('every behaviour is described by one detector', () => {
  for (const { label } of Object.values(BEHAVIOURS)) {
    const having = DETECTORS.filter((d) => d.labels.includes(label));
    assert.ok(having.length >= 1, label);
  }
});
