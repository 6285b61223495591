import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Collected } from '../../../src/applayer/http/bytes.js';
import { headerKey } from '../../../src/applayer/http/header-key.js';
import { Rooms } from '../../../src/applayer/http/rooms.js';

const LIMIT = 100_000;

describe('the memory of HTTP bodies', () => {
  it('is used again after a body is closed, without showing what was in it', () => {
    const rooms = new Rooms();
    const first = new Collected(LIMIT, rooms);
    first.add(new Uint8Array(5000).fill(1));
    const { buffer } = first.bytes;
    first.close();
    assert.equal(first.bytes.length, 0);
    const second = new Collected(LIMIT, rooms);
    second.add(new Uint8Array(4500).fill(2));
    assert.equal(second.bytes.buffer, buffer);
    assert.deepEqual(second.bytes, new Uint8Array(4500).fill(2));
  });

  it('keeps what came while it grows, and no more than the limit', () => {
    const body = new Collected(LIMIT, new Rooms());
    const sent = Uint8Array.from({ length: 130_000 }, (_, i) => i % 251);
    for (let at = 0; at < sent.length; at += 1448) body.add(sent.subarray(at, at + 1448));
    assert.deepEqual(body.bytes, sent.subarray(0, LIMIT));
  });
});

describe('names of header fields', () => {
  for (const name of ['Host', 'HOST', 'x-Custom', 'User\0-Agent', '', 'Horst', 'hos[', 'H\u00d6ST']) {
    it(`${JSON.stringify(name)} is known by its lower case without NUL`, () => {
      const expected = name.replaceAll('\0', '').toLowerCase();
      assert.equal(headerKey(Buffer.from(name, 'latin1')), expected);
    });
  }
});
