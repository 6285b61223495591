import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import { openFileSource, openPcapWriter, openSource } from '../../../src/capture/index.js';
import { AppError } from '../../../src/util/errors.js';
import * as b from './pcap-bytes.js';
import { readAll, readBytes, readPieces } from './read-all.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const RECORDS: b.Record[] = [
  { secs: 1_700_000_000, fraction: 123_456, data: text('first') },
  { secs: 1_700_000_001, fraction: 5, data: text('second packet'), wireLen: 1500 },
  { secs: 4_000_000_000, fraction: 999_999, data: text('') },
];

describe('pcap files', () => {
  for (const littleEndian of [true, false]) {
    for (const nano of [true, false]) {
      it(`are read in ${littleEndian ? 'little' : 'big'}-endian order with ${nano ? 'nano' : 'micro'}seconds`, async () => {
        const { packets, code } = await readBytes(b.pcap(RECORDS, { littleEndian, nano, linkType: 276 }));
        assert.equal(code, '');
        assert.deepEqual(
          packets.map((p) => p.text),
          ['first', 'second packet', ''],
        );
        assert.deepEqual(
          packets.map((p) => p.wireLen),
          [5, 1500, 0],
        );
        assert.ok(packets.every((p) => p.linkType === 276));
        const expected = nano ? 1.7e15 + 123.456 : 1.7e15 + 123_456;
        assert.ok(Math.abs(packets[0]!.tsUs - expected) < 0.26, `${packets[0]!.tsUs}`);
        assert.equal(Math.floor(packets[2]!.tsUs / 1e6), 4_000_000_000);
      });
    }
  }

  it("are read in Kuznetzov's modified format", async () => {
    const { packets } = await readBytes(b.pcap(RECORDS, { modified: true }));
    assert.deepEqual(
      packets.map((p) => p.text),
      ['first', 'second packet', ''],
    );
  });

  it('may hold no packets at all', async () => {
    assert.deepEqual(await readBytes(b.pcap([])), { packets: [], blocks: 0, code: '', message: '', fix: '' });
  });

  it('are handed over in blocks, across the edges of the reads', async () => {
    const records = Array.from({ length: 6000 }, (_, i): b.Record => ({
      secs: i,
      fraction: 0,
      data: new Uint8Array(400 + (i % 7)).fill(i),
    }));
    const { packets, blocks } = await readBytes(b.pcap(records));
    assert.equal(packets.length, 6000);
    assert.ok(blocks <= 12, `${blocks} blocks`);
    for (const [i, p] of packets.entries()) assert.equal(p.text, Buffer.from(records[i]!.data).toString('latin1'));
  });

  it('that are cut end with a message after the last good packet', async () => {
    const whole = b.pcap(RECORDS.slice(0, 2));
    for (const [cut, packets] of [
      [1, 1],
      [13, 1],
      [whole.length - 24 - 16 - 2, 0],
    ] as const) {
      const outcome = await readBytes(whole.slice(0, whole.length - cut));
      assert.equal(outcome.packets.length, packets);
      assert.equal(outcome.code, 'capture.truncated');
      assert.match(outcome.message, new RegExp(`after packet ${packets}, at byte \\d+`));
    }
  });

  it('with an impossible length end with a message after the last good packet', async () => {
    const bytes = b.pcap(RECORDS.slice(0, 2));
    new DataView(bytes.buffer).setUint32(24 + 16 + 5 + 8, 0x7fffffff, true);
    const { packets, code, message } = await readBytes(bytes);
    assert.deepEqual([packets.length, code], [1, 'capture.corrupt']);
    assert.match(message, /after packet 1, at byte 45: a record of 2147483647 bytes/);
  });
});

describe('what is no capture', () => {
  for (const [name, bytes, code, hint] of [
    ['an empty file', text(''), 'capture.empty', /empty/],
    ['a text file', text('this is a text file, and a rather long one'), 'capture.not_a_capture', /looks like text/],
    ['a short file', text('ab'), 'capture.not_a_capture', /shorter than a file header/],
    ['a gzip file', b.concat(Uint8Array.of(0x1f, 0x8b), new Uint8Array(40)), 'capture.not_a_capture', /gzip/],
    ['zeroes', new Uint8Array(100), 'capture.not_a_capture', /first bytes/],
  ] as const) {
    it(`${name} is refused and says why`, async () => {
      const outcome = await readBytes(bytes);
      assert.equal(outcome.code, code);
      assert.match(outcome.message, hint);
      assert.notEqual(outcome.fix, '');
    });
  }

  const refuses = (path: string, code: string): Promise<void> =>
    assert.rejects(
      openFileSource(path),
      (error) => error instanceof AppError && error.code === code && error.kind === 'user',
    );

  it('a directory and a missing file are refused when opened', async () => {
    await refuses(tmpdir(), 'capture.is_directory');
    await refuses(join(tmpdir(), 'portcullis-no-such-file.pcap'), 'capture.not_found');
  });
});

