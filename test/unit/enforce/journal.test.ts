import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Journal, readJournal, writeBreakGlass } from '../../../src/enforce/journal.js';
import { keepDecision, type JournalRecord } from '../../../src/enforce/journal-record.js';
import { decision } from './helpers.js';

describe('the journal', () => {
  let dir: string;
  let errors: unknown[];
  let journal: Journal;
  const open = (): Journal => new Journal(dir, (error) => errors.push(error));
  const put = (value: string): JournalRecord => ({ t: 'put', d: { ...keepDecision(decision(value)), id: value } });
  const values = (): string[] => [...readJournal(dir).decisions.keys()];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'enf-journal-'));
    errors = [];
    journal = open();
  });
  afterEach(() => {
    journal.close();
    rmSync(dir, { recursive: true, force: true });
    assert.deepEqual(errors, []);
  });

  it('is empty at first and remembers puts, deletes, allow and protected lists', () => {
    assert.equal(readJournal(dir).decisions.size, 0);
    journal.append([put('192.0.2.1'), put('192.0.2.2'), { t: 'del', id: '192.0.2.1' }]);
    const allow = { id: 'x', value: 'office.example', owner: 'ann', comment: 'Büro', createdMs: 1, expiresMs: 0 };
    journal.append([
      { t: 'allow', entries: [allow] },
      { t: 'protect', entries: [{ value: '192.0.2.9', reason: 'siem', detail: 's' }] },
    ]);
    const content = readJournal(dir);
    assert.deepEqual([...content.decisions.keys()], ['192.0.2.2']);
    assert.deepEqual(content.allow, [allow]);
    assert.equal(content.protected[0]?.value, '192.0.2.9');
    assert.equal(content.badLines, 0);
  });

  it('skips a line that was cut off by a crash', () => {
    journal.append([put('192.0.2.1'), put('192.0.2.2')]);
    const path = join(dir, 'journal.jsonl');
    writeFileSync(path, readFileSync(path).subarray(0, -20));
    assert.deepEqual(values(), ['192.0.2.1']);
    assert.equal(readJournal(dir).badLines, 1);
    journal.close();
    journal = open();
    journal.append([put('192.0.2.3')]);
    assert.deepEqual(values(), ['192.0.2.1', '192.0.2.3']);
  });

  it('skips a line whose bytes were changed', () => {
    journal.append([put('192.0.2.1'), put('192.0.2.2')]);
    const path = join(dir, 'journal.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"value":"192.0.2.1"', '"value":"192.0.9.1"'));
    assert.deepEqual(values(), ['192.0.2.2']);
  });

  it('keeps a list in few lines, every decision as it was, also where one of them differs', () => {
    const list = Array.from({ length: 100 }, (_, i): JournalRecord => {
      const d = keepDecision(
        decision(`10.2.0.${i}`, { policy: i === 50 ? 'other' : 'feed', expiresMs: 2_000_000 + i }),
      );
      return { t: 'put', d };
    });
    journal.append(list);
    const text = readFileSync(join(dir, 'journal.jsonl'), 'utf8');
    assert.equal(text.trimEnd().split('\n').length, 3);
    const wanted = list.map((r) => (r.t === 'put' ? r.d : undefined));
    assert.deepEqual([...readJournal(dir).decisions.values()], wanted);
    writeFileSync(join(dir, 'journal.jsonl'), text.replace('10.2.0.99', '10.9.0.99'));
    const damaged = readJournal(dir);
    assert.equal(damaged.badLines, 1);
    assert.equal(damaged.decisions.size, 51, 'the line that was changed is not believed');
  });

  it('is compacted without losing what is appended meanwhile', async () => {
    for (let i = 0; i < 4000; i++)
      journal.append([put(`10.0.${i >> 8}.${i & 255}`), { t: 'del', id: `10.0.${i >> 8}.${i & 255}` }]);
    const live = Array.from({ length: 5000 }, (_, i) => put(`10.1.${i >> 8}.${i & 255}`));
    journal.append(live);
    assert.equal(readJournal(dir).records, 13_000);
    const done = journal.compact(live);
    journal.append([put('192.0.2.77'), { t: 'del', id: '10.1.0.0' }]);
    await done;
    journal.append([put('192.0.2.78')]);
    const content = readJournal(dir);
    assert.equal(content.decisions.size, 5001);
    assert.equal(content.records, 5003);
    assert.ok(
      content.decisions.has('192.0.2.77') && content.decisions.has('192.0.2.78') && !content.decisions.has('10.1.0.0'),
    );
  });

  it('is worth compacting when most of it is about what has ended or was renewed, or is damaged', async () => {
    const live = Array.from({ length: 100 }, (_, i) => put(`10.1.0.${i}`));
    for (let i = 0; i < 201; i++) journal.append(live);
    assert.equal(journal.needsCompaction(100), false);
    journal.append([{ t: 'del', id: 'none' }]);
    assert.equal(journal.needsCompaction(100), true, 'renewals count too');
    journal.close();
    journal = new Journal(dir, (error) => errors.push(error), readJournal(dir));
    assert.equal(journal.needsCompaction(100), true, 'after a restart as well');
    await journal.compact(live);
    assert.equal(journal.needsCompaction(100), false);
    writeFileSync(join(dir, 'journal.jsonl'), 'no record\n', { flag: 'a' });
    journal.close();
    journal = new Journal(dir, (error) => errors.push(error), readJournal(dir));
    assert.equal(journal.needsCompaction(100), true, 'a line is damaged');
    await journal.compact(live);
    assert.deepEqual([journal.needsCompaction(100), readJournal(dir).badLines], [false, 0]);
  });

  it('is what it was when it is closed while it is compacted', async () => {
    const live = Array.from({ length: 5000 }, (_, i) => put(`10.1.${i >> 8}.${i & 255}`));
    journal.append(live);
    const done = journal.compact(live.slice(0, 4000));
    journal.close();
    await done;
    assert.equal(readJournal(dir).decisions.size, 5000);
    assert.deepEqual(readdirSync(dir), ['journal.jsonl']);
    assert.deepEqual(errors, []);
    journal = open();
  });

  it('is empty after break-glass, which is taken notice of once', () => {
    journal.append([put('192.0.2.1')]);
    writeBreakGlass(dir);
    assert.deepEqual(values(), []);
    assert.ok(journal.takeBreakGlass() > 0);
    assert.equal(journal.takeBreakGlass(), 0);
    assert.deepEqual(values(), ['192.0.2.1'], 'whoever takes the mark must write a flush record');
    journal.append([{ t: 'flush', atMs: 5 }]);
    assert.deepEqual(values(), []);
  });
});
