import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldOf, openFlow, play, type Said } from './talk.js';

const le16 = (n: number): number[] => [n & 255, (n >> 8) & 255];
const le32 = (n: number): number[] => [...le16(n & 0xffff), ...le16(n >>> 16)];
const wide = (text: string): number[] => [...Buffer.from(text, 'utf16le')];
const zeros = (n: number): number[] => Array<number>(n).fill(0);
const frame = (body: readonly number[]): Uint8Array =>
  Uint8Array.from([0, (body.length >> 16) & 255, (body.length >> 8) & 255, body.length & 255, ...body]);

function smb2(command: number, body: readonly number[], { id = 1, isResponse = false } = {}): Uint8Array {
  const header = [0xfe, 0x53, 0x4d, 0x42, ...le16(64), ...le16(0), ...le32(0), ...le16(command), ...le16(1)];
  header.push(...le32(isResponse ? 1 : 0), ...le32(0), ...le32(id), ...zeros(36));
  return frame([...header, ...body]);
}

const ID = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
function create(name: string, id: number): Uint8Array {
  const text = wide(name);
  return smb2(5, [...le16(57), ...zeros(42), ...le16(64 + 56), ...le16(text.length), ...zeros(8), ...text], { id });
}
const created = (id: number): Uint8Array =>
  smb2(5, [...le16(89), ...zeros(62), ...ID, ...zeros(8)], { id, isResponse: true });
const write = (data: string, place = 0): Uint8Array =>
  smb2(9, [
    ...le16(49),
    ...le16(64 + 48),
    ...le32(data.length),
    ...le32(place),
    ...zeros(4),
    ...ID,
    ...zeros(16),
    ...Buffer.from(data),
  ]);
function treeConnect(path: string): Uint8Array {
  const text = wide(path);
  return smb2(3, [...le16(9), 0, 0, ...le16(64 + 8), ...le16(text.length), ...text]);
}
function ntlmAuth(user: string, domain: string): Uint8Array {
  const [u, d] = [wide(user), wide(domain)];
  const at = 72;
  const field = (length: number, from: number): number[] => [...le16(length), ...le16(length), ...le32(from)];
  const blob = [...Buffer.from('NTLMSSP\0'), ...le32(3), ...field(0, at), ...field(0, at), ...field(d.length, at)];
  blob.push(...field(u.length, at + d.length), ...field(0, at), ...field(0, at), ...le32(1), ...zeros(8), ...d, ...u);
  return smb2(1, [...le16(25), ...zeros(10), ...le16(64 + 24), ...le16(blob.length), ...zeros(8), ...blob]);
}

for (const size of [Infinity, 11, 1]) {
  test(`SMB2 is read in pieces of ${size} bytes`, () => {
    const said: Said[] = [
      ['C', ntlmAuth('ada', 'EXAMPLE')],
      ['C', treeConnect('\\\\192.0.2.7\\IPC$')],
      ['C', create('svcctl', 4)],
      ['S', created(4)],
      ['C', write('first half, ')],
      ['C', write('second half', 12)],
    ];
    const flow = play(openFlow(), said, size);
    const field = (name: string): string[] => fieldOf(flow.transactions, name, 0);
    assert.deepEqual(new Set(flow.transactions.map((tx) => tx.number('smb.version', 0))), new Set([2]));
    assert.equal(flow.proto, 'smb');
    assert.deepEqual(field('smb.ntlmssp_user'), ['ada']);
    assert.deepEqual(field('smb.ntlmssp_domain'), ['EXAMPLE']);
    assert.deepEqual(field('smb.share'), ['\\\\192.0.2.7\\IPC$']);
    assert.deepEqual(field('smb.named_pipe'), ['svcctl']);
    assert.deepEqual(field('file.data'), ['first half, second half']);
    assert.deepEqual(field('file.name'), ['svcctl']);
  });
}

function smb1(command: number, words: readonly number[], data: readonly number[], unicode = true): Uint8Array {
  const header = [
    0xff,
    0x53,
    0x4d,
    0x42,
    command,
    ...le32(0),
    0x08,
    ...le16(unicode ? 0x8001 : 1),
    ...zeros(18),
    ...le16(7),
  ];
  return frame([...header, words.length / 2, ...words, ...le16(data.length), ...data]);
}

test('SMB1: tree connect, open, write', () => {
  const path = [...wide('\\\\HOST\\ADMIN$'), 0, 0];
  const tree = smb1(0x75, [255, 0, 0, 0, 0, 0, ...le16(1)], [0, ...path]);
  const open = smb1(0xa2, [255, 0, 0, 0, ...zeros(44)], [0, ...wide('\\lsarpc'), 0, 0]);
  const data = 'X5O! a sample';
  const words = [
    255,
    0,
    0,
    0,
    ...le16(9),
    ...zeros(12),
    ...le16(0),
    ...le16(data.length),
    ...le16(32 + 1 + 28 + 2),
    ...zeros(4),
  ];
  const flow = play(
    openFlow(),
    [
      ['C', tree],
      ['C', open],
      ['C', smb1(0x2f, words, [...Buffer.from(data)])],
    ],
    13,
  );
  assert.deepEqual(new Set(flow.transactions.map((tx) => tx.number('smb.version', 0))), new Set([1]));
  assert.deepEqual(fieldOf(flow.transactions, 'smb.share', 0), ['\\\\HOST\\ADMIN$']);
  assert.deepEqual(fieldOf(flow.transactions, 'smb.named_pipe', 0), ['\\lsarpc']);
  assert.deepEqual(fieldOf(flow.transactions, 'file.data', 0), [data]);
});
