import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { CLASSIFIER_IGNORES } from '../../scripts/models-settings.js';
import type { AlertRow, ModelDetail, TrainingReport, TrainingRun, TrainingStatus } from '../../src/contract/http.js';
import { trainModel, trainOptionsSchema } from '../../src/train/index.js';
import { ApiClient } from '../lab/box/api-client.js';
import { Box, PASSWORD } from '../lab/box/box.js';
import { siemLine } from '../lab/box/cef.js';
import { MovableClock } from '../lab/clock.js';
import { openLab, type Lab } from '../lab/lab.js';
import { ATTACKER_ADDRESSES, CLIENT_ADDRESSES } from '../lab/topology.js';
import { waitFor } from '../lab/wait.js';
import { nodeArgs } from '../support/program.js';
import { writeSmallBase } from './training/base-table.js';
import { assertNothingLost, countOf, longestPause, ScoringWatch } from './training/scoring-watch.js';

/** Ordinary computers, the monitoring systems of the place, and scanners, of which the last two are kept for later. */
const USERS = CLIENT_ADDRESSES.slice(0, 10);
const MONITORS = CLIENT_ADDRESSES.slice(10, 40);
const SCANNERS = ATTACKER_ADDRESSES.slice(0, 30);
const [AFTER_PROMOTION = '', AFTER_ROLLBACK = ''] = ATTACKER_ADDRESSES.slice(30);
/** Of the monitoring systems, those that must have been reported before an analyst begins. */
const FEWEST_MONITORS = 20;
const SHADOW_ROWS = 100;
/** A share of the night, not seconds: the sensor tells its counters once a second, and the machine may be fast or slow. */
const LONGEST_PAUSE = 0.5;
const HOUR_MS = 3_600_000;

let lab: Lab;
let box: Box;
let clock: MovableClock;
let watch: ScoringWatch;

before(async () => {
  lab = await openLab({ services: ['web', 'dns', 'syslog'] });
  const base = join(lab.dir, 'base.parquet');
  const guard = join(lab.dir, 'guard');
  await writeSmallBase(base);
  const options = trainOptionsSchema.parse({
    ...{ data: [base], out: guard, algorithm: 'random-forest', classes: 'label', missing: 'keep' },
    ...{ balance: 'weights', ignore: CLASSIFIER_IGNORES, trees: 60, maxLeaves: 32, falsePositiveBudget: 0.01 },
  });
  await trainModel(options, { trainedMs: Date.now() });
  clock = new MovableClock(lab.dir);
  const training = {
    ...{ base: [base], promotion: 'automatic', min_new_labels: 30, max_label_share: 1 },
    ...{ shadow_rows: SHADOW_ROWS, shadow_minutes: 30, keep_one_in: 1 },
  };
  const config = { training, detect: { models: { models: [guard], samples_per_flush: 300 } } };
  box = await Box.start(lab, { mode: 'observe', config, env: clock.env });
  await box.login();
  watch = await ScoringWatch.start(box);
});
after(() => lab?.close());

/** Starts one of the lab's traffic programs; the lab ends it. */
function everyday(program: string, sources: readonly string[], seconds: number): void {
  const settings = JSON.stringify({ seed: 5, seconds, sources, target: lab.hosts.victim.ip4 });
  lab.hosts.client.start(process.execPath, [...nodeArgs(`test/lab/traffic/${program}.ts`), settings]);
}

async function scan(source: string): Promise<void> {
  const { attacker, victim } = lab.hosts;
  const args = ['-sT', '-S', source, '-e', 'eth0', '-n', '-Pn', '-T4', '-p', '1-100', victim.ip4];
  const { code, stderr } = await attacker.run('nmap', args);
  assert.equal(code, 0, stderr);
}

/** Alerts that the model took part in, with the version that did. */
async function modelAlerts(of: readonly string[]): Promise<(AlertRow & { version: string })[]> {
  const { items } = await box.api.get<{ items: AlertRow[] }>('/alerts?limit=200');
  return items
    .filter((a) => of.includes(a.offender) && a.metadata['model']?.[0] === 'guard')
    .map((a) => ({ ...a, version: a.metadata['model_id']!.at(-1)! }));
}

async function judge(alerts: readonly AlertRow[], verdict: string, by: ApiClient = box.api): Promise<void> {
  const ids = alerts.map((a) => a.id);
  const { status, body } = await by.ask('POST', '/alerts/bulk-label', { ids, verdict });
  assert.equal(status, 200, JSON.stringify(body));
}

/** A second person with an account of their own. */
async function colleague(): Promise<ApiClient> {
  const user = { name: 'colleague', role: 'analyst' };
  const { status, body } = await box.api.ask<{ password: string }>('POST', '/users', user);
  assert.equal(status, 201, JSON.stringify(body));
  const api = new ApiClient(box.socketPath);
  await api.login(user.name, body.password, PASSWORD);
  return api;
}

const champion = async (): Promise<string> => (await box.api.get<ModelDetail>('/models/guard')).card.id;
const status = (): Promise<TrainingStatus> => box.api.get<TrainingStatus>('/training');
const report = (id: string): Promise<TrainingReport> => box.api.get<TrainingReport>(`/training/runs/${id}`);
const settled = (id: string, ...states: string[]): Promise<TrainingReport> =>
  waitFor(
    `run ${id} is ${states.join(' or ')}`,
    async () => {
      const r = await report(id);
      if (states.includes(r.state)) return r;
      if (r.state !== 'running' && r.state !== 'shadow')
        throw new Error(`${r.state}: ${r.summary} ${JSON.stringify(r)}`);
      return undefined;
    },
    { everyMs: 100 },
  );

