import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { createPolicyBook, type PolicyBook } from '../../../src/daemons/server/policies.js';
import { undoChange } from '../../../src/daemons/server/policy-control.js';
import { watchPolicies } from '../../../src/daemons/server/policy-watch.js';
import type { Decision } from '../../../src/domain/decision.js';
import { createPolicyEngine, policyOptionsSchema, type PolicyEngine } from '../../../src/policy/index.js';
import { openStore, type Store } from '../../../src/store/index.js';
import { AppError } from '../../../src/util/errors.js';
import { silentLogger } from '../../../src/util/logger.js';
import { decision } from '../enforce/helpers.js';

const text = (name: string, secs: number): string =>
  `format: 1\nname: ${name}\ndescription: d\nrespond:\n  ladder:\n    - { action: block, duration: ${secs} }\n`;

const root = mkdtempSync(join(tmpdir(), 'policies-'));
const dir = join(root, 'shipped');
const ownDir = join(root, 'own');
let store: Store;
let engine: PolicyEngine;
let book: PolicyBook;

before(async () => {
  mkdirSync(dir);
  writeFileSync(join(dir, 'scan.yaml'), text('scan', 60));
  store = await openStore({ kind: 'sqlite', path: ':memory:', thread: false });
  engine = createPolicyEngine(policyOptionsSchema.parse({}), {
    mode: () => 'enforce',
    pausedUntilMs: () => 0,
    newId: () => 'd',
    findProtected: () => undefined,
    findAllowed: () => undefined,
    blastRadius: () => undefined,
  });
  book = createPolicyBook({ dir, ownDir, repository: store.policies, engine, log: silentLogger });
  await book.load();
});
after(async () => {
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

const inForce = (name: string): number | undefined =>
  engine.policies().find((p) => p.name === name)?.respond?.ladder[0]?.duration;
const rejects = (what: Promise<unknown>, code: string): Promise<void> =>
  assert.rejects(what, (e) => e instanceof AppError && e.code === code);

test('every text that was in force is a version; a rollback puts an old one in force as a new version', async () => {
  assert.equal((await book.put('scan', text('scan', 120), { comment: 'longer', actor: 'ada' })).version, 2);
  assert.equal(inForce('scan'), 120);
  const back = await book.rollback('scan', 1, { comment: 'too long', actor: 'ada' });
  assert.deepEqual([back.version, back.versions.length, inForce('scan'), back.source], [3, 3, 60, 'saved']);
  await rejects(book.rollback('scan', 99, { comment: 'x', actor: 'ada' }), 'policy.no_version');
});

test('a comparison shows what a version or an unsaved text changes', async () => {
  const diff = await book.diff('scan', { from: 1, to: 2 });
  assert.deepEqual([diff.added, diff.removed], [1, 1]);
  assert.match(diff.lines.find((l) => l.op === 'added')?.text ?? '', /120/);
  const unsaved = await book.diff('scan', { yaml: text('scan', 61) });
  assert.deepEqual([unsaved.from, unsaved.to, unsaved.added], [3, 0, 1]);
});

test('a bad text is refused with every problem, and what was in force stays', async () => {
  await rejects(
    book.put('scan', 'format: 1\nname: scan\nnonsense: 1\nwhen: { ports: [99999] }\n', { comment: 'x', actor: 'ada' }),
    'policy.invalid',
  );
  await rejects(book.put('scan', text('other', 60), { comment: 'x', actor: 'ada' }), 'policy.name_differs');
  assert.equal(inForce('scan'), 60);
});

test('removing a saved text brings the shipped one back; a shipped one cannot be removed', async () => {
  await book.put('scan', text('scan', 300), { comment: 'longer', actor: 'ada' });
  await book.remove('scan', 'anna');
  assert.deepEqual([inForce('scan'), existsSync(join(ownDir, 'scan.yaml'))], [60, false]);
  await rejects(book.remove('scan', 'anna'), 'policy.not_saved');
});

test('a change that is taken back leaves what was before, and lifts the real decisions made under it, and no others', async () => {
  await book.put('scan', text('scan', 90), { comment: 'first', actor: 'ada' });
  const saved = await book.saved('scan');
  await book.put('scan', text('scan', 900), { comment: 'risky', actor: 'ada' });
  const madeMs = 5000;
  const made: Decision[] = [
    decision('203.0.113.1', { policy: 'scan', createdMs: 6000 }),
    decision('203.0.113.2', { policy: 'scan', createdMs: 4000 }),
    decision('203.0.113.3', { policy: 'other', createdMs: 6000 }),
    decision('203.0.113.4', { policy: 'scan', createdMs: 6000, simulated: true }),
    decision('203.0.113.5', { origin: 'operator', createdMs: 6000 }),
  ];
  const released: string[] = [];
  const parts = {
    policies: book,
    settings: {
      mode: () => 'enforce' as const,
      pausedUntilMs: () => 0,
      setMode: async () => {},
      pauseUntil: async () => {},
    },
    book: {
      active: () => made,
      release: (id: string) => {
        released.push(made.find((d) => d.id === id)?.value ?? '');
        return undefined;
      },
    },
  };
  const change = {
    id: 'c',
    kind: 'policy' as const,
    object: 'scan',
    summary: 's',
    actor: 'ada',
    madeMs,
    revertMs: 9000,
    before: saved,
  };
  assert.equal(await undoChange(change, 'timer', parts as unknown as Parameters<typeof undoChange>[2]), 1);
  assert.deepEqual([released, inForce('scan')], [['203.0.113.1'], 90]);
  await undoChange({ ...change, before: null }, 'timer', parts as unknown as Parameters<typeof undoChange>[2]);
  assert.equal(inForce('scan'), 60, 'nothing was saved before: the shipped one is back');
});

test('of two people who edit the same version the second is told, and overwrites nothing', async () => {
  const { version } = await book.get('scan');
  const before = inForce('scan');
  const edits = ['ada', 'bob'].map((actor, i) =>
    book.put('scan', text('scan', 200 + i), { comment: 'mine', actor, basedOn: version }),
  );
  const [first, second] = await Promise.allSettled(edits);
  assert.equal(first?.status, 'fulfilled');
  const refusal = second?.status === 'rejected' ? (second.reason as AppError) : undefined;
  assert.equal(refusal?.code, 'policy.conflict');
  assert.match(refusal?.message ?? '', new RegExp(`version ${version + 1} by ada`));
  assert.equal(inForce('scan'), 200);
  await rejects(book.rollback('scan', 1, { comment: 'x', actor: 'bob', basedOn: version }), 'policy.conflict');
  await rejects(book.put('new', text('new', 60), { comment: 'x', actor: 'bob', basedOn: 1 }), 'policy.conflict');
  const back = await book.rollback('scan', version, { comment: 'seen', actor: 'bob', basedOn: version + 1 });
  assert.deepEqual([back.version, inForce('scan')], [version + 2, before]);
  await book.remove('scan', 'ada');
});

test('changed files come into force by themselves; a bad one changes nothing and is told', async () => {
  const failures: string[] = [];
  const watch = watchPolicies({
    dirs: [dir, ownDir],
    load: book.load,
    failed: (message) => failures.push(message),
    log: silentLogger,
  });
  await watch.check();
  writeFileSync(join(dir, 'scan.yaml'), text('scan', 77777));
  await watch.check();
  assert.equal(inForce('scan'), 77777);
  writeFileSync(join(dir, 'flood.yaml'), 'format: 1\nname: flood\nwrong: true\n');
  await watch.check();
  assert.equal(inForce('scan'), 77777);
  assert.match(failures[0] ?? '', /flood\.yaml/);
  await watch.check();
  assert.equal(failures.length, 1, 'once');
  watch.close();
});
