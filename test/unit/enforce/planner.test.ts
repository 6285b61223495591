import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import {
  elementId,
  elementKeyWords,
  parseElementKey,
  writeElementKey,
  type SetElement,
} from '../../../src/enforce/element.js';
import { coverNetwork, planDecision } from '../../../src/enforce/planner.js';
import { cidrContains, formatCidr, maskIp, parseCidr, parseIp } from '../../../src/util/ip.js';
import type { Decision } from '../../../src/domain/decision.js';
import { decision, options } from './helpers.js';

const plan = (value: string, more: Partial<Decision> = {}, simulated = false): string[] | string => {
  const result = planDecision(decision(value, more), options(), simulated);
  return 'refused' in result ? result.refused : result.elements.map(elementId);
};

describe('a decision becomes set elements', () => {
  const cases: [string, Partial<Decision>, string[]][] = [
    ['203.0.113.7', {}, ['block4_32 203.0.113.7']],
    ['::ffff:203.0.113.7', {}, ['block4_32 203.0.113.7']],
    ['::ffff:203.0.113.0/120', { scope: 'cidr' }, ['block4_24 203.0.113.0']],
    ['203.0.113.0/24', {}, ['block4_24 203.0.113.0']],
    ['203.0.112.0/23', {}, ['block4_24 203.0.112.0', 'block4_24 203.0.113.0']],
    ['203.0.113.252/31', {}, ['block4_32 203.0.113.252', 'block4_32 203.0.113.253']],
    ['2001:db8::1', {}, ['block6_128 2001:db8::1']],
    ['2001:db8:0:2::/63', {}, ['block6_64 2001:db8:0:2::', 'block6_64 2001:db8:0:3::']],
    ['203.0.113.7', { origin: 'feed' }, ['feed4_32 203.0.113.7']],
    ['203.0.113.7', { action: 'rate_limit' }, ['slow4_32 203.0.113.7']],
    ['203.0.113.7', { action: 'watch' }, ['watch4_32 203.0.113.7']],
    ['10.0.0.5', { traffic: 'to' }, ['out4_32 10.0.0.5']],
    ['10.0.0.5', { traffic: 'both' }, ['block4_32 10.0.0.5', 'out4_32 10.0.0.5']],
    ['203.0.113.7', { scope: 'service', proto: 6, port: 22 }, ['svc4_32 203.0.113.7 . 6 . 22']],
    ['2001:db8::/64', { scope: 'service', proto: 17, port: 53 }, ['svc6_64 2001:db8:: . 17 . 53']],
    ['10.0.0.5', { scope: 'service', proto: 6, port: 25, traffic: 'to' }, ['svcout4_32 10.0.0.5 . 6 . 25']],
    [
      '203.0.113.7',
      { scope: 'flow', proto: 6, port: 80, peer: '192.0.2.1', peerPort: 4000, traffic: 'both' },
      ['flow4_32 203.0.113.7 . 192.0.2.1 . 6 . 4000 . 80', 'flow4_32 192.0.2.1 . 203.0.113.7 . 6 . 80 . 4000'],
    ],
  ];
  for (const [value, more, want] of cases) {
    it(`${value} ${JSON.stringify(more)}`, () => assert.deepEqual(plan(value, more), want));
  }

  it('counts in watch sets when it is simulated, whatever it would do', () => {
    assert.deepEqual(plan('203.0.113.7', { action: 'rate_limit' }, true), ['watch4_32 203.0.113.7']);
    assert.deepEqual(plan('203.0.113.0/24', { traffic: 'both' }, true), ['watch4_24 203.0.113.0']);
  });

  const refused: [string, Partial<Decision>, RegExp][] = [
    ['host.example', {}, /not an address/],
    ['203.0.113.7', { scope: 'service' }, /proto and port/],
    ['203.0.113.7', { scope: 'service', proto: 1, port: 8 }, /no ports/],
    ['203.0.113.7', { scope: 'service', proto: 6, port: 70_000 }, /not a port/],
    ['203.0.113.0/24', { scope: 'ip' }, /single address/],
    ['203.0.113.7', { scope: 'flow', proto: 6, port: 80 }, /peer/],
    ['203.0.113.7', { scope: 'flow', proto: 6, port: 80, peer: '2001:db8::1', peerPort: 1 }, /one address family/],
    ['203.0.113.7', { action: 'rate_limit', traffic: 'both' }, /from an address only/],
    ['16.0.0.0/7', {}, /more than 256 elements/],
    ['2001:db8::/32', {}, /more than 256 elements/],
  ];
  for (const [value, more, want] of refused) {
    it(`refuses ${value} ${JSON.stringify(more)}`, () => assert.match(String(plan(value, more)), want));
  }
});

