import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Actor } from '../../../src/api/index.js';
import { ruleListQuerySchema } from '../../../src/contract/http.js';
import { createRuleBook, type RuleBook } from '../../../src/daemons/server/rules.js';
import { signatureOptionsSchema } from '../../../src/detect/signature/index.js';
import type { Detection } from '../../../src/domain/detection.js';
import { silentLogger } from '../../../src/util/logger.js';

const ADA: Actor = { name: 'ada', kind: 'user', address: '' };
const RULES = [
  'alert http any any -> any any (msg:"SQL injection"; http.uri; content:"union"; classtype:web-application-attack; metadata:mitre_technique_id T1190; sid:10; rev:2;)',
  'alert tcp any any -> any any (msg:"A beacon"; content:"x"; classtype:trojan-activity; reference:url,example.org; sid:11;)',
  '#alert tcp any any -> any any (msg:"Switched off"; content:"y"; sid:12;)',
  'alert tcp any any -> any any (msg:"Nonsense"; nonsense; sid:13;)',
].join('\n');
const HOUR = 3_600_000;

let dir: string;
let book: RuleBook;
let reloads: number;
let nowMs: number;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'portcullis-book-'));
  writeFileSync(join(dir, 'own.rules'), RULES);
  mkdirSync(join(dir, 'upstream'));
  writeFileSync(join(dir, 'upstream', 'up.rules'), 'alert icmp any any -> any any (msg:"Upstream"; sid:50;)');
  reloads = 0;
  nowMs = Date.now();
  open();
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

function open(): void {
  const options = signatureOptionsSchema.parse({
    rules: [join(dir, 'own.rules')],
    sources: [{ name: 'up', url: join(dir, 'upstream') }],
  });
  book = createRuleBook({
    options: { ...options, folder: join(dir, 'rules') },
    reload: () => ++reloads,
    log: silentLogger,
    now: () => nowMs,
  });
}
const list = (query: Record<string, unknown> = {}) => book.list(ruleListQuerySchema.parse(query));
const sids = async (query: Record<string, unknown>) => (await list(query)).items.map((r) => r.sid);

test('rules are listed with state, classtype, severity and technique', async () => {
  const { items, counts, classtypes, total } = await list();
  assert.equal(total, 4);
  assert.deepEqual(counts, { enabled: 2, disabled: 1, failed: 1 });
  assert.deepEqual(items.map((r) => [r.sid, r.state]), [[10, 'enabled'], [11, 'enabled'], [12, 'disabled'], [13, 'failed']]); // prettier-ignore
  assert.deepEqual([items[0]!.technique, items[0]!.severity, items[0]!.file, items[0]!.line], ['T1190', 'high', 'own.rules', 1]); // prettier-ignore
  assert.deepEqual(classtypes.map((c) => c.value).sort(), ['trojan-activity', 'web-application-attack']);
});

test('rules are searched, filtered, sorted and paged', async () => {
  assert.deepEqual(await sids({ q: 'sql' }), [10]);
  assert.deepEqual(await sids({ q: 'T1190' }), [10]);
  assert.deepEqual(await sids({ q: '1:11' }), [11]);
  assert.deepEqual(await sids({ q: 'own.rules -sql -nonsense' }), [11, 12]);
  assert.deepEqual(await sids({ state: 'failed' }), [13]);
  assert.deepEqual(await sids({ classtype: 'trojan-activity' }), [11]);
  assert.deepEqual(await sids({ sort: 'msg' }), [11, 13, 10, 12]);
  const first = await list({ limit: 3 });
  assert.deepEqual(
    (await list({ limit: 3, cursor: first.nextCursor })).items.map((r) => r.sid),
    [13],
  );
  assert.equal((await list({ limit: 4 })).nextCursor, null);
});

test('a rule that fires is counted, also over a restart', async () => {
  const hit = { tier: 'signature', gid: 1, signatureId: 11, repeats: 2 } as Detection;
  book.hits.note(hit, 5000);
  book.hits.note({ ...hit, tier: 'behaviour' } as Detection, 6000);
  assert.deepEqual((await list({ sort: 'hits', limit: 1 })).items.map((r) => [r.sid, r.hits, r.lastHitMs]), [[11, 3, 5000]]); // prettier-ignore
  book.close();
  open();
  assert.equal((await book.get(1, 11)).hits, 3);
});

test('a rule in full has its text, and why it is not understood', async () => {
  const rule = await book.get(1, 13);
  assert.equal(rule.text, RULES.split('\n')[3]);
  assert.equal(rule.problem?.keyword, 'nonsense');
  assert.ok(rule.problem.column > 40);
  assert.deepEqual((await book.get(1, 11)).references, ['url,example.org']);
  await assert.rejects(async () => book.get(1, 99), { code: 'rule.not_found' });
});

