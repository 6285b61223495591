import assert from 'node:assert/strict';
import test from 'node:test';
import type { Mode } from '../../../src/domain/decision.js';
import type { Settings } from '../../../src/daemons/server/parts.js';
import { loadSettings } from '../../../src/daemons/server/settings.js';
import type { SettingRepository } from '../../../src/store/index.js';

/** The table of settings that servers share; `hold` keeps reads waiting until it is called again. */
function makeDatabase() {
  const rows = new Map<string, string>();
  let gate: Promise<void> | undefined;
  const repository: SettingRepository = {
    async get(name) {
      const text = rows.get(name);
      await gate;
      return text === undefined ? undefined : (JSON.parse(text) as unknown);
    },
    set(name, value) {
      rows.set(name, JSON.stringify(value));
      return Promise.resolve();
    },
  };
  return {
    repository,
    hold(): () => void {
      let open = (): void => undefined;
      gate = new Promise((resolve) => (open = resolve));
      return () => {
        gate = undefined;
        open();
      };
    },
  };
}

async function openServers(modes: Mode[]) {
  const database = makeDatabase();
  const told = modes.map(() => 0);
  const servers: Settings[] = [];
  for (const [i, mode] of modes.entries()) {
    servers.push(await loadSettings(database.repository, mode, () => (told[i] = (told[i] ?? 0) + 1)));
  }
  return { ...database, servers, told };
}

test('a mode chosen on one server reaches the others that share its database, and is told once', async () => {
  const { servers, told } = await openServers(['enforce', 'enforce']);
  const [one, two] = servers as [Settings, Settings];
  await one.setMode('observe', 'anna');
  assert.equal(two.mode(), 'enforce');
  await two.refresh();
  await two.refresh();
  assert.equal(two.mode(), 'observe');
  assert.deepEqual(told, [1, 1]);
  await two.setMode('suggest', 'ben');
  await one.refresh();
  assert.equal(one.mode(), 'suggest');
});

test('a pause and a time of learning reach the others, and their end does', async () => {
  const { servers } = await openServers(['enforce', 'enforce']);
  const [one, two] = servers as [Settings, Settings];
  await one.pauseUntil(5000, 'anna');
  await one.learn({ untilMs: 9000, thenMode: 'suggest' }, 'anna');
  await two.refresh();
  assert.deepEqual([two.pausedUntilMs(), two.learning()?.untilMs, two.mode()], [5000, 9000, 'observe']);
  await one.pauseUntil(0, 'anna');
  await one.tick(9000);
  await two.refresh();
  assert.deepEqual([two.pausedUntilMs(), two.learning(), two.mode()], [0, null, 'suggest']);
});

test('a server whose file says another mode keeps it until somebody chooses one', async () => {
  const { servers } = await openServers(['enforce', 'observe']);
  const [one, two] = servers as [Settings, Settings];
  await one.refresh();
  await two.refresh();
  assert.deepEqual([one.mode(), two.mode()], ['enforce', 'observe']);
  await one.setMode('suggest', 'anna');
  await two.refresh();
  assert.equal(two.mode(), 'suggest');
});

test('what was read before a choice of our own does not undo it', async () => {
  const { servers, hold } = await openServers(['enforce', 'enforce']);
  const [one, two] = servers as [Settings, Settings];
  await one.setMode('observe', 'anna');
  const release = hold();
  const reading = two.refresh();
  await two.setMode('suggest', 'ben');
  two.adoptPause(7000);
  release();
  await reading;
  assert.deepEqual([two.mode(), two.pausedUntilMs()], ['suggest', 7000]);
});