async function moveTo(ms: number): Promise<void> {
  clock.moveTo(ms);
  // A session does not outlive its time.
  await waitFor('a new session', () => box.login().then(() => true, () => false)); // prettier-ignore
}

/** Version of the model whose word on a scan by this address became an alert. */
async function accuserOf(source: string): Promise<string> {
  await scan(source);
  const alert = await waitFor(`an alert about ${source}`, async () => (await modelAlerts([source]))[0]);
  return alert.version;
}

/** A night of the whole box: what the model got wrong is judged, and while the clock is moved a better one takes over. */
let shipped = '';
let better = '';

test('a model that has never seen a monitoring system takes those of the place for scanners', async () => {
  shipped = await champion();
  everyday('lookups', USERS, 300);
  everyday('browse', USERS.slice(0, 3), 300);
  everyday('monitor', MONITORS, 300);
  for (let i = 0; i < SCANNERS.length; i += 6) await Promise.all(SCANNERS.slice(i, i + 6).map(scan));
  const alerts = await waitFor(
    'alerts about scanners and monitors',
    async () => {
      const found = await modelAlerts([...SCANNERS, ...MONITORS]);
      const who = new Set(found.map((a) => a.offender));
      return SCANNERS.every((s) => who.has(s)) && who.size >= SCANNERS.length + FEWEST_MONITORS ? found : undefined;
    },
    { everyMs: 250 },
  );
  assert.ok(alerts.every((a) => a.version === shipped));
});

test('two analysts judge the alerts; a worse challenger is refused by the gate and leaves the champion alone', async () => {
  await judge(await modelAlerts(SCANNERS), 'true_positive');
  // Behaviours accuse the monitors too: one person's word against theirs would wait for a second one's.
  const falseAlarms = await modelAlerts(MONITORS);
  for (const by of [box.api, await colleague()]) await judge(falseAlarms, 'false_positive', by);
  const wish = { model: 'guard', algorithm: 'isolation-forest' };
  const { status, body } = await box.api.ask<TrainingRun>('POST', '/training/runs', wish);
  assert.equal(status, 201, JSON.stringify(body));
  const refused = await settled(body.id, 'refused');
  assert.match(refused.summary, /Not better than the champion: regression \(/);
  assert.equal(await champion(), shipped);
});

test('at its hour of the night a better challenger is trained by itself and scores in the shadow', async () => {
  const { nextRunMs } = await status();
  await moveTo(nextRunMs - 2000);
  const run = await waitFor('the nightly run', async () => (await status()).running ?? undefined);
  assert.equal(run.trigger, 'schedule');
  const inShadow = await settled(run.id, 'shadow');
  assert.ok(inShadow.gate!.promote);
  const [, recent] = inShadow.falseAlarms;
  assert.ok(recent!.challenger < recent!.champion, 'fewer of the monitors are taken for scanners');
  better = inShadow.challenger;
  assert.equal(await champion(), shipped, 'the champion still reports');
});

test('after its time in the shadow it is promoted, and the SIEM hears of it', async () => {
  const [run] = (await box.api.get<{ items: TrainingRun[] }>('/training/runs?limit=1')).items;
  const shadow = async () => ((await report(run!.id)).shadow?.rows ?? 0) >= SHADOW_ROWS;
  await waitFor('live vectors in the shadow', shadow, { everyMs: 200 });
  assert.equal((await report(run!.id)).state, 'shadow', 'rows alone are not enough: time must pass');
  await moveTo(clock.now() + HOUR_MS);
  await settled(run!.id, 'promoted');
  assert.equal(await champion(), better);
  await siemLine(lab, 'the promotion', /Training of guard: promoted/);
});

test("alerts are the new model's, and those of the old one again after a rollback", async () => {
  assert.equal(await accuserOf(AFTER_PROMOTION), better);
  const back = await box.api.ask('POST', '/models/guard/rollback', { reason: 'second thoughts' });
  assert.equal(back.status, 200, JSON.stringify(back.body));
  assert.equal(await champion(), shipped);
  assert.equal(await accuserOf(AFTER_ROLLBACK), shipped);
});

test('the sensor scored all the while, and no flow was lost', async () => {
  const sensor = await watch.end();
  const pause = longestPause(watch.seen);
  assert.ok(pause < LONGEST_PAUSE, `${pause} of the time without a scored flow`);
  assert.equal(countOf(sensor, 'models_loaded'), 1);
  assert.equal(countOf(sensor, 'models_refused'), 0);
  assertNothingLost(sensor);
  // Both checks notice what they are for.
  const [stops, goesOn] = [watch.seen[3]!, watch.seen.slice(4)];
  const silent = [stops, ...goesOn.map((s) => ({ ...s, scored: stops.scored }))];
  assert.ok(longestPause(silent) >= LONGEST_PAUSE);
  for (const [name, change] of [
    ['scored_rows', -1],
    ['shed_rows', 1],
    ['flow_flows_evicted', 1],
  ] as const) {
    const stats = { ...sensor.stats, [name]: countOf(sensor, name) + change };
    assert.throws(() => assertNothingLost({ ...sensor, stats }), name);
  }
});
