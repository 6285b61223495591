import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TCP, type DecodedPacket } from '../../../../src/domain/packet.js';
import { loadRules, type LoadOptions } from '../../../../src/detect/signature/load.js';
import { openCountryDatabase } from '../../../../src/detect/signature/hosts/mmdb.js';
import { createReputation } from '../../../../src/detect/signature/hosts/reputation.js';
import { REFUSED } from '../../../../src/detect/signature/keywords/app.js';
import { Inspector } from '../../../../src/detect/signature/match/inspect.js';
import { createThresholds } from '../../../../src/detect/signature/state/thresholds.js';
import { packet } from '../../support/packets.js';

const compile = (options: string, load: LoadOptions = {}, proto = 'ip') =>
  loadRules([{ file: 'a.rules', text: `alert ${proto} any any -> any any (${options} sid:1;)` }], load);
/** Whether the header tests of a rule hold for a packet. */
function holds(options: string, p: DecodedPacket, load: LoadOptions = {}): boolean {
  const { rules, problems } = compile(options, load);
  assert.deepEqual(problems, []);
  return rules[0]!.packetTests.every((test) => test(p, 0));
}
const between = (src: string, dst: string): DecodedPacket => packet({ src, dst, flags: TCP.SYN });
const ip4 = (text: string): [number, number, number, number, number] => {
  const n = text.split('.').reduce((value, part) => value * 256 + Number(part), 0);
  return [4, 0, 0, 0, n];
};

/** A MaxMind DB in which each prefix has a country: made here, by the format's description. */
function countryFile(entries: readonly (readonly [string, number, string])[], recordBits: 24 | 28 | 32): Uint8Array {
  const nodes: [number, number][] = [[-1, -1]];
  const leaves: [number, 0 | 1, number][] = [];
  const text = (t: string): number[] => [0x40 | t.length, ...Buffer.from(t)];
  const data: number[] = [];
  for (const [address, prefix, country] of entries) {
    const pointer = data.length;
    data.push(0xe1, ...text('country'), 0xe1, ...text('iso_code'), ...text(country));
    const bits = Array.from({ length: 96 + prefix }, (_, i) =>
      i < 96 ? 0 : (ip4(address)[4] >>> (31 - (i - 96))) & 1,
    );
    let node = 0;
    for (const [i, bit] of bits.entries()) {
      if (i === bits.length - 1) leaves.push([node, bit as 0 | 1, pointer]);
      else {
        if (nodes[node]![bit]! < 0) {
          nodes[node]![bit] = nodes.length;
          nodes.push([-1, -1]);
        }
        node = nodes[node]![bit]!;
      }
    }
  }
  for (const [node, bit, pointer] of leaves) nodes[node]![bit] = nodes.length + 16 + pointer;
  const tree = nodes.flatMap(([left, right]) => {
    const [l, r] = [left < 0 ? nodes.length : left, right < 0 ? nodes.length : right];
    const bytes = (n: number, count: number): number[] => Array.from({ length: count }, (_, i) => Math.floor(n / 256 ** (count - 1 - i)) & 255); // prettier-ignore
    if (recordBits === 28) return [...bytes(l & 0xffffff, 3), ((l >> 24) << 4) | (r >> 24), ...bytes(r & 0xffffff, 3)];
    return [...bytes(l, recordBits / 8), ...bytes(r, recordBits / 8)];
  });
  const number = (name: string, n: number): number[] => [...text(name), 0xc2, n >> 8, n & 255];
  const meta = [
    0xe3,
    ...number('node_count', nodes.length),
    ...number('record_size', recordBits),
    ...number('ip_version', 6),
  ];
  const marker = [0xab, 0xcd, 0xef, ...Buffer.from('MaxMind.com')];
  return Uint8Array.from([...tree, ...Array<number>(16).fill(0), ...data, ...marker, ...meta]);
}

