import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { Decision, EnforcementReport } from '../../../src/domain/decision.js';
import { createDryRunBackend } from '../../../src/enforce/backend/dry-run-backend.js';
import type { EnforceBackend, ForeignChange } from '../../../src/enforce/backend/backend.js';
import { createResponder, type Box, type Responder, type ResponderIncident } from '../../../src/enforce/index.js';
import { until } from '../../integration/enforce/setup.js';
import { decision, options } from './helpers.js';

const box: Box = {
  read: () => undefined,
  list: () => [],
  link: () => undefined,
  ip: (args) =>
    Promise.resolve(args.includes('addr') ? '[{"ifname":"eth0","addr_info":[{"local":"10.0.0.1"}]}]' : '[]'),
  interfaces: () => [],
  resolve: () => Promise.resolve([]),
  env: {},
};

describe('the responder, on a backend that counts in memory', () => {
  let dir: string;
  let responder: Responder;
  let reports: EnforcementReport[];
  let incidents: ResponderIncident[];
  let wallMs: number;
  /** How far the wall clock was set beside the time that has passed. */
  let jumpMs: number;
  let backend: EnforceBackend;
  const start = async (
    more: Record<string, unknown> = {},
    make: () => EnforceBackend = () => createDryRunBackend(),
  ): Promise<void> => {
    const clock = { monoMs: () => wallMs, wallMs: () => wallMs + jumpMs, us: () => wallMs * 1000 };
    responder = createResponder(
      options({ backend: 'dry-run', state_dir: dir, ...more }),
      { box, clock, backends: () => (backend = make()) },
      {
        report: (r) => reports.push(...r),
        state: () => undefined,
        hits: () => undefined,
        incident: (i) => incidents.push(i),
      },
    );
    await responder.start();
  };
  const told = async (d: Decision): Promise<EnforcementReport | undefined> => {
    responder.decide(d);
    await responder.idle();
    return reports.findLast((r) => r.decisionId === d.id);
  };
  /** The same backend under a name that is not the dry run's, so that decisions count as enforced. */
  const named = (): EnforceBackend => ({ ...createDryRunBackend(() => wallMs), name: 'nft' });
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'enf-responder-'));
    reports = [];
    incidents = [];
    wallMs = 1_000_000;
    jumpMs = 0;
  });
  afterEach(async () => {
    await responder.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('reports dry-run decisions as applied and simulated', async () => {
    await start();
    const report = await told(decision('203.0.113.7'));
    assert.deepEqual([report?.enforcement, report?.simulated, report?.set], ['applied', true, 'block4_32']);
    assert.deepEqual([responder.state().desired, responder.state().backend], [0, 'dry-run']);
  });

  it('starts once however often it is asked to', async () => {
    await start();
    await Promise.all([responder.start(), responder.start()]);
    assert.equal(responder.state().stats['decisions_rebuilds'], 1);
  });

  it('keeps blocks for the time that passes, however the wall clock is set', async () => {
    await start({}, named);
    const d = decision('203.0.113.7');
    await told(d);
    const isOver = (): boolean => reports.some((r) => r.decisionId === d.id && r.enforcement === 'expired');
    for (const jump of [36_000_000, -36_000_000]) {
      jumpMs = jump;
      await sleep(300);
      assert.deepEqual([responder.state().desired, isOver()], [1, false], `clock set by ${jump} ms`);
    }
    wallMs += 61_000;
    await until(isOver);
    assert.equal(responder.state().desired, 0);
  });

  it('needs no server: after an hour without one, what was meant to last holds and what was not has ended', async () => {
    await start({}, named);
    const [long, short] = [7_200_000, 1_800_000].map((forMs, i) =>
      decision(`203.0.113.${i}`, { durationSecs: forMs / 1000, expiresMs: wallMs + forMs }),
    ) as [Decision, Decision];
    await told(long);
    await told(short);
    wallMs += 3_600_000;
    await until(() => reports.some((r) => r.decisionId === short.id && r.enforcement === 'expired'));
    const { desired, enforced } = responder.state();
    assert.deepEqual([desired, enforced], [1, 1]);
  });

  it('blocks no longer than was said when the clock is a day behind the one that said it', async () => {
    await start({}, named);
    const dayMs = 86_400_000;
    const later = { createdMs: wallMs + dayMs, expiresMs: wallMs + dayMs + 60_000, durationSecs: 60 };
    assert.equal((await told(decision('203.0.113.7', later)))?.enforcement, 'applied');
    const over = (): boolean => reports.some((r) => r.enforcement === 'expired');
    wallMs += 59_000;
    await sleep(250);
    assert.equal(over(), false, 'not before its time');
    wallMs += 2000;
    await until(over);
  });

  it('after a flush made while the clock was ahead, what is decided later is enforced', async () => {
    await start({}, named);
    jumpMs = 86_400_000;
    await responder.flush('by hand');
    jumpMs = 0;
    assert.equal((await told(decision('203.0.113.7', { createdMs: wallMs })))?.enforcement, 'revoked', 'same moment');
    wallMs += 1000;
    const later = decision('203.0.113.8', { createdMs: wallMs, expiresMs: wallMs + 60_000 });
    assert.equal((await told(later))?.enforcement, 'applied');
  });

  it('holds what it held when it refuses a renewal, and says so', async () => {
    await start({}, named);
    const d = decision('203.0.113.7');
    await told(d);
    const renewal = await told({ ...d, durationSecs: 60 * 86_400, expiresMs: wallMs + 60 * 86_400_000 });
    assert.equal(renewal?.enforcement, 'rejected');
    assert.deepEqual(renewal.kept, { durationSecs: 60, expiresMs: 1_060_000 });
    assert.equal(responder.state().desired, 1);
    const fresh = await told(
      decision('203.0.113.8', { durationSecs: 60 * 86_400, expiresMs: wallMs + 60 * 86_400_000 }),
    );
    assert.deepEqual([fresh?.enforcement, fresh?.kept], ['rejected', undefined], 'control: nothing was in force');
  });

  it('simulates everything when its own options do not allow enforcement', async () => {
    await start({ allow_enforce: false }, named);
    const report = await told(decision('203.0.113.7'));
    assert.deepEqual([report?.simulated, report?.set], [true, 'watch4_32']);
  });

  it('refuses a block of its own address and says why', async () => {
    await start({}, named);
    const report = await told(decision('10.0.0.1'));
    assert.equal(report?.enforcement, 'rejected');
    assert.match(report?.error ?? '', /own_address: eth0/);
    assert.equal(responder.state().desired, 0);
  });

  it('trips into simulation above the rate of change limit and tells once, critically', async () => {
    await start({ guard: { max_changes_per_minute: 10, trip_secs: 60 } }, named);
    for (let i = 0; i < 25; i++) responder.decide(decision(`203.0.113.${i}`));
    await responder.idle();
    assert.equal(reports.filter((r) => !r.simulated).length, 10);
    assert.equal(reports.filter((r) => r.simulated && r.set === 'watch4_32').length, 15);
    assert.deepEqual(
      incidents.map((i) => [i.code, i.severity]),
      [['enforce.rate_tripped', 'critical']],
    );
    const operator = await told(decision('203.0.113.200', { origin: 'operator' }));
    assert.equal(operator?.simulated, false, 'an operator is never held back');
    wallMs += 61_000;
    assert.equal(
      (await told(decision('203.0.113.201', { createdMs: wallMs, expiresMs: wallMs + 60_000 })))?.simulated,
      false,
    );
  });

  it('keeps within the most elements allowed', async () => {
    await start({ guard: { max_elements: 100 } }, named);
    for (let i = 0; i < 150; i++) responder.decide(decision(`203.0.113.${i}`, { origin: 'feed' }));
    await responder.idle();
    assert.ok(Number(responder.state().stats['elements']) <= 100);
    assert.ok(reports.some((r) => r.enforcement === 'rejected' && /elements/.test(r.error ?? '')));
  });

  it('makes the list of the server the list in force', async () => {
    await start({}, named);
    const [a, b, c] = ['203.0.113.1', '203.0.113.2', '203.0.113.3'].map((v) => decision(v));
    await responder.sync([a!, b!]);
    await responder.idle();
    reports.length = 0;
    await responder.sync([b!, c!]);
    await responder.idle();
    assert.deepEqual(
      reports.map((r) => [r.decisionId, r.enforcement]).sort(),
      [
        [a!.id, 'revoked'],
        [c!.id, 'applied'],
      ].sort(),
    );
  });

  it('does not let what is urgent wait for a long list that goes', async () => {
    await start({}, named);
    const list = Array.from({ length: 2000 }, (_, i) => decision(`198.18.${i >> 8}.${i & 255}`, { origin: 'feed' }));
    await responder.sync(list);
    await responder.idle();
    reports = [];
    const gone = responder.sync([]);
    await turn();
    await turn();
    const urgent = decision('203.0.113.9');
    responder.decide(urgent);
    await gone;
    await responder.idle();
    const applied = reports.findIndex((r) => r.decisionId === urgent.id);
    assert.equal(reports[applied]?.enforcement, 'applied');
    assert.equal(reports.filter((r) => r.enforcement === 'revoked').length, 2000);
    assert.ok(applied < 1000, `it was in force after ${applied} others were lifted`);
  });

  it('keeps what a newer list has while an older one is still being carried out', async () => {
    await start({}, named);
    const list = Array.from({ length: 500 }, (_, i) => decision(`198.18.${i >> 8}.${i & 255}`, { origin: 'feed' }));
    await responder.sync(list);
    const older = responder.sync([]);
    await turn();
    const newer = responder.sync(list);
    await Promise.all([older, newer]);
    await responder.idle();
    assert.equal(responder.state().desired, 500);
  });

  it('takes what is decided and released while a list is still checked for newer than the list', async () => {
    await start({}, named);
    const [kept, lifted, urgent] = ['203.0.113.1', '203.0.113.2', '203.0.113.3'].map((v) => decision(v));
    let checked!: (list: Decision[]) => void;
    const synced = responder.sync(new Promise<Decision[]>((resolve) => (checked = resolve)));
    responder.release(lifted!.id, 'a mistake');
    assert.equal((await told(urgent!))?.enforcement, 'applied', 'it does not wait for the list');
    checked([kept!, lifted!]);
    await synced;
    await responder.idle();
    const said = [kept, lifted, urgent].map((d) => reports.filter((r) => r.decisionId === d!.id));
    assert.deepEqual(
      said.map((list) => list.map((r) => r.enforcement)),
      [['applied'], ['revoked'], ['applied']],
    );
  });

  it('takes a list after one that could not be checked', async () => {
    await start({}, named);
    await assert.rejects(responder.sync(Promise.reject(new Error('broken'))), /broken/);
    await responder.sync([decision('203.0.113.1')]);
    await responder.idle();
    assert.equal(responder.state().desired, 1);
  });

  it('lifts everything on flush, and decisions that still waited stay lifted', async () => {
    await start({}, named);
    for (let i = 0; i < 30; i++) responder.decide(decision(`203.0.113.${i}`));
    await responder.flush('test');
    await responder.idle();
    assert.equal(responder.state().desired, 0);
    const { elements } = responder.state().stats;
    assert.equal(elements, responder.state().protected.length);
    const last = new Map(reports.map((r) => [r.decisionId, r.enforcement]));
    assert.deepEqual([...new Set(last.values())], ['revoked']);
  });

  it('takes a block back when its address becomes protected', async () => {
    await start({}, named);
    const d = decision('203.0.113.7');
    await told(d);
    responder.setProtect([{ value: '203.0.113.7', reason: 'console_session', detail: 'ann' }]);
    await responder.idle();
    assert.equal(reports.findLast((r) => r.decisionId === d.id)?.enforcement, 'revoked');
    assert.ok(incidents.some((i) => i.code === 'enforce.protected_was_blocked'));
  });

  it('refuses an allow entry that would switch enforcement off', async () => {
    await start({}, named);
    await responder.setAllow([{ id: 'x', value: '0.0.0.0/0', owner: 'o', comment: 'c', createdMs: 0, expiresMs: 0 }]);
    assert.deepEqual(
      incidents.map((i) => i.code),
      ['enforce.allow_too_wide'],
    );
    assert.equal(responder.state().stats['allowed'], 0);
  });

  it('reports failed when the backend throws, and desired does not count it', async () => {
    await start({}, () => ({ ...named(), apply: () => Promise.reject(new Error('broken')) }));
    const report = await told(decision('203.0.113.7'));
    assert.deepEqual([report?.enforcement, report?.error], ['failed', 'broken']);
    assert.equal(responder.state().desired, 0);
    assert.ok(incidents.some((i) => i.code === 'enforce.transaction_failed' && i.severity === 'critical'));
  });

  it('falls back from netlink to nft and says so', async () => {
    let first = true;
    await start({ backend: 'nftables' }, () => {
      const broken = first;
      first = false;
      return broken ? { ...named(), open: () => Promise.reject(new Error('no netlink')) } : named();
    });
    assert.equal(backend.name, 'nft');
    assert.deepEqual(
      incidents.map((i) => [i.code, i.message]),
      [['enforce.backend_fallback', 'no netlink']],
    );
  });

  it('loads the table again when notifications of the kernel were lost', async () => {
    let changes: ForeignChange[] = [];
    await start({ truth_interval_ms: 10 }, () => ({ ...named(), foreignChanges: () => changes.splice(0) }));
    await told(decision('203.0.113.9'));
    const before = Number(responder.state().stats['decisions_rebuilds']);
    changes = [{ kind: 'overrun', text: 'notifications were lost' }];
    await until(() => Number(responder.state().stats['decisions_rebuilds']) > before);
    const drift = incidents.find((i) => i.code === 'enforce.drift');
    assert.match(drift?.message ?? '', /notifications were lost/);
    assert.deepEqual([responder.state().desired, responder.state().enforced], [1, 1]);
  });

  it('explains an address', async () => {
    await start({}, named);
    await told(decision('203.0.113.0/24'));
    const answer = (await responder.ask('explain', '203.0.113.9')) as {
      blocked: boolean;
      decisions: unknown[];
      path: { set: string }[];
    };
    assert.equal(answer.blocked, true);
    assert.equal(answer.decisions.length, 1);
    assert.deepEqual(
      answer.path.map((k) => k.set),
      ['block4_24'],
    );
    const own = (await responder.ask('explain', '10.0.0.1')) as { blocked: boolean; protected: unknown[] };
    assert.equal(own.blocked, false);
    assert.equal(own.protected.length, 1);
    await assert.rejects(responder.ask('explain', 'nonsense'), /not an address/);
  });
});
