import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
    assert.ok(readJournal(dir).isWasteful);
    const done = journal.compact(live);
    journal.append([put('192.0.2.77'), { t: 'del', id: '10.1.0.0' }]);
    await done;
    journal.append([put('192.0.2.78')]);
    const content = readJournal(dir);
    assert.equal(content.decisions.size, 5001);
    assert.equal(content.isWasteful, false);
    assert.ok(
      content.decisions.has('192.0.2.77') && content.decisions.has('192.0.2.78') && !content.decisions.has('10.1.0.0'),
    );
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
