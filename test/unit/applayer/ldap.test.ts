import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fieldOf, openFlow, play, type Said } from './talk.js';
import { ber, exchange } from './wire.js';

const string = (text: string): Uint8Array => ber(4, text);
const message = (id: number, ...op: Uint8Array[]): Uint8Array => ber(0x30, ber(2, id), ...op);
const result = (tag: number, code: number, name = '', text = ''): Uint8Array =>
  ber(tag, ber(10, code), string(name), string(text));
const attribute = (type: string): Uint8Array => ber(0x30, string(type), ber(0x31, string('v')));

const BIND = ber(0x60, ber(2, 3), string('cn=ada'), ber(0x80, 'secret'));
const SEARCH = ber(0x63, string('dc=example'), ber(10, 2), ber(10, 0), ber(2, 0), ber(2, 0), ber(1, 0), ber(0x87, 'cn'), ber(0x30, string('mail'), string('uid'))); // prettier-ignore
const ENTRY = ber(0x64, string('uid=bob'), ber(0x30, attribute('mail'), attribute('sn')));
const UNBIND = ber(0x42);

const SEARCHING: Said[] = [
  ['C', message(1, BIND)],
  ['S', message(1, result(0x61, 49, '', 'no'))],
  ['C', message(2, SEARCH)],
  ['S', message(2, ENTRY)],
  ['S', message(2, ENTRY)],
  ['S', message(2, result(0x65, 0, 'dc=example'))],
  ['C', message(3, UNBIND)],
];

describe('LDAP', () => {
  for (const size of [Infinity, 7, 1]) {
    it(`is read at any port in pieces of ${size} bytes, each request with its answers`, () => {
      const flow = play(openFlow(), SEARCHING, size);
      assert.equal(flow.proto, 'ldap');
      assert.equal(flow.isReversed, false);
      const [bind, search, unbind] = flow.transactions;
      assert.deepEqual([bind, search, unbind].map((tx) => tx!.number('ldap.request.operation', 0)), [0, 3, 2]); // prettier-ignore
      assert.deepEqual([bind, search, unbind].map((tx) => tx!.number('ldap.responses.count', 1)), [1, 3, 0]); // prettier-ignore
      assert.deepEqual(search!.numbersOf!('ldap.responses.operation', 1), [4, 4, 5]);
      assert.deepEqual(search!.numbersOf!('ldap.responses.result_code', 1), [0]);
      assert.deepEqual(bind!.numbersOf!('ldap.responses.result_code', 1), [49]);
      assert.deepEqual(fieldOf(flow.transactions, 'ldap.request.dn', 0), ['cn=ada', 'dc=example']);
      assert.deepEqual(fieldOf(flow.transactions, 'ldap.request.attribute_type', 0), ['mail', 'uid']);
      assert.deepEqual(fieldOf(flow.transactions, 'ldap.responses.dn', 1), ['', 'uid=bob', 'uid=bob', 'dc=example']);
      assert.deepEqual(fieldOf(flow.transactions, 'ldap.responses.message', 1), ['no', '', '', '']);
      assert.deepEqual(fieldOf([search!], 'ldap.responses.attribute_type', 1), ['mail', 'sn', 'mail', 'sn']);
    });
  }

  it('keeps so many bytes of the answers to one request, and counts all', () => {
    const entry = ber(0x64, string('n'.repeat(6000)), ber(0x30, attribute('mail')));
    const answers = Array.from({ length: 20 }, (): ['S', Uint8Array] => ['S', message(2, entry)]);
    const { transactions } = exchange(389, [['C', message(2, SEARCH)], ...answers, ['S', message(2, result(0x65, 0))]]);
    const names = fieldOf(transactions, 'ldap.responses.dn', 1);
    assert.equal(names.join('').length, 16_384 - 2 * 'mail'.length);
    assert.equal(names.length, 21);
    assert.equal(transactions[0]!.number('ldap.responses.count', 1), 21);
  });

  it('ends the older of two requests with one number, and the oldest of too many', () => {
    const asked = Array.from({ length: 66 }, (_, i): ['C', Uint8Array] => ['C', message(i === 1 ? 0 : i, SEARCH)]);
    const { transactions } = exchange(389, asked);
    const ended = transactions.filter((tx) => tx.number('ldap.responses.count', 1) !== undefined);
    assert.deepEqual(ended.map((tx) => transactions.indexOf(tx)), [0, 1]); // prettier-ignore
  });

  for (const [name, op, operation, dn, types] of [
    ['modify', ber(0x66, string('cn=x'), ber(0x30, ber(0x30, ber(10, 0), attribute('mail')))), 6, 'cn=x', ['mail']],
    ['add', ber(0x68, string('cn=x'), ber(0x30, attribute('sn'), attribute('uid'))), 8, 'cn=x', ['sn', 'uid']],
    ['delete', ber(0x4a, 'cn=x'), 10, 'cn=x', []],
    ['rename', ber(0x6c, string('cn=x'), string('cn=y'), ber(1, 255)), 12, 'cn=x', []],
    ['compare', ber(0x6e, string('cn=x'), ber(0x30, string('sn'), string('v'))), 14, 'cn=x', ['sn']],
    ['abandon', ber(0x50, 2), 16, undefined, []],
    ['extended', ber(0x77, ber(0x80, '1.2.3')), 23, undefined, []],
  ] as [string, Uint8Array, number, string | undefined, string[]][]) {
    it(`tells what ${name} is about`, () => {
      const { transactions } = exchange(1389, [['C', message(7, op)]]);
      assert.equal(transactions[0]!.number('ldap.request.operation', 0), operation);
      assert.deepEqual(fieldOf(transactions, 'ldap.request.dn', 0), dn === undefined ? [] : [dn]);
      assert.deepEqual(fieldOf(transactions, 'ldap.request.attribute_type', 0), types);
    });
  } // prettier-ignore

  it('does not count answers before the last one came', () => {
    const flow = play(openFlow(), SEARCHING.slice(0, 5), Infinity, false);
    assert.equal(flow.transactions[1]!.number('ldap.responses.count', 1), undefined);
    assert.equal(flow.transactions[1]!.numbersOf!('ldap.responses.operation', 1), undefined);
  });

  it('gives way to TLS when the server agrees', () => {
    const ask: Said = ['C', message(1, ber(0x77, ber(0x80, '1.3.6.1.4.1.1466.20037')))];
    const hello: Said = ['C', '\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03'];
    const speaks = (code: number): string | undefined =>
      play(openFlow(), [ask, ['S', message(1, result(0x78, code))], hello], Infinity, false).proto;
    assert.equal(speaks(0), 'tls');
    assert.equal(speaks(2), 'ldap');
  });

  it('is not other BER, nor other bytes', () => {
    for (const d of [ber(0x30, ber(2, 1), ber(4, 'public'), ber(0xa0)), message(1, ber(0x75)), message(1, ber(0x62)), ber(0x30, ber(2, [1, 2, 3, 4, 5]), BIND), '0\x02hello, here I am'])
      assert.equal(play(openFlow(), [['C', d]]).proto, undefined);
  }); // prettier-ignore
});
