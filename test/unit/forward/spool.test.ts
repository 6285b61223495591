import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import type { SiemEvent } from '../../../src/domain/siem-event.js';
import { crc32c } from '../../../src/forward/spool/crc32c.js';
import { LANES } from '../../../src/forward/spool/cursor.js';
import { checkRecord, findRecord, RECORD_OVERHEAD_BYTES, writeRecord } from '../../../src/forward/spool/record.js';
import type { Consumer } from '../../../src/forward/spool/consumer.js';
import { laneOf, Spool, type SpoolOptions } from '../../../src/forward/spool/spool.js';
import { cleanText } from '../../../src/forward/text.js';
import { silentLogger } from '../../../src/util/logger.js';
import { ALERT, BLOCK, GAP } from './support/samples.js';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'portcullis-spool-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

function openSpool(change: Partial<SpoolOptions> = {}): Promise<Spool> {
  return Spool.open({
    dir,
    maxBytes: 1e9,
    maxAgeSecs: 7 * 86400,
    segmentBytes: 1e6,
    fsyncMs: 200,
    pendingBytes: 64e6,
    log: silentLogger,
    ...change,
  });
}

/** A medium alert with a number; `size` letters make it longer. */
function numbered(n: number, size = 0): SiemEvent {
  return { ...ALERT, severity: 'medium', id: `n${n}`, message: 'x'.repeat(size) };
}

async function readAll(consumer: Consumer): Promise<{ ids: string[]; lost: number }> {
  const ids: string[] = [];
  let lost = 0;
  while (consumer.unread() > 0) {
    const result = await consumer.read(LANES, 50, 1e6);
    lost += result.lost;
    if (result.events.length === 0 && result.lost === 0) break;
    ids.push(...result.events.map((event) => event.id));
  }
  return { ids, lost };
}

const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_x, i) => `n${from + i}`);

describe('CRC-32C', () => {
  it('gives the values of RFC 3720 B.4', () => {
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_x, i) => i)), 0x46dd794e);
    assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  });

  it('does not depend on where in a buffer the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(20), (data, shift) => {
        const moved = new Uint8Array(data.length + 40);
        moved.set(data, shift);
        assert.equal(crc32c(moved, shift, shift + data.length), crc32c(data));
      }),
    );
  });
});

describe('spool records', () => {
  it('come back whole, and any changed byte is noticed', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }),
        fc.nat(2 ** 48 - 1),
        fc.nat(),
        (json, seq, at) => {
          const text = cleanText(json) || 'x';
          const buffer = Buffer.alloc(RECORD_OVERHEAD_BYTES + 3 * text.length);
          const end = writeRecord(buffer, 0, seq, text);
          const record = checkRecord(buffer, 0, end);
          assert.ok(record.kind === 'ok');
          assert.equal(record.seq, seq);
          assert.equal(buffer.toString('utf8', record.payloadStart, record.payloadEnd), text);
          const place = at % (end - 1);
          buffer[place]! ^= 1 + (at % 255);
          assert.notEqual(checkRecord(buffer, 0, end).kind, 'ok');
        },
      ),
    );
  });

  it('are found again after damage', () => {
    const buffer = Buffer.alloc(300);
    const first = writeRecord(buffer, 0, 1, '{"a":1}');
    const second = writeRecord(buffer, first, 2, '{"b":2}');
    buffer[20]! ^= 1;
    assert.equal(findRecord(buffer, 1, second), first);
  });
});