const word = fc.integer({ min: 0, max: 0xffffffff });
const network4 = fc
  .tuple(word, fc.integer({ min: 8, max: 32 }))
  .map(([w, p]) => maskIp({ version: 4, words: [0, 0, 0, w] }, p));
const network6 = fc
  .tuple(word, word, word, word, fc.integer({ min: 40, max: 128 }))
  .map(([a, b, c, d, p]) => maskIp({ version: 6, words: [a, b, c, d] }, p));

describe('a cover of a network', () => {
  it('is exactly the network: every part inside it, no overlap, all addresses', () => {
    fc.assert(
      fc.property(fc.oneof(network4, network6), (network) => {
        const lengths = network.version === 4 ? [32, 24, 16] : [128, 64, 56, 48];
        const cover = coverNetwork(network, lengths);
        if (!cover) return;
        const prefix = cover[0]!.prefix;
        assert.ok(lengths.includes(prefix));
        assert.equal(cover.length, 2 ** (prefix - network.prefix));
        assert.equal(new Set(cover.map(formatCidr)).size, cover.length);
        for (const part of cover) assert.ok(cidrContains(network, part));
      }),
    );
  });
});

function keyBytes(element: SetElement): Buffer {
  const words: number[] = [];
  writeElementKey(element, { word: (value) => words.push(value) });
  assert.equal(words.length, elementKeyWords(element));
  const bytes = Buffer.alloc(words.length * 4);
  words.forEach((value, i) => bytes.writeUInt32BE(value, i * 4));
  return bytes;
}

describe('the key of an element', () => {
  it('survives the way to the kernel and back', () => {
    const element = fc
      .tuple(
        fc.oneof(network4, network6),
        fc.oneof(network4, network6),
        fc.nat(255),
        fc.nat(65_535),
        fc.nat(65_535),
        fc.nat(2),
      )
      .map(([ip, peer, proto, port, sourcePort, kind]): SetElement => {
        const base = { set: 's', ip: { version: ip.version, words: ip.words } };
        if (kind === 0) return base;
        if (kind === 1) return { ...base, proto, port };
        const other = peer.version === ip.version ? peer : ip;
        return { ...base, proto, port, sourcePort, peer: { version: other.version, words: other.words } };
      });
    fc.assert(
      fc.property(element, (e) => {
        assert.deepEqual(parseElementKey('s', e.ip.version, keyBytes(e)), e);
      }),
    );
  });

  it('has the bytes that the kernel wants', () => {
    const ip = parseCidr('203.0.113.7')!;
    assert.equal(keyBytes({ set: 's', ip }).toString('hex'), 'cb007107');
    assert.equal(keyBytes({ set: 's', ip, proto: 6, port: 443 }).toString('hex'), 'cb0071070600000001bb0000');
    const flow = { set: 's', ip, peer: parseIp('192.0.2.1')!, proto: 17, sourcePort: 53, port: 4660 };
    assert.equal(keyBytes(flow).toString('hex'), 'cb007107c0000201110000000035000012340000');
  });
});
