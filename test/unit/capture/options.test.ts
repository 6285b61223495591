import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listInterfaces, openSource } from '../../../src/capture/index.js';
import { afpacketOptions, sourceOptions } from '../../../src/capture/options.js';
import { linkTypeOfHardware } from '../../../src/capture/interfaces.js';
import { LINK } from '../../../src/domain/packet.js';
import { AppError } from '../../../src/util/errors.js';

describe('capture options', () => {
  it('wait one millisecond for a block by default, as latency asks for', () => {
    const options = afpacketOptions.parse({ interface: 'eth0' });
    assert.deepEqual([options.blockTimeoutMs, options.promiscuous, options.ringMiB], [1, true, 64]);
  });

  for (const [name, input] of [
    ['an unknown key', { kind: 'afpacket', interface: 'eth0', blockTimeout: 1 }],
    ['an unknown kind', { kind: 'pcap', interface: 'eth0' }],
    ['a block size that is no power of two', { kind: 'afpacket', interface: 'eth0', blockKiB: 100 }],
    ['an interface name longer than the kernel allows', { kind: 'cap', interface: 'a'.repeat(16) }],
  ] as const) {
    it(`refuse ${name}`, () => {
      assert.equal(sourceOptions.safeParse(input).success, false);
    });
  }
});

describe('interfaces', { skip: process.platform !== 'linux' && 'needs Linux' }, () => {
  it('lists loopback with its address and link type', () => {
    const lo = listInterfaces().find((i) => i.name === 'lo');
    assert.ok(lo !== undefined);
    assert.deepEqual([lo.index, lo.linkType, lo.mac], [1, LINK.ETHERNET, '00:00:00:00:00:00']);
    if (lo.isUp) assert.ok(lo.addresses.includes('127.0.0.1'));
  });

  it('knows which hardware types can be decoded', () => {
    assert.deepEqual([1, 772, 65534, 512, 776].map(linkTypeOfHardware), [1, 1, LINK.RAW, LINK.RAW, LINK.RAW]);
    // 802.11 monitor mode and InfiniBand.
    assert.deepEqual([803, 32].map(linkTypeOfHardware), [-1, -1]);
  });

  it('never lets a name leave the directory of interfaces', async () => {
    for (const name of ['../lo', '.', '..', 'a/b']) {
      await assert.rejects(
        openSource({ kind: 'afpacket', interface: name }),
        (error) => error instanceof AppError && error.code === 'capture.no_interface',
      );
    }
  });
});
