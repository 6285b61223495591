import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import { field, play, type Message } from './bench.js';

const u32 = (n: number): number[] => [n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255];

function kexInit(...lists: string[]): Uint8Array {
  const body = [
    20,
    ...Array<number>(16).fill(3),
    ...lists.flatMap((l) => [...u32(l.length), ...Buffer.from(l)]),
    0,
    0,
    0,
    0,
    0,
  ];
  const padding = 4;
  return Uint8Array.from([...u32(body.length + 1 + padding), padding, ...body, 0, 0, 0, 0]);
}

const OFFER = kexInit('kex1,kex2', 'hostkey', 'enc-c', 'enc-s', 'mac-c', 'mac-s', 'none,zlib', 'zlib', '', '');
const SESSION: Message[] = [
  [1, 'Welcome\r\nSSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'],
  [0, 'SSH-2.0-libssh2_1.10\r\n'],
  [1, OFFER],
  [0, OFFER],
];

describe('SSH', () => {
  it('reads banners and makes HASSH of both sides however they are cut', () => {
    const client = 'kex1,kex2;enc-c;mac-c;none,zlib';
    const server = 'kex1,kex2;enc-s;mac-s;zlib';
    for (const cut of [1, 9, 5000]) {
      const flow = play([SESSION[1]!, SESSION[0]!, SESSION[2]!, SESSION[3]!], { cut });
      const [tx] = flow.transactions;
      assert.equal(flow.proto, 'ssh');
      assert.equal(field(tx, 'ssh.proto', 0), '2.0');
      assert.equal(field(tx, 'ssh.software', 0), 'libssh2_1.10');
      assert.equal(field(tx, 'ssh.hassh.string', 0), client);
      assert.equal(field(tx, 'ssh.hassh', 0), createHash('md5').update(client).digest('hex'));
      assert.equal(field(tx, 'ssh.hassh.server.string', 1), server);
    }
  });

  it('skips the lines before a banner', () => {
    const [tx] = play([SESSION[1]!, SESSION[0]!]).transactions;
    assert.equal(field(tx, 'ssh.software', 1), 'OpenSSH_9.2p1');
  });

  it('reads a banner whose line end never comes', () => {
    const [tx] = play([[0, 'SSH-2.0-half']]).transactions;
    assert.equal(field(tx, 'ssh.software', 0), 'half');
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.nat(OFFER.length),
        fc.integer({ min: 1, max: 30 }),
        (noise, keep, cut) => {
          const data = Uint8Array.from([...OFFER.subarray(0, keep), ...noise]);
          play(
            [
              [0, 'SSH-2.0-x\n'],
              [0, data],
              [1, data],
            ],
            { cut },
          );
        },
      ),
    );
  });
});
