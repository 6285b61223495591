import assert from 'node:assert/strict';
import test from 'node:test';
import { plain, plainLines, toJson } from '../../../src/cli/print.js';
import { csvCell } from '../../../src/contract/csv.js';
import { showHidden, showHiddenInJson } from '../../../src/domain/visible-text.js';

/** UAX #9 table 4 and marks, and what shows as nothing. */
const REORDER = [0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0x200e, 0x200f, 0x061c];
const NOTHING = [
  0x00ad, 0x034f, 0x115f, 0x180e, 0x200b, 0x200c, 0x200d, 0x2028, 0x2029, 0x2060, 0x3164, 0xfeff, 0xffa0,
];
const CONTROLS = [0x00, 0x07, 0x1b, 0x7f, 0x85, 0x9b, 0xd800, 0xdfff];
const ABOVE = [0xe0041, 0xe0100, 0x1d173];

test('what hides or reorders text is shown as an escape', () => {
  for (const code of [...REORDER, ...NOTHING, ...CONTROLS]) {
    const hex = code.toString(16).padStart(4, '0');
    assert.equal(showHidden(`a${String.fromCharCode(code)}b`), `a\\u${hex}b`, hex);
  }
  for (const code of ABOVE) assert.equal(showHidden(String.fromCodePoint(code)), `\\u{${code.toString(16)}}`);
});

test('what people write stays as it is', () => {
  for (const text of [
    'plain\ttext\r\nof two lines',
    'Grüße',
    '日本語',
    'שלום',
    'مرحبا',
    'naïve ❤️ 🚒',
    '192.0.2.7 → 22',
    '',
  ]) {
    assert.equal(showHidden(text), text);
  }
});

test('JSON is the same value with hidden characters written as escapes', () => {
  const value = { 'na\u202eme': ['\u200b', '\u{e0041}', '\u009b31m', '\ud800', 'Grüße\n"x"\\u202e'] };
  const json = showHiddenInJson(JSON.stringify(value, null, 2));
  assert.deepEqual(JSON.parse(json), value);
  assert.equal(showHidden(json), json, 'nothing is left to hide');
  assert.equal(toJson(value), json);
});

test('a line of the command line is one line; a cell of CSV shows what it holds and runs nothing', () => {
  assert.equal(plain('a\tb\nc\u001b[2J\u202e'), 'a b c\\u001b[2J\\u202e');
  assert.equal(plainLines('one\u0007\ntwo\u200f\n'), 'one\\u0007\ntwo\\u200f');
  assert.equal(csvCell('\u202egpj.exe'), '\\u202egpj.exe');
  assert.equal(csvCell('\u200b=1+1'), '\\u200b=1+1');
  assert.equal(csvCell({ note: '\u2066' }), '"{""note"":""\\u2066""}"');
});