describe('geoip', () => {
  const entries = [['192.0.2.0', 24, 'DE'], ['192.0.2.128', 25, 'FR'], ['203.0.113.9', 32, 'US']] as const; // prettier-ignore
  for (const bits of [24, 28, 32] as const) {
    test(`countries are found in a database with records of ${bits} bits`, () => {
      const disjoint = [['192.0.2.0', 25, 'DE'], entries[1], entries[2]] as const;
      const db = openCountryDatabase(countryFile(disjoint, bits));
      assert.equal(db.country(...ip4('192.0.2.1')), 'DE');
      assert.equal(db.country(...ip4('192.0.2.200')), 'FR');
      assert.equal(db.country(...ip4('203.0.113.9')), 'US');
      assert.equal(db.country(...ip4('203.0.113.8')), undefined);
    });
  }
  const geoip = { file: 'x.mmdb', data: countryFile([['192.0.2.0', 25, 'DE'], entries[2]], 24) };
  for (const [keyword, src, dst, expected] of [
    ['geoip:src,DE;', '192.0.2.1', '10.0.0.1', true],
    ['geoip:dst,DE;', '192.0.2.1', '10.0.0.1', false],
    ['geoip:any,US,DE;', '10.0.0.1', '203.0.113.9', true],
    ['geoip:both,US,DE;', '192.0.2.1', '203.0.113.9', true],
    ['geoip:both,DE;', '192.0.2.1', '203.0.113.9', false],
    ['geoip:src,!DE;', '203.0.113.9', '10.0.0.1', true],
    ['geoip:src,!DE;', '192.0.2.1', '10.0.0.1', false],
    ['geoip:src,!DE;', '10.0.0.1', '192.0.2.1', false],
  ] as const) {
    test(`${keyword} ${src} to ${dst}: ${String(expected)}`, () => {
      assert.equal(holds(keyword, between(src, dst), { geoip }), expected);
    });
  }
  test('without a database, or with one that is none, the rule is refused with the reason', () => {
    assert.match(compile('geoip:src,DE;').problems[0]!.reason, /detect\.signature\.geoip/);
    const broken = compile('geoip:src,DE;', { geoip: { file: 'x.mmdb', data: Buffer.from('nothing') } });
    assert.match(broken.problems[0]!.reason, /not a MaxMind DB/);
  });
});

describe('iprep', () => {
  const lists = [
    {
      file: 'a.list',
      text: '192.0.2.7,1,90\n198.51.100.0/24,2,40\n198.51.100.9,2,100\n2001:db8::/32,1,10\nnonsense\n',
    },
  ];
  const reputation = { categories: '1,Bad,bad hosts\n2,Odd,odd hosts\n', lists };
  for (const [keyword, src, dst, expected] of [
    ['iprep:src,Bad,>,50;', '192.0.2.7', '10.0.0.1', true],
    ['iprep:src,Bad,>,90;', '192.0.2.7', '10.0.0.1', false],
    ['iprep:dst,Bad,>,50;', '192.0.2.7', '10.0.0.1', false],
    ['iprep:any,bad,=,90;', '10.0.0.1', '192.0.2.7', true],
    ['iprep:src,Odd,<,50;', '198.51.100.8', '10.0.0.1', true],
    ['iprep:src,Odd,<,50;', '198.51.100.9', '10.0.0.1', false],
    ['iprep:src,Odd,<,50;', '203.0.113.1', '10.0.0.1', false],
    ['iprep:both,Odd,>,1;', '198.51.100.8', '198.51.100.9', true],
    ['iprep:src,Bad,isset;', '2001:db8::5', '2001:db9::1', true],
    ['iprep:src,Bad,isnotset;', '2001:db9::5', '2001:db9::1', true],
  ] as const) {
    test(`${keyword} ${src} to ${dst}: ${String(expected)}`, () => {
      const { rules } = compile(keyword, { reputation });
      assert.equal(
        rules[0]!.packetTests.every((t) => t(between(src, dst), 0)),
        expected,
      );
    });
  }
  test('a line that is none is told with its file and line', () => {
    const told: string[] = [];
    createReputation(reputation.categories, lists, (file, line) => told.push(`${file}:${line}`));
    assert.deepEqual(told, ['a.list:5']);
  });
  test('without lists, or in an unknown category, the rule is refused with the reason', () => {
    assert.match(compile('iprep:src,Bad,>,1;').problems[0]!.reason, /detect\.signature\.reputation/);
    const found = compile('iprep:src,Other,>,1;', { reputation }).problems.find((p) => p.keyword === 'iprep');
    assert.match(found!.reason, /not in the list/);
  });
});

