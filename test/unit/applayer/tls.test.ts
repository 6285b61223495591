import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import { parseHello } from '../../../src/applayer/tls/hello.js';
import { bytes, field, play } from './bench.js';

const u16 = (n: number): number[] => [n >> 8, n & 255];
const u24 = (n: number): number[] => [n >> 16, ...u16(n & 0xffff)];
const list16 = (items: number[]): number[] => [...u16(2 * items.length), ...items.flatMap(u16)];
const extension = (type: number, body: number[]): number[] => [...u16(type), ...u16(body.length), ...body];
const text = (s: string): number[] => [...Buffer.from(s)];

function handshake(type: number, body: number[]): number[] {
  return [type, ...u24(body.length), ...body];
}

function record(type: number, body: number[], size = 16_000): Uint8Array {
  const out: number[] = [];
  for (let at = 0; at < body.length; at += size) {
    const piece = body.slice(at, at + size);
    out.push(type, 3, 1, ...u16(piece.length), ...piece);
  }
  return Uint8Array.from(out);
}

const GREASE = 0x1a1a;
const host = 'mail.example.org';
const clientHello = handshake(1, [
  ...u16(0x0303),
  ...Array<number>(32).fill(7),
  0,
  ...list16([GREASE, 0x1301, 0xc02f]),
  1,
  0,
  ...((extensions: number[]) => [...u16(extensions.length), ...extensions])([
    ...extension(GREASE, []),
    ...extension(0, [...u16(host.length + 3), 0, ...u16(host.length), ...text(host)]),
    ...extension(10, list16([GREASE, 29, 23])),
    ...extension(11, [1, 0]),
    ...extension(13, list16([0x0403, 0x0804])),
    ...extension(16, [...u16(3), 2, ...text('h2')]),
    ...extension(43, [4, ...u16(0x0304), ...u16(0x0303)]),
  ]),
]);
const serverHello = handshake(2, [
  ...u16(0x0303),
  ...Array<number>(32).fill(9),
  0,
  ...u16(0xc02f),
  0,
  ...u16(4),
  ...extension(23, []),
]);

const der = (tag: number, body: number[]): number[] =>
  body.length < 128 ? [tag, body.length, ...body] : [tag, 0x82, ...u16(body.length), ...body];
const named = (o: string, cn: string): number[] =>
  der(0x30, [
    ...der(0x31, der(0x30, [...der(6, [0x55, 4, 10]), ...der(12, text(o))])),
    ...der(0x31, der(0x30, [...der(6, [0x55, 4, 3]), ...der(19, text(cn))])),
  ]);
const certificate = der(0x30, [
  ...der(0x30, [
    ...der(0xa0, der(2, [2])),
    ...der(2, [0x0a, 0xff]),
    ...der(0x30, []),
    ...named('Issuing Org', 'Root'),
    ...der(0x30, [...der(23, text('250101000000Z')), ...der(23, text('350101000000Z'))]),
    ...named('Owner Org', 'a.example'),
    ...der(0x30, []),
    ...der(
      0xa3,
      der(0x30, der(0x30, [...der(6, [0x55, 0x1d, 0x11]), ...der(4, der(0x30, der(0x82, text('b.example'))))])),
    ),
  ]),
  ...der(0x30, []),
  ...der(3, [0]),
]);
const chain = handshake(11, [...u24(certificate.length + 3), ...u24(certificate.length), ...certificate]);

const md5 = (s: string): string => createHash('md5').update(s).digest('hex');

