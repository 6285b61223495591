import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { createCanaryDetection } from '../../../src/daemons/canary/detection.js';
import { runWholeWayCanary } from '../../../src/daemons/canary/whole-way.js';
import { behaviourOptionsSchema } from '../../../src/detect/behaviour/index.js';
import { runNamespaceCanary, writeTimedRun } from '../../../src/enforce/index.js';
import { nodeArgs } from '../../support/program.js';
import { options } from '../../unit/enforce/helpers.js';
import { skipReason } from './net.js';
import { startResponder, until } from './setup.js';

describe('the canary in private namespaces', { skip: skipReason, timeout: 600_000 }, () => {
  afterEach(() => {
    const left = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
    assert.equal(
      left.some((name) => name.startsWith(`pcl-canary-${process.pid}`)),
      false,
    );
  });

  it('proves the ruleset', async () => {
    const { steps } = await runNamespaceCanary(options());
    assert.deepEqual(
      steps.filter((s) => !s.ok),
      [],
    );
    assert.equal(steps.length, 7);
  });

  it('proves the whole way, each step timed: packets, detection, decision, drop, release', async () => {
    const { ok, steps } = await runNamespaceCanary(options(), createCanaryDetection(behaviourOptionsSchema.parse({})));
    assert.ok(ok, JSON.stringify(steps, null, 1));
    const order = [
      'a sensor watches',
      'leads to a decision',
      'to the detection',
      'to the decision',
      'kernel element',
      'dropped and counted',
      'lifted',
      'passes again',
    ];
    const places = order.map((text) => steps.findIndex((s) => s.name.includes(text) && s.ms > 0));
    assert.ok(
      places.every((place, i) => place > (places[i - 1] ?? 0)),
      JSON.stringify(steps, null, 1),
    );
  });
});

describe('the canary on schedule', { skip: skipReason, timeout: 600_000 }, () => {
  const netns = `enf-canary-${process.pid}`;
  const behaviour = behaviourOptionsSchema.parse({});
  before(() => execFileSync('ip', ['netns', 'add', netns]));
  after(() => execFileSync('ip', ['netns', 'delete', netns]));

  it('goes the whole way from packets to the release; where the table cannot be proved, that is said', async () => {
    const config = { enforce: options(), detect: { behaviour: { ...behaviour, enabled: true } } };
    const t = await startResponder(
      netns,
      { canary_interval_secs: 1 },
      { wholeWayCanary: () => runWholeWayCanary(config as Parameters<typeof runWholeWayCanary>[0]) },
    );
    try {
      await until(() => t.responder.state().stats['canary_ok'] === true);
      const detail = String(t.responder.state().stats['canary_detail']);
      assert.match(detail, /^the table blocks: not provable: .*; from packets to the release: 11 steps in [\d.]+ ms$/);
      assert.deepEqual(t.incidents, []);
    } finally {
      await t.end();
    }
  });

  it('control: a sensor that sees nothing is a critical incident; a box without these detectors is none', async () => {
    const blind = behaviourOptionsSchema.parse({ portScan: { enabled: false } });
    const off = { enforce: options(), detect: { behaviour: { ...blind, enabled: true } } };
    const cannot = await runWholeWayCanary(off as Parameters<typeof runWholeWayCanary>[0]);
    assert.match(cannot.unprovable ?? '', /not detected on this box/);
    const wholeWayCanary = () => runNamespaceCanary(options(), createCanaryDetection(blind, 20_000));
    const t = await startResponder(netns, { canary_interval_secs: 1 }, { wholeWayCanary });
    try {
      await until(() => t.incidents.find((i) => i.code === 'enforce.canary_failed'));
      const incident = t.incidents.find((i) => i.code === 'enforce.canary_failed');
      assert.equal(incident?.severity, 'critical');
      assert.match(incident?.message ?? '', /a scan of the box leads to a decision: no "decision" within 20 s/);
      assert.equal(t.responder.state().stats['canary_ok'], false);
    } finally {
      await t.end();
    }
  });
});

describe('the canary of the timer', { skip: skipReason, timeout: 600_000 }, () => {
  const netns = `enf-timed-${process.pid}`;
  const dir = mkdtempSync(join(tmpdir(), 'enf-timed-'));
  const result = join(dir, 'result.json');
  before(() => {
    execFileSync('ip', ['netns', 'add', netns]);
    chmodSync(dir, 0o777);
  });
  after(() => {
    execFileSync('ip', ['netns', 'delete', netns]);
    rmSync(dir, { recursive: true });
  });

  // It may read files wherever the checkout lies, in a folder of root's own too, and nothing else.
  const reads = ['--inh-caps', '--ambient-caps', '--bounding-set'].map((set) => `${set}=-all,+dac_read_search`);
  const ofNobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups', ...reads];
  const withoutRights = (...command: string[]) => spawnSync('setpriv', [...ofNobody, ...command], { encoding: 'utf8' });
  const unshared = withoutRights('unshare', '--user', '--map-root-user', '--net', '--mount', 'true');
  const skip = unshared.status === 0 ? false : 'this kernel lets no ordinary user make namespaces';

  it('goes the whole way without any right, and leaves what it has shown', { skip }, () => {
    const canary = [...nodeArgs('src/cli/main.ts'), 'canary', '--json', '--result', result];
    const { status, stdout, stderr } = withoutRights(process.execPath, ...canary);
    assert.equal(status, 0, `${stdout}${stderr}`);
    const written = JSON.parse(readFileSync(result, 'utf8')) as { result: { steps: { ok: boolean }[] } };
    assert.deepEqual(written.result, JSON.parse(stdout));
    assert.equal(written.result.steps.length, 11);
    assert.ok(written.result.steps.every((step) => step.ok));
  });

  it('is believed by the responder; a failure is a critical incident', { skip }, async () => {
    const options = { canary_interval_secs: 0, canary_result: result };
    const t = await startResponder(netns, options);
    const isOk = () => t.responder.state().stats['canary_ok'];
    try {
      await until(() => isOk() === true);
      assert.equal(t.incidents.length, 0);
      const step = { name: 'the same probe is dropped and counted', ok: false, ms: 1000, detail: 'the probe arrived' };
      writeTimedRun(result, Date.now(), { ok: false, place: 'namespace', steps: [step] });
      await until(() => isOk() === false);
      assert.deepEqual(
        t.incidents.map((i) => [i.severity, i.code, i.message]),
        [['critical', 'enforce.canary_failed', `A test block did not hold: ${step.name}: ${step.detail}`]],
      );
    } finally {
      await t.end();
    }
  });
});