describe('spool', () => {
  it('gives a new destination only what comes after it, and each destination its own place', async () => {
    const spool = await openSpool();
    spool.append(numbered(0));
    const a = spool.consumer('a');
    for (let i = 1; i < 4; i++) spool.append(numbered(i));
    const b = spool.consumer('b');
    spool.append(numbered(4));
    assert.deepEqual((await readAll(a)).ids, numbers(1, 5));
    assert.deepEqual((await readAll(b)).ids, numbers(4, 5));
    await spool.close();
  });

  it('reads decisions and critical alerts before the backlog, and low alerts last', async () => {
    const spool = await openSpool();
    const consumer = spool.consumer('a');
    spool.append({ ...ALERT, severity: 'low', id: 'low' });
    spool.append(numbered(1));
    spool.append(BLOCK);
    spool.append({ ...ALERT, severity: 'critical', id: 'critical' });
    spool.append(GAP);
    assert.deepEqual((await readAll(consumer)).ids, [BLOCK.id, 'critical', GAP.id, 'n1', 'low']);
    assert.equal(laneOf({ ...ALERT, severity: 'info' }), 'low');
    await spool.close();
  });

  it('goes back to the confirmed place after a failure and after a restart', async () => {
    const spool = await openSpool();
    const consumer = spool.consumer('a');
    for (let i = 0; i < 10; i++) spool.append(numbered(i));
    await consumer.read(['normal'], 4, 1e6);
    consumer.commit(consumer.position());
    await readAll(consumer);
    await consumer.rewind();
    assert.deepEqual((await readAll(consumer)).ids, numbers(4, 10));
    await spool.close();
    const again = await openSpool();
    assert.deepEqual(await readAll(again.consumer('a')), { ids: numbers(4, 10), lost: 0 });
    await again.close();
  });

  it('reads across many segments from disk', async () => {
    const spool = await openSpool({ segmentBytes: 20_000, pendingBytes: 8 * 40_000 });
    const consumer = spool.consumer('a');
    for (let i = 0; i < 400; i++) {
      assert.ok(spool.append(numbered(i, 300)));
      if (i % 20 === 19) await spool.flush();
    }
    assert.ok(spool.lanes.normal.segments.length > 10);
    assert.ok(spool.lanes.normal.memoryStart > 100, 'old events are not in memory');
    assert.deepEqual(await readAll(consumer), { ids: numbers(0, 400), lost: 0 });
    await spool.close();
  });

  it('cut at any byte, gives every whole event and takes new ones', async () => {
    const spool = await openSpool();
    spool.consumer('a');
    for (let i = 0; i < 5; i++) spool.append(numbered(i));
    await spool.close();
    const segment = join(
      dir,
      readdirSync(dir).find((name) => name.startsWith('normal-'))!,
    );
    const whole = readFileSync(segment);
    const one = whole.length / 5;
    for (let cut = whole.length; cut >= 0; cut -= 7) {
      writeFileSync(segment, whole.subarray(0, cut));
      const cursor = JSON.stringify({ version: 1, first: 0, normal: 0, low: 0 });
      writeFileSync(join(dir, 'a.cursor.json'), cursor);
      const again = await openSpool();
      const consumer = again.consumer('a');
      again.append(numbered(99));
      const kept = Math.floor(cut / one);
      assert.deepEqual((await readAll(consumer)).ids, [...numbers(0, kept), 'n99'], `cut at ${cut}`);
      await again.close();
    }
  });

  it('counts exactly what a damaged middle cost, and reads on behind it', async () => {
    const spool = await openSpool({ segmentBytes: 20_000, pendingBytes: 8 * 8_000 });
    spool.consumer('a');
    for (let i = 0; i < 100; i++) {
      spool.append(numbered(i, 300));
      await spool.flush();
    }
    await spool.close();
    const segment = join(
      dir,
      readdirSync(dir)
        .filter((name) => name.startsWith('normal-'))
        .sort()[1]!,
    );
    const bytes = readFileSync(segment);
    bytes.fill(0, 3000, 6000);
    writeFileSync(segment, bytes);
    const again = await openSpool();
    const { ids, lost } = await readAll(again.consumer('a'));
    assert.ok(lost >= 2 && lost <= 8, `lost ${lost}`);
    assert.equal(ids.length, 100 - lost);
    assert.equal(ids.at(-1), 'n99');
    await again.close();
  });

  it('never gives a sequence number twice when the end of the log was lost', async () => {
    const spool = await openSpool();
    const consumer = spool.consumer('a');
    for (let i = 0; i < 5; i++) spool.append(numbered(i));
    await readAll(consumer);
    consumer.commit(consumer.position());
    await spool.close();
    const segment = join(
      dir,
      readdirSync(dir).find((name) => name.startsWith('normal-'))!,
    );
    truncateSync(segment, Math.floor(statSync(segment).size / 2));
    const again = await openSpool();
    again.append(numbered(5));
    assert.deepEqual(await readAll(again.consumer('a')), { ids: ['n5'], lost: 0 });
    await again.close();
  });

  it('sends everything again rather than nothing when a cursor is damaged', async () => {
    const spool = await openSpool();
    const consumer = spool.consumer('a');
    for (let i = 0; i < 3; i++) spool.append(numbered(i));
    await readAll(consumer);
    consumer.commit(consumer.position());
    await spool.close();
    writeFileSync(join(dir, 'a.cursor.json'), '{"version":1,"fir');
    const again = await openSpool();
    assert.deepEqual((await readAll(again.consumer('a'))).ids, numbers(0, 3));
    await again.close();
  });

  it('over its size drops low alerts first, then others, never decisions, and counts them', async () => {
    const spool = await openSpool({ segmentBytes: 10_000, maxBytes: 45_000, pendingBytes: 8 * 2_000 });
    const consumer = spool.consumer('a');
    for (let i = 0; i < 60; i++) {
      spool.append({ ...ALERT, severity: 'low', id: `low${i}` });
      spool.append(numbered(i));
      spool.append({ ...BLOCK, id: `block${i}` });
      await spool.flush();
    }
    await spool.keepHouse();
    const stats = spool.stats();
    assert.ok(stats.bytes <= 45_000 + 10_000, `${stats.bytes} bytes`);
    const { ids, lost } = await readAll(consumer);
    const count = (prefix: string): number => ids.filter((id) => id.startsWith(prefix)).length;
    assert.equal(count('block'), 60);
    assert.ok(count('low') < count('n'), `low ${count('low')}, normal ${count('n')}`);
    assert.equal(ids.length + lost, 180);
    assert.ok(stats.droppedByLimit >= lost, 'what is in memory still is delivered');
    await spool.close();
  });

  it('drops what is too old by the monotonic clock', async () => {
    const spool = await openSpool({ maxAgeSecs: 0, pendingBytes: 8 });
    await spool.close();
    const fresh = await openSpool({ maxAgeSecs: 3600 });
    const consumer = fresh.consumer('a');
    fresh.append(numbered(1));
    await fresh.flush();
    await fresh.keepHouse();
    assert.equal(fresh.stats().droppedByLimit, 0);
    fresh.setLimits({ maxBytes: 1e9, maxAgeSecs: 0, fsyncMs: 200 });
    await fresh.keepHouse();
    assert.equal(fresh.stats().droppedByLimit, 1);
    fresh.append(numbered(2));
    assert.ok((await readAll(consumer)).ids.includes('n2'));
    await fresh.close();
  });

  it('removes segments that every destination has confirmed', async () => {
    const spool = await openSpool({ segmentBytes: 5_000, pendingBytes: 8 * 1_000 });
    const a = spool.consumer('a');
    const b = spool.consumer('b');
    for (let i = 0; i < 50; i++) {
      spool.append(numbered(i));
      await spool.flush();
    }
    await readAll(a);
    a.commit(a.position());
    await spool.keepHouse();
    const before = spool.lanes.normal.segments.length;
    await readAll(b);
    b.commit(b.position());
    await spool.keepHouse();
    assert.ok(before > 5);
    assert.ok(spool.lanes.normal.segments.length <= 1);
    await spool.close();
  });

  it('refuses and counts events when the memory for unwritten ones is full, low lanes before decisions', async () => {
    const spool = await openSpool({ pendingBytes: 40_000 });
    let taken = 0;
    while (spool.append(numbered(taken))) taken++;
    assert.ok(taken > 3);
    assert.ok(spool.append(BLOCK), 'a decision still fits');
    assert.equal(spool.stats().refused, 1);
    await spool.flush();
    assert.ok(spool.append(numbered(taken)), 'after writing there is room again');
    await spool.close();
  });

  it('belongs to one process at a time', async () => {
    const spool = await openSpool();
    await assert.rejects(openSpool(), { code: 'siem.spool_in_use' });
    await spool.close();
    writeFileSync(join(dir, 'lock'), '999999 1\n');
    const again = await openSpool();
    await again.close();
  });

  it('keeps no terminal escapes and no control characters', async () => {
    const spool = await openSpool();
    const consumer = spool.consumer('a');
    spool.append({ ...numbered(1), message: 'a\u001b[2Jb\u0000c\ud800' });
    const { events } = await consumer.read(LANES, 1, 1e6);
    assert.equal(events[0]!.message, 'abc\ufffd');
    await spool.close();
  });

  it('survives any mix of appends, reads, commits, rewinds and restarts without losing or reordering a lane', async () => {
    const action = fc.constantFrom(
      'append',
      'append',
      'append',
      'read',
      'commit',
      'rewind',
      'flush',
      'house',
      'restart',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        rmSync(dir, { recursive: true, force: true });
        const open = (): Promise<Spool> => openSpool({ segmentBytes: 3_000, pendingBytes: 8 * 4_000 });
        let spool = await open();
        let consumer = spool.consumer('a');
        let next = 0;
        let read = 0;
        let committed = 0;
        for (const step of actions) {
          if (step === 'append' && spool.append(numbered(next))) next++;
          else if (step === 'read') {
            const { events, lost } = await consumer.read(LANES, 3, 1e6);
            assert.equal(lost, 0);
            assert.deepEqual(
              events.map((event) => event.id),
              numbers(read, read + events.length),
            );
            read += events.length;
          } else if (step === 'commit') {
            consumer.commit(consumer.position());
            committed = read;
          } else if (step === 'rewind') {
            await consumer.rewind();
            read = committed;
          } else if (step === 'flush') await spool.flush();
          else if (step === 'house') await spool.keepHouse();
          else if (step === 'restart') {
            await spool.close();
            spool = await open();
            consumer = spool.consumer('a');
            read = committed;
          }
        }
        assert.deepEqual(await readAll(consumer), { ids: numbers(read, next), lost: 0 });
        await spool.close();
      }),
      { numRuns: 40 },
    );
  });
});
