import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamWindow } from '../../../../src/detect/signature/state/stream-window.js';
import { WindowMemory } from '../../../../src/detect/signature/state/window-memory.js';

/** A stream of 1000 searched bytes from `start` on and 500 new ones, in which a search with patterns of 20 bytes found nothing. */
function quietStream(start: number): StreamWindow {
  const stream = new StreamWindow(new WindowMemory(1_048_576), 1);
  stream.add(new Uint8Array(1000), 0, 1000, start);
  stream.scanned = stream.length;
  stream.add(new Uint8Array(500), 0, 500, start + 1000);
  stream.markQuiet(stream.scanned - 20, 20);
  return stream;
}

test('a body that goes on in the new bytes is quiet, whether it began before or in them', () => {
  assert.equal(quietStream(0).isQuiet(100, 900), true);
  assert.equal(quietStream(5000).isQuiet(5100, 900), true);
  assert.equal(quietStream(0).isQuiet(1200, 0), true);
});

test('a body with bytes that the search has not seen is not quiet', () => {
  assert.equal(quietStream(0).isQuiet(100, 899), false);
  assert.equal(quietStream(0).isQuiet(999, 0), false);
  assert.equal(quietStream(0).isQuiet(-1, 0), false);
});

test('a body is not quiet when patterns may begin in bytes before the search', () => {
  const stream = quietStream(0);
  stream.markQuiet(stream.scanned - 10, 20);
  assert.equal(stream.isQuiet(100, 900), false);
  assert.equal(stream.isQuiet(995, 5), true);
});

test('new bytes and gaps end the quiet', () => {
  const more = quietStream(0);
  more.add(new Uint8Array(1), 0, 1, 1500);
  assert.equal(more.isQuiet(100, 900), false);
  const gap = quietStream(0);
  gap.restart(2000);
  assert.equal(gap.isQuiet(100, 900), false);
});