describe('TLS', () => {
  it('reads both hellos and the certificate however records and segments are cut', () => {
    for (const size of [1, 50, 16_000]) {
      for (const cut of [1, 13, 5000]) {
        const flow = play(
          [
            [0, record(22, clientHello, size)],
            [1, record(22, [...serverHello, ...chain, ...handshake(14, [])], size)],
          ],
          { cut },
        );
        const [tx] = flow.transactions;
        assert.equal(flow.proto, 'tls');
        assert.equal(field(tx, 'tls.sni'), host);
        assert.equal(tx?.number('tls.version'), 0x0303);
        assert.equal(field(tx, 'tls.cert_subject', 1), 'O=Owner Org, CN=a.example');
        assert.equal(field(tx, 'tls.cert_issuer', 1), 'O=Issuing Org, CN=Root');
        assert.equal(field(tx, 'tls.cert_serial', 1), '0A:FF');
        assert.deepEqual(field(tx, 'tls.subjectaltname', 1), ['b.example']);
        const sum = createHash('sha1').update(Uint8Array.from(certificate)).digest('hex');
        assert.equal((field(tx, 'tls.cert_fingerprint', 1) as string).replaceAll(':', ''), sum);
        assert.deepEqual(tx?.events, []);
      }
    }
  });

  it('keeps the certificates of both sides apart', () => {
    const [tx] = play([
      [0, record(22, clientHello)],
      [1, record(22, [...serverHello, ...handshake(14, [])])],
      [0, record(22, chain)],
    ]).transactions;
    assert.equal(field(tx, 'tls.cert_subject', 0), 'O=Owner Org, CN=a.example');
    assert.equal((field(tx, 'tls.certs', 0) as string[]).length, 1);
    assert.equal(field(tx, 'tls.cert_subject', 1), undefined);
    assert.equal(field(tx, 'tls.certs', 1), undefined);
  });

  it('makes JA3, JA3S and JA4 without the values of RFC 8701', () => {
    const [tx] = play([
      [0, record(22, clientHello)],
      [1, record(22, serverHello)],
    ]).transactions;
    assert.equal(field(tx, 'ja3.string'), '771,4865-49199,0-10-11-13-16-43,29-23,0');
    assert.equal(field(tx, 'ja3.hash'), md5('771,4865-49199,0-10-11-13-16-43,29-23,0'));
    assert.equal(field(tx, 'ja3s.string', 1), '771,49199,23');
    assert.equal(field(tx, 'ja3s.hash', 1), md5('771,49199,23'));
    const sha = (s: string): string => createHash('sha256').update(s).digest('hex').slice(0, 12);
    assert.equal(field(tx, 'ja4.hash'), `t13d0206h2_${sha('1301,c02f')}_${sha('000a,000b,000d,002b_0403,0804')}`);
    assert.deepEqual(field(tx, 'tls.alpn'), ['h2']);
  });

  it('knows TLS from a hello in the format of SSLv2', () => {
    const flow = play([[0, bytes('\x80\x1f\x01\x03\x01\x00\x06\x00\x00\x00\x10' + 'x'.repeat(22))]]);
    assert.equal(flow.proto, 'tls');
    assert.equal(flow.transactions[0]?.number('tls.version'), undefined);
  });

  it('notes records that are none', () => {
    for (const [junk, event] of [
      ['\x16\x07\x03\x00\x01x', 'invalid_record_version'],
      ['\x1e\x03\x03\x00\x01x', 'invalid_record_type'],
    ] as const) {
      const flow = play([[0, Buffer.concat([record(22, clientHello), bytes(junk)])]]);
      assert.deepEqual(flow.transactions[0]?.events, [event]);
    }
  });

  it('never throws', () => {
    const whole = record(22, [...clientHello, ...serverHello, ...chain]);
    fc.assert(
      fc.property(
        fc.nat(whole.length),
        fc.uint8Array({ maxLength: 60 }),
        fc.integer({ min: 1, max: 40 }),
        (at, noise, cut) => {
          const data = Buffer.from(whole);
          data.set(noise.subarray(0, data.length - at), at);
          const flow = play(
            [
              [0, data],
              [1, data],
            ],
            { cut },
          );
          for (const t of flow.transactions) {
            for (const n of ['ja3.string', 'ja4.hash', 'tls.cert_subject', 'tls.subjectaltname', 'tls.alpn'])
              field(t, n, 1);
          }
        },
      ),
    );
  });
});

it('the answer of a draft of TLS 1.3 up to 21 has neither session nor compression method', () => {
  const odd = (version: number): string[] => {
    const notes: string[] = [];
    const body = Uint8Array.from([
      ...u16(version),
      ...Array<number>(32).fill(7),
      ...u16(0x1301),
      ...u16(6),
      ...extension(40, u16(29)),
    ]);
    const hello = parseHello(body, false, (note) => void notes.push(note));
    return [...notes, ...(hello?.ciphers.map(String) ?? [])];
  };
  assert.deepEqual(odd(0x7f15), ['4865']);
  assert.notDeepEqual(odd(0x7f16), ['4865']);
});
