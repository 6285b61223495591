import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { test } from 'node:test';
import { initialKeys, type InitialKeys } from '../../../src/applayer/quic/initial.js';
import { md5 } from '../../../src/applayer/tls/hello.js';
import { be16, be32, exchange, join, le16, le32, text } from './wire.js';

const ID = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);

/** A hello with a name (RFC 8446 4.1.2), as a handshake message. */
function clientHello(name: string): Uint8Array {
  const sni = join(be16(name.length + 3), 0, be16(name.length), name);
  const extensions = join(be16(0), be16(sni.length), sni, be16(43), be16(3), 2, be16(0x0304));
  const body = join(be16(0x0303), new Uint8Array(32), 0, be16(2), be16(0x1301), 1, 0, be16(extensions.length), extensions);
  return join(1, 0, be16(body.length), body);
} // prettier-ignore
function serverHello(): Uint8Array {
  const extensions = join(be16(43), be16(2), be16(0x0304));
  const body = join(be16(0x0303), new Uint8Array(32), 0, be16(0x1301), 0, be16(extensions.length), extensions);
  return join(2, 0, be16(body.length), body);
}

const crypto = (offset: number, data: Uint8Array): Uint8Array => join(6, 0x40 | (offset >> 8), offset & 255, 0x40 | (data.length >> 8), data.length & 255, data); // prettier-ignore

/** An Initial packet as a sender protects it (RFC 9001 5). */
function initial(keys: InitialKeys, number: number, frames: Uint8Array, version = 1): Uint8Array {
  const plain = join(frames, new Uint8Array(Math.max(0, 64 - frames.length)));
  const size = 1 + plain.length + 16;
  const header = join(version === 1 ? 0xc0 : 0xd0, be32(version), ID.length, ID, 0, 0, 0x40 | (size >> 8), size & 255, number); // prettier-ignore
  const nonce = Buffer.from(keys.iv);
  nonce[11]! ^= number;
  const seal = createCipheriv('aes-128-gcm', keys.key, nonce);
  seal.setAAD(header);
  const sealed = join(seal.update(plain), seal.final(), seal.getAuthTag());
  const packet = join(header, sealed);
  const at = header.length - 1;
  const mask = createCipheriv('aes-128-ecb', keys.headerKey, null).update(packet.subarray(at + 4, at + 20));
  packet[0]! ^= mask[0]! & 15;
  packet[at]! ^= mask[1]!;
  return packet;
}

const client = initialKeys(1, ID, false)!;
const server = initialKeys(1, ID, true)!;

test('the keys of the example in RFC 9001 A.1 are derived', () => {
  const keys = initialKeys(1, Buffer.from('8394c8f03e515708', 'hex'), false)!;
  assert.equal(keys.key.toString('hex'), '1f369613dd76d5467730efcbe3b1a22d');
  assert.equal(keys.iv.toString('hex'), 'fa044b2f42a3fd3b46fb255c');
  assert.equal(keys.headerKey.toString('hex'), '9f50449e04a0e810283a1e9933adedd2');
});

test('hellos in encrypted first packets are read, from frames in any order', () => {
  const hello = clientHello('quic.example.org');
  const flow = exchange(443, [
    ['C', initial(client, 0, crypto(30, hello.subarray(30)))],
    ['C', initial(client, 1, crypto(0, hello.subarray(0, 30)))],
    ['S', initial(server, 0, crypto(0, serverHello()))],
  ]);
  assert.equal(flow.proto, 'quic');
  const [asked, answered] = flow.transactions;
  assert.equal(flow.transactions.length, 2);
  assert.equal(text(asked, 'quic.sni', 0), 'quic.example.org');
  assert.equal(text(asked, 'quic.version', 0), '\0\0\0\x01');
  assert.equal(text(asked, 'ja3.string', 0), '771,4865,0-43,,');
  assert.equal(text(asked, 'ja3.hash', 0), md5('771,4865,0-43,,'));
  assert.equal(text(answered, 'ja3s.string', 1), '771,4865,43');
});

test('version 2 has keys of its own', () => {
  const keys = initialKeys(0x6b3343cf, ID, false)!;
  const flow = exchange(443, [['C', initial(keys, 0, crypto(0, clientHello('two.example.org')), 0x6b3343cf)]]);
  assert.equal(text(flow.transactions[0], 'quic.sni', 0), 'two.example.org');
});

test('a packet that was changed on its way is told and gives no name', () => {
  const packet = initial(client, 0, crypto(0, clientHello('quic.example.org')));
  packet[packet.length - 1]! ^= 1;
  const flow = exchange(443, [['C', packet]]);
  assert.deepEqual(flow.transactions[0]!.events, ['failed_decrypt']);
  assert.equal(text(flow.transactions[0], 'quic.sni', 0), undefined);
});

test('what is no frame is an oddity: in versions whose keys nobody knows, such as those that no server speaks', () => {
  const long = (version: number, ...frames: number[]): Uint8Array =>
    join(0xc3, be32(version), 8, ID, 0, 0, 0x40, frames.length, frames);
  const events = (packet: Uint8Array): readonly string[] => exchange(443, [['C', packet]]).transactions[0]!.events;
  const cut = [6, 0, 40, 1, 2, 3];
  assert.deepEqual(events(long(0x0a0a0a0a, ...cut)), ['error_on_data']);
  assert.deepEqual(
    events(long(0xfaceb001, 0xa0, 1, 0, 9, 7)),
    ['error_on_data'],
    'a stream that goes beyond the packet',
  );
  assert.deepEqual(events(long(0x0a0a0a0a, 6, 0, 3, 1, 2, 3)), []);
  assert.deepEqual(events(long(0x0a0a0a0a, 1, 0, 0x30, 1, 2, 3)), [], 'of a kind that is not known');
});

test("tags of the hello of Google's QUIC make a fingerprint", () => {
  const values = ['example.org', 'Chrome/70'];
  let end = 0;
  const tags = ['SNI\0', 'UAID'].map((tag, i) => join(tag, le32((end += values[i]!.length))));
  const hello = join('CHLO', le16(2), 0, 0, ...tags, ...values);
  const [tx] = exchange(443, [['C', join(0xc3, 'Q046', 0x50, ID, be32(1), new Uint8Array(12), 0xa0, 1, hello)]]).transactions; // prettier-ignore
  assert.equal(text(tx, 'quic.version', 0), 'Q046');
  assert.equal(text(tx, 'quic.sni', 0), 'example.org');
  assert.equal(text(tx, 'quic.ua', 0), 'Chrome/70');
  assert.equal(text(tx, 'quic.cyu.string', 0), '46,SNI-UAID');
});
