import assert from 'node:assert/strict';
import test from 'node:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, parseConfig } from '../../../src/config/index.js';
import { toSnake } from '../../../src/config/snake.js';
import { AppError } from '../../../src/util/errors.js';

function problemsOf(text: string): string[] {
  try {
    parseConfig(text, 'x.yaml');
  } catch (error) {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'config.invalid');
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

test('an empty configuration is complete: observe mode, SQLite, no SIEM', () => {
  const config = parseConfig('', 'x.yaml');
  assert.equal(config.mode, 'observe');
  assert.equal(config.store.kind, 'sqlite');
  assert.deepEqual(config.siem.destinations, []);
});

test('keys are written in snake case in every section', () => {
  const config = parseConfig('capture: { block_timeout_ms: 2, ring_mib: 8 }\nflow: { max_flows: 1000 }\n', 'x.yaml');
  assert.equal(config.capture.blockTimeoutMs, 2);
  assert.equal(config.capture.ringMiB, 8);
  assert.equal(config.flow.maxFlows, 1000);
});

test('every problem is reported at once, under the name and at the line the operator wrote', () => {
  const problems = problemsOf(`mode: blok
capture:
  block_timeout_ms: 0
  blockKiB: 64
flow: { max_flows: ten }
enforce:
  gaurd: {}
zzz: 1
`);
  assert.equal(problems.length, 6);
  assert.match(problems[0] ?? '', /^x\.yaml:1:1: mode: /);
  assert.match(problems[1] ?? '', /^x\.yaml:3:3: capture\.block_timeout_ms: /);
  assert.match(problems[2] ?? '', /^x\.yaml:4:3: capture\.blockKiB: unknown key/);
  assert.match(problems[3] ?? '', /^x\.yaml:5:9: flow\.max_flows: /);
  assert.match(problems[4] ?? '', /^x\.yaml:7:3: enforce\.gaurd: unknown key/);
  assert.match(problems[5] ?? '', /^x\.yaml:8:1: zzz: unknown key/);
});

test('own networks are addresses or prefixes', () => {
  const [problem = '', ...others] = problemsOf('policy:\n  home_networks: [10.0.0.0/8, 10.0.0.0/33]\n');
  assert.match(problem, /^x\.yaml:2:\d+: policy\.home_networks(\[1\]|\.1): not an address or prefix/);
  assert.deepEqual(others, []);
});

test('what models say belongs to a behaviour for longer than that behaviour stays silent, or the file is refused', () => {
  const late = 'detect: { behaviour: { realert_secs: 300 } }\n';
  assert.deepEqual(problemsOf(late), [
    'x.yaml:1:1: correlate.explain_secs: 90 is not more than detect.behaviour.realert_secs (300): write at least 450 here, or less there',
  ]);
  assert.match(problemsOf('correlate:\n  explain_secs: 60\n')[0] ?? '', /^x\.yaml:2:3: correlate\.explain_secs: 60 is/);
  assert.deepEqual(problemsOf(`${late}correlate: { explain_secs: 450 }\n`), []);
  assert.deepEqual(problemsOf('correlate: { explain_secs: 60.5 }\n'), []);
});

test('units survive the change of spelling', () => {
  assert.equal(toSnake('ringMiB'), 'ring_mib');
  assert.equal(toSnake('idleTimeoutSecs'), 'idle_timeout_secs');
  assert.equal(toSnake('maxTTLSecs'), 'max_ttl_secs');
});

test("names of the operator's own stay as they are written: rule variables, headers", () => {
  const text = `detect:
  signature:
    addresses: { HOME_NET: '192.0.2.0/24', idle_timeout_secs: any }
    update_interval_hours: 3
    sources: [{ name: a, url: 'https://rules.example/a.tar.gz', headers: { Authorization: 'Bearer x' } }]
`;
  const { addresses, sources, updateIntervalHours } = parseConfig(text, 'x.yaml').detect.signature;
  assert.deepEqual(addresses, { HOME_NET: '192.0.2.0/24', idle_timeout_secs: 'any' });
  assert.deepEqual(sources[0]!.headers, { Authorization: 'Bearer x' });
  assert.equal(updateIntervalHours, 3);
});

test('settings of the command line count more than the file, and are checked as it is', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-set-'));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, 'x.yaml');
  writeFileSync(file, `data_dir: ${folder}\ndetect: { signature: { stream: { midstream: false, depth_kib: 64 } } }\n`);
  const config = await loadConfig(file, ['detect.signature.stream.midstream=true', 'flow.max_flows=1000']);
  assert.equal(config.detect.signature.stream.midstream, true);
  assert.equal(config.detect.signature.stream.depthKiB, 64);
  assert.equal(config.flow.maxFlows, 1000);
  for (const wrong of ['detect.signature.stream.midstraem=true', 'flow.max_flows=many', 'flow'])
    await assert.rejects(
      loadConfig(file, [wrong]),
      (error) => error instanceof AppError && error.code === 'config.invalid',
    );
});