describe('keywords', () => {
  for (const [name, reason] of Object.entries(REFUSED)) {
    test(`${name} is refused with its reason`, () => {
      const [problem] = compile(`content:"a"; ${name}:x;`, {}, 'tcp').problems;
      assert.equal(problem?.keyword, name);
      assert.ok(problem.reason.endsWith(reason), problem.reason);
    });
  }
  for (const [options, ok] of [
    ['tag:session;', true],
    ['tag:session,10,packets;', true],
    ['tag:host,100,bytes,src;', true],
    ['tag:host,100,bytes;', true],
    ['tag:host,100,bytes,both;', false],
    ['tag:forever;', false],
    ['tag:session,10,hours;', false],
  ] as const) {
    test(`${options} is ${ok ? 'fine' : 'refused'}`, () => {
      assert.equal(compile(options).problems.length === 0, ok);
    });
  }
  test('l3_proto tells the versions of IP apart', () => {
    const [v4, v6] = [between('192.0.2.1', '192.0.2.2'), between('2001:db8::1', '2001:db8::2')];
    for (const [keyword, expected] of [
      ['l3_proto:ipv4;', [true, false]],
      ['l3_proto:ip6;', [false, true]],
      ['l3_proto:!ipv6;', [true, false]],
    ] as const)
      // prettier-ignore
      assert.deepEqual([holds(keyword, v4), holds(keyword, v6)], expected);
  });
});

test('a rate filter changes the action while a rule fires often, for its time', () => {
  const text = 'rate_filter gen_id 1, sig_id 1, track by_src, count 2, seconds 10, new_action drop, timeout 30';
  const { rules, problems } = compile('', { threshold: { file: 'threshold.config', text } });
  assert.deepEqual(problems, []);
  const thresholds = createThresholds(100);
  const at = (secs: number, src = 'a'): string => thresholds.actionOf(rules[0]!, src, 'x', 1, secs * 1e6);
  assert.deepEqual([at(1), at(2), at(3), at(20), at(32.9)], ['alert', 'alert', 'drop', 'drop', 'drop']);
  assert.equal(at(3, 'b'), 'alert');
  assert.equal(at(34), 'alert');
  assert.match(
    compile('', { threshold: { file: 't', text: text.replace('drop', 'eat') } }).problems[0]!.reason,
    /new_action/,
  );
});

describe('other names and further values of keywords', () => {
  for (const [options, ok] of [
    ['tcp.window:512;', true],
    ['tcp.window:513;', false],
    ['tcp.ack:7;', true],
    ['tcp.ack:8;', false],
    ['tcp.seq:5;', true],
    ['tcp.seq:6;', false],
  ] as const) {
    test(`${options} ${String(ok)}`, () => {
      const p = packet({ src: '192.0.2.1', dst: '192.0.2.2', flags: TCP.ACK });
      p.window = 512;
      p.ack = 7;
      p.seq = 5;
      assert.equal(holds(options, p), ok);
    });
  }
  test('dsize counts nothing of a protocol whose payload rules do not see', () => {
    const p = packet({ src: '192.0.2.1', dst: '192.0.2.2', flags: TCP.ACK });
    p.payloadLen = 8;
    assert.equal(holds('dsize:8;', p), true);
    p.proto = 2;
    assert.equal(holds('dsize:8;', p), false);
    assert.equal(holds('dsize:0;', p), true);
  });
  test('a file name is looked for in the name, in both cases', () => {
    const { rules, problems } = compile('filename:"index";', {}, 'http');
    assert.deepEqual(problems, []);
    const [inspection] = rules[0]!.buffers;
    const matches = (name: string) => new Inspector().run(inspection!.matches, Buffer.from(name));
    assert.equal(inspection!.buffer.name, 'file.name');
    assert.equal(matches('/pages/Index.html'), true);
    assert.equal(matches('/pages/other.html'), false);
  });
  test('several versions of TLS are one test with alternatives, those with ! one test each', () => {
    const tests = (options: string) => compile(options, {}, 'tls').rules[0]!.transactionTests;
    const some = tests('ssl_version:tls1.0,tls1.1;');
    assert.deepEqual(
      some.map((t) => [t.range!.a, t.orRanges?.map((r) => r.a)]),
      [[0x0301, [0x0302]]],
    );
    assert.equal(tests('ssl_version:!tls1.0,!tls1.1;').length, 2);
  });
});