test('a rule is switched off and on for good, with who and why', async () => {
  assert.equal((await book.setState(1, 10, false, 'too loud', ADA)).state, 'disabled');
  assert.equal(reloads, 1);
  const file = join(dir, 'rules', 'disable.conf');
  assert.match(readFileSync(file, 'utf8'), /^# \d{4}-\d\d-\d\d ada: too loud\n1:10\n$/);
  open();
  assert.equal((await book.get(1, 10)).changedBy, 'disable.conf:2');
  assert.equal((await book.setState(1, 10, true, undefined, ADA)).state, 'enabled');
  assert.equal(readFileSync(file, 'utf8'), '');
  assert.equal((await book.setState(1, 12, true, undefined, ADA)).state, 'enabled');
  assert.equal((await book.setState(1, 12, false, undefined, ADA)).state, 'disabled');
});

test('lines that choose several rules stay, and one rule may differ from them', async () => {
  mkdirSync(join(dir, 'rules'));
  writeFileSync(join(dir, 'rules', 'disable.conf'), 'group:own.rules\n');
  open();
  assert.equal((await book.setState(1, 10, true, undefined, ADA)).state, 'enabled');
  assert.equal((await book.get(1, 11)).state, 'disabled');
  assert.equal(readFileSync(join(dir, 'rules', 'disable.conf'), 'utf8'), 'group:own.rules\n');
  writeFileSync(join(dir, 'rules', 'enable.conf'), 're:beacon\n');
  open();
  await assert.rejects(async () => book.setState(1, 11, false, undefined, ADA), { code: 'rules.choice_stands' });
  assert.equal((await book.get(1, 11)).state, 'enabled');
});

test('an update fetches the sources, tells the sensors and is reported', async () => {
  assert.equal(await book.lastUpdate(), null);
  const report = await book.update({}, ADA);
  assert.deepEqual([report.ok, report.sources[0]!.result, report.actor], [true, 'updated', 'ada']);
  assert.equal(reloads, 1);
  assert.deepEqual(await sids({ source: 'up' }), [50]);
  assert.equal((await book.sources()).items[0]!.rules, 1);
  assert.equal((await book.update({}, ADA)).sources[0]!.result, 'unchanged');
  assert.equal(reloads, 1);
  await assert.rejects(async () => book.update({ sources: ['other'] }, ADA), { code: 'rules.no_such_source' });
});

test('sources are fetched when it is time, and sooner again after a failure', async () => {
  const settle = async (): Promise<void> => {
    while ((await book.sources()).running) await new Promise((resolve) => setImmediate(resolve));
  };
  const attempt = async (): Promise<number> => {
    const before = (await book.lastUpdate())?.atMs ?? 0;
    book.tick(nowMs);
    await settle();
    return ((await book.lastUpdate())?.atMs ?? 0) - before;
  };
  assert.ok((await attempt()) > 0);
  nowMs += 23 * HOUR;
  assert.equal(await attempt(), 0);
  nowMs += 2 * HOUR;
  rmSync(join(dir, 'upstream'), { recursive: true });
  assert.ok((await attempt()) > 0);
  assert.deepEqual(await sids({ source: 'up' }), [50]);
  nowMs += HOUR / 2;
  assert.equal(await attempt(), 0);
  nowMs += HOUR;
  assert.ok((await attempt()) > 0);
});

test('a text is checked with line and column, and may not read files of the box', async () => {
  assert.deepEqual(await book.check('alert tcp any any -> any any (msg:"x"; sid:1;)'), { ok: true, loaded: 1, problems: [] }); // prettier-ignore
  const bad = await book.check('\nalert tcp any any -> any any (msg:"x"; luajit:a.lua; sid:1;)');
  assert.deepEqual([bad.ok, bad.problems[0]!.line, bad.problems[0]!.keyword], [false, 2, 'luajit']);
  const file = await book.check('alert http any any -> any any (http.uri; dataset:isset,x,type string,load /etc/passwd; sid:1;)'); // prettier-ignore
  assert.match(file.problems[0]!.reason, /files are not read/);
});

test('files are listed with their problems, lines of the edit files too', async () => {
  mkdirSync(join(dir, 'rules'));
  writeFileSync(join(dir, 'rules', 'modify.conf'), 'nonsense\n');
  open();
  const files = await book.files();
  assert.deepEqual(files.map((f) => [f.file, f.loaded, f.skipped, f.failed]), [['own.rules', 2, 1, 1], ['modify.conf', 0, 0, 1]]); // prettier-ignore
});