describe('sources', () => {
  it('give the same packets in whatever pieces the bytes arrive', async () => {
    const bytes = b.pcap(RECORDS);
    const expected = (await readBytes(bytes)).packets;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }), async (sizes) => {
        assert.deepEqual((await readPieces(bytes, sizes)).packets, expected);
      }),
      { numRuns: 100 },
    );
  });

  it('stop when they are told to', async () => {
    const records = Array.from({ length: 20_000 }, (_, i): b.Record => ({
      secs: i,
      fraction: 0,
      data: new Uint8Array(300),
    }));
    const dir = mkdtempSync(join(tmpdir(), 'portcullis-capture-'));
    try {
      writeFileSync(join(dir, 'a.pcap'), b.pcap(records));
      const abort = new AbortController();
      const source = await openSource({ kind: 'file', path: join(dir, 'a.pcap') });
      let seen = 0;
      await source.run((block) => {
        seen += block.count;
        abort.abort();
      }, abort.signal);
      source.close();
      assert.ok(seen > 0 && seen < 20_000, `${seen} packets`);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('pass on what the consumer throws', async () => {
    const { openPipeSource } = await import('../../../src/capture/index.js');
    const { Readable } = await import('node:stream');
    const source = await openPipeSource(Readable.from([Buffer.from(b.pcap(RECORDS))]));
    const broken = source.run(() => {
      throw new Error('consumer failed');
    }, new AbortController().signal);
    await assert.rejects(broken, /consumer failed/);
  });

  it('damaged files give packets and a message, never another exception, and no packet outside the file', async () => {
    const seed = b.pcap([...RECORDS, ...RECORDS]);
    const change = fc.record({ at: fc.nat(seed.length - 1), value: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 5 }), fc.nat(seed.length), async (changes, cut) => {
        const bytes = seed.slice(0, cut);
        for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
        const { code } = await readPieces(bytes, [16]);
        assert.match(code, /^(capture\.(truncated|corrupt|not_a_capture|empty))?$/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the writer', () => {
  for (const nanoseconds of [true, false]) {
    it(`writes what the reader reads back, in ${nanoseconds ? 'nano' : 'micro'}seconds`, async () => {
      const dir = mkdtempSync(join(tmpdir(), 'portcullis-capture-'));
      try {
        const path = join(dir, 'out.pcap');
        const writer = openPcapWriter(path, 101, { nanoseconds });
        writer.writeFrame(text('one'), 1.7e15 + 0.75);
        writer.writeFrame(new Uint8Array(200_000), 1.7e15 + 1e6, 300_000);
        for (let i = 0; i < 8; i++) writer.writeFrame(new Uint8Array(200_000), 1.7e15 + 2e6);
        writer.close();
        assert.equal(writer.packets, 10);
        const { packets, code } = await readAll(await openFileSource(path));
        assert.deepEqual([packets.length, code], [10, '']);
        assert.deepEqual([packets[0]!.text, packets[0]!.linkType, packets[1]!.wireLen], ['one', 101, 300_000]);
        assert.equal(packets[0]!.tsUs, nanoseconds ? 1.7e15 + 0.75 : 1.7e15);
      } finally {
        rmSync(dir, { recursive: true });
      }
    });
  }

  it('names the file it cannot write, and what to do', () => {
    assert.throws(
      () => openPcapWriter(join(tmpdir(), 'no-such-directory', 'x.pcap'), 1),
      (error) => error instanceof AppError && error.code === 'capture.write_failed' && error.message.includes('ENOENT'),
    );
  });

  it('keeps whole records only when the disk is full', { skip: process.platform !== 'linux' }, () => {
    const writer = openPcapWriter('/dev/full', 1);
    writer.writeFrame(text('lost'), 1e15);
    assert.throws(
      () => writer.close(),
      (error) => error instanceof AppError && error.code === 'capture.write_failed' && /ENOSPC/.test(error.message),
    );
  });
});
