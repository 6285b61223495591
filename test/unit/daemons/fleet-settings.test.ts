import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { FleetSettings } from '../../../src/contract/fleet.js';
import { createExemptions, type DecisionBook } from '../../../src/daemons/server/decisions.js';
import { createFleetSettings, type FleetSettingsControl } from '../../../src/daemons/server/fleet-settings.js';
import type { AllowEntry, Decision } from '../../../src/domain/decision.js';
import { silentLogger } from '../../../src/util/logger.js';
import { sampleDecision } from '../store/samples.js';

const entry = (id: string, value: string): AllowEntry => ({
  ...{ id, value, owner: 'anna', comment: 'a customer', createdMs: 0, expiresMs: 0 },
});

/** A bus that hands what one server says to all others, and the database that the servers share. */
function makeServers(count: number) {
  const database = { entries: [] as AllowEntry[], isAway: false };
  let current: FleetSettings | undefined;
  let said = 0;
  const servers = Array.from({ length: count }, (_, i) => {
    let held: AllowEntry[] = [];
    let pausedUntilMs = 0;
    const exemptions = createExemptions();
    const released: string[] = [];
    const active: Decision[] = [sampleDecision({ id: 'd1', value: '198.51.100.7' })];
    const book = {
      active: () => active,
      release(id: string) {
        released.push(id);
        active.splice(0);
        return undefined;
      },
    } as unknown as DecisionBook;
    const refresh = async (): Promise<void> => {
      await turn();
      if (database.isAway) throw new Error('the database is away');
      // Each asks a resolver of its own: names never stand for the same.
      held = database.entries.flatMap((e) => (e.value === 'name.test' ? [e, entry(e.id, `192.0.2.${i}`)] : [e]));
      exemptions.setAllowed(held);
    };
    const control: FleetSettingsControl = createFleetSettings({
      exempt: { exemptions, allowed: () => held, refresh },
      settings: { pausedUntilMs: () => pausedUntilMs, adoptPause: (ms) => void (pausedUntilMs = ms) },
      book,
      link: () => ({
        current: () => current,
        again: () => undefined,
        set(next) {
          said++;
          current = { ...next, version: said };
          for (const other of servers) if (other.control !== control) other.control.heard(current);
        },
      }),
      isScheduler: () => i === 0,
      log: silentLogger,
    });
    return {
      control,
      refresh,
      released,
      pause: (ms: number) => void (pausedUntilMs = ms),
      paused: () => pausedUntilMs,
    };
  });
  async function seconds(n: number): Promise<void> {
    for (let i = 0; i < n; i++) {
      for (const { control } of servers) control.tick();
      for (let turns = 0; turns < 4; turns++) await turn();
    }
  }
  return { database, servers, seconds, current: () => current, said: () => said };
}

const values = (settings: FleetSettings | undefined): string[] => (settings?.allow ?? []).map((e) => e.value).sort();

test('an address allowed at one server is allowed everywhere and what blocks it is lifted', async () => {
  const { database, servers, seconds, current } = makeServers(2);
  await seconds(2);
  database.entries.push(entry('a', '198.51.100.0/24'));
  await servers[0]!.refresh();
  await seconds(2);
  assert.deepEqual(values(current()), ['198.51.100.0/24']);
  assert.deepEqual(servers[1]!.released, ['d1']);
});

test('two people at two servers at once: both entries count in the end', async () => {
  const { database, servers, seconds, current } = makeServers(2);
  await seconds(2);
  database.entries.push(entry('b', '192.0.2.2'));
  await servers[1]!.refresh();
  database.entries.push(entry('a', '192.0.2.1'));
  await servers[0]!.refresh();
  servers[0]!.control.tick();
  servers[1]!.control.tick();
  await seconds(4);
  assert.deepEqual(values(current()), ['192.0.2.1', '192.0.2.2']);
});

test('a pause at one server is a pause of all, and its end too', async () => {
  const { servers, seconds, current } = makeServers(2);
  await seconds(1);
  servers[1]!.pause(1_000);
  await seconds(2);
  assert.equal(servers[0]!.paused(), 1_000);
  servers[0]!.pause(0);
  await seconds(2);
  assert.equal(servers[1]!.paused(), 0);
  assert.equal(current()?.pausedUntilMs, 0);
});

test('servers whose resolvers differ do not talk for ever', async () => {
  const { database, servers, seconds, said } = makeServers(3);
  database.entries.push(entry('n', 'name.test'));
  for (const server of servers) await server.refresh();
  await seconds(5);
  const before = said();
  await seconds(20);
  assert.equal(said(), before);
});

test('with the database away nothing that was allowed is taken back', async () => {
  const { database, servers, seconds, current } = makeServers(2);
  await seconds(2);
  database.entries.push(entry('a', '192.0.2.1'));
  await servers[0]!.refresh();
  database.isAway = true;
  await seconds(3);
  assert.deepEqual(values(current()), ['192.0.2.1']);
});
