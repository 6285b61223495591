import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import {
  createBackendFactory,
  enforceOptionsSchema,
  type EnforceBackend,
  type KernelOp,
} from '../../../src/enforce/index.js';
import type { SetElement } from '../../../src/enforce/element.js';
import { NFNLGRP_NFTABLES } from '../../../src/enforce/netlink/nftables.js';
import { NETLINK_NETFILTER, openNetlinkSocket, type NetlinkSocket } from '../../../src/util/netlink/socket.js';
import { createLayout } from '../../../src/enforce/layout.js';
import { parseCidr } from '../../../src/util/ip.js';
import { skipReason } from './net.js';

const options = enforceOptionsSchema.parse({ log_blocked: false });
const layout = createLayout(options);

const at = (set: string, address: string, more: Partial<SetElement> = {}): SetElement => ({
  set,
  ip: parseCidr(address)!,
  ...more,
});

const ELEMENTS: SetElement[] = [
  at('block4_32', '203.0.113.7'),
  at('block4_24', '198.51.100.0/24'),
  at('block6_64', '2001:db8:0:1::/64'),
  at('block6_128', '2001:db8::ffff:1'),
  at('protect4_32', '192.0.2.1'),
  at('allow6_64', '2001:db8:5::/64'),
  at('svc4_32', '203.0.113.8', { proto: 6, port: 443 }),
  at('svc6_128', '2001:db8::8', { proto: 17, port: 53 }),
  at('flow4_32', '203.0.113.9', { peer: parseCidr('192.0.2.2')!, proto: 6, sourcePort: 40000, port: 80 }),
  at('flow6_128', '2001:db8::9', { peer: parseCidr('2001:db8:2::1')!, proto: 6, sourcePort: 40001, port: 22 }),
  at('slow4_32', '203.0.113.10'),
  at('watch4_16', '203.0.0.0/16'),
  at('out4_32', '203.0.113.11'),
  at('feed4_32', '203.0.113.12'),
];

describe('netlink and nft', { skip: skipReason, timeout: 600_000 }, () => {
  const names = ['netlink', 'nft'] as const;
  const netns = (name: string): string => `enf-${process.pid}-${name}`;
  const backends: Record<string, EnforceBackend> = {};
  before(async () => {
    for (const name of names) {
      execFileSync('ip', ['netns', 'add', netns(name)]);
      const backend = createBackendFactory({ netns: netns(name) })(name);
      await backend.open(layout);
      await backend.replace(layout, [{ element: at('block4_32', '192.0.2.77'), timeoutMs: 3_600_000 }]);
      backends[name] = backend;
    }
  });
  after(async () => {
    for (const name of names) {
      await backends[name]?.close();
      execFileSync('ip', ['netns', 'delete', netns(name)]);
    }
  });

  const apply = async (ops: KernelOp[]): Promise<void> => {
    for (const name of names) {
      const result = await backends[name]!.apply(layout, ops);
      assert.deepEqual([...result.failed], [], name);
      assert.equal(result.tableGone, false);
    }
  };
  const state = (name: string): string => {
    const text = execFileSync('ip', ['netns', 'exec', netns(name), 'nft', 'list', 'ruleset'], { encoding: 'utf8' });
    const rounded = text.replace(/ expires [0-9a-z]+/g, '').split('\n');
    return rounded
      .map((line) =>
        line
          .split(/[{},]/)
          .map((part) => part.trim())
          .sort()
          .join('|'),
      )
      .sort()
      .join('\n');
  };
  const same = (): string => {
    const [one, two] = names.map(state);
    assert.equal(one, two);
    return one!;
  };

  it('leave the same kernel state after adds, renewals and deletes', async () => {
    const timeout = (e: SetElement): number => (e.set.startsWith('protect') ? 0 : 3_600_000);
    await apply(ELEMENTS.map((element) => ({ kind: 'add', element, timeoutMs: timeout(element) })));
    const added = same();
    for (const text of [
      '203.0.113.7',
      '2001:db8:0:1::',
      '203.0.113.8 . tcp . 443',
      '203.0.113.9 . 192.0.2.2 . tcp . 40000 . 80',
    ]) {
      assert.ok(added.includes(text), text);
    }
    const timed = ELEMENTS.filter((e) => timeout(e) > 0);
    await apply(
      timed.map((element, i) => ({
        kind: 'update',
        element,
        timeoutMs: i % 3 === 0 ? 0 : i % 3 === 1 ? 600_000 : 7_200_000,
      })),
    );
    assert.notEqual(same(), added);
    await apply(ELEMENTS.slice(0, 7).map((element) => ({ kind: 'delete', element, timeoutMs: 0 })));
    assert.ok(!same().includes('203.0.113.7'));
  });

  it('are told apart by the comparison when one element differs', async () => {
    const element = at('block4_32', '203.0.113.99');
    await backends['netlink']!.apply(layout, [{ kind: 'add', element, timeoutMs: 60_000 }]);
    assert.throws(same);
    await backends['netlink']!.apply(layout, [{ kind: 'delete', element, timeoutMs: 0 }]);
    same();
  });

  it('take the deletion of an absent element in a batch as done', async () => {
    const absent = at('block4_32', '192.0.2.250');
    const fresh = at('block4_32', '192.0.2.251');
    await apply([
      { kind: 'delete', element: absent, timeoutMs: 0 },
      { kind: 'add', element: fresh, timeoutMs: 60_000 },
      { kind: 'delete', element: at('svc4_32', '192.0.2.250', { proto: 6, port: 1 }), timeoutMs: 0 },
    ]);
    assert.ok(same().includes('192.0.2.251'));
  });

  it('find single elements with their timeouts, and miss absent ones', async () => {
    const element = at('block4_32', '192.0.2.77');
    for (const name of names) {
      const [found, missing] = await backends[name]!.lookup(layout, [element, at('block4_32', '192.0.2.78')]);
      assert.equal(found?.timeoutMs, 3_600_000, name);
      assert.ok(found.expiresMs > 3_500_000 && found.expiresMs <= 3_600_000);
      assert.equal(missing, undefined, name);
    }
  });

  it('refuse only the elements that do not fit a full set', async () => {
    const small = createLayout(enforceOptionsSchema.parse({ set_size: 1024, log_blocked: false, table: 'small' }));
    const ops = Array.from({ length: 1100 }, (_, i): KernelOp => {
      const ip = parseCidr(`10.9.${i >> 8}.${i & 255}`)!;
      return { kind: 'add', element: { set: 'feed4_32', ip }, timeoutMs: 60_000 };
    });
    for (const name of names) {
      await backends[name]!.replace(small, []);
      const result = await backends[name]!.apply(small, ops);
      assert.equal(result.failed.size, 76, name);
      await backends[name]!.remove(small);
    }
  });

  it('do not hear their own changes, which would fill the socket, but those of others', async () => {
    const where = { netns: netns('netlink'), groups: [NFNLGRP_NFTABLES] };
    const backend = backends['netlink']!;
    const everything = openNetlinkSocket(NETLINK_NETFILTER, where);
    const filtered = openNetlinkSocket(NETLINK_NETFILTER, where);
    const count = (socket: NetlinkSocket): number => {
      let n = 0;
      while (socket.receive() !== undefined) n += 1;
      return n;
    };
    try {
      await backend.apply(layout, [{ kind: 'add', element: at('block4_32', '192.0.2.90'), timeoutMs: 60_000 }]);
      const datagram = everything.receive() as Buffer;
      const author = datagram.readUInt32LE(12);
      count(everything);
      filtered.ignoreAuthors([4_294_967_295, author, 1]);
      count(filtered);
      await backend.apply(layout, [{ kind: 'add', element: at('block4_32', '192.0.2.91'), timeoutMs: 60_000 }]);
      assert.ok(count(everything) > 0);
      assert.equal(count(filtered), 0);
      execFileSync('ip', [
        'netns',
        'exec',
        netns('netlink'),
        'nft',
        'add',
        'element',
        'inet',
        'portcullis',
        'block4_32',
        '{ 192.0.2.92 }',
      ]);
      assert.ok(count(filtered) > 0);
    } finally {
      everything.close();
      filtered.close();
    }
  });

  it('make a table that is there hold exactly what is given, short sets and long ones', async () => {
    const long = (from: number, n: number): SetElement[] =>
      Array.from({ length: n }, (_, i) => ({
        set: 'feed4_32',
        ip: { version: 4 as const, words: [0, 0, 0, 0x64400000 + from + i] as const },
      }));
    const fill = async (elements: SetElement[]): Promise<void> => {
      const timed = elements.map((element) => ({ element, timeoutMs: 3_600_000 }));
      for (const name of names) await backends[name]!.replace(layout, timed);
    };
    await fill([at('block4_32', '203.0.113.50'), ...long(0, 5000)]);
    same();
    // Foreign additions go, what is missing comes, in a set that is corrected and in one that is written anew.
    const foreign = [at('feed4_32', '198.51.100.1'), at('block4_32', '198.51.100.2')];
    await apply(foreign.map((element) => ({ kind: 'add', element, timeoutMs: 3_600_000 })));
    await fill([at('block4_32', '203.0.113.51'), ...long(2500, 5000)]);
    const text = same();
    assert.ok(text.includes('203.0.113.51') && text.includes('100.64.29.75'));
    for (const gone of ['203.0.113.50', '198.51.100.1', '198.51.100.2']) assert.ok(!text.includes(gone), gone);
    assert.equal(text.match(/100\.64\./g)?.length, 5000);
  });

  it('make a very long set that is there hold exactly what is given, with its times', async () => {
    const many = 20_010;
    const address = (i: number): SetElement => at('feed4_32', `100.96.${i >> 8}.${i & 255}`);
    const fill = (timeoutMs: number): Promise<void> =>
      backends.netlink!.replace(
        layout,
        Array.from({ length: many }, (_, i) => ({ element: address(i), timeoutMs })),
      );
    const change = (ops: KernelOp[]) => backends.netlink!.apply(layout, ops);
    const foreign = at('feed4_32', '198.51.100.1');
    await fill(7_200_000);
    await fill(3_600_000);
    const [first, last] = await backends.netlink!.lookup(layout, [address(0), address(many - 1)]);
    assert.deepEqual([first?.timeoutMs, last?.timeoutMs], [3_600_000, 3_600_000]);
    // As many as before, but not the same.
    await change([{ kind: 'delete', element: address(7), timeoutMs: 0 }]);
    await change([{ kind: 'add', element: foreign, timeoutMs: 3_600_000 }]);
    await fill(3_600_000);
    const [back, gone] = await backends.netlink!.lookup(layout, [address(7), foreign]);
    assert.ok(back !== undefined && gone === undefined);
  });

  it('replace a table that was made by other options, with its elements', async () => {
    const other = createLayout(enforceOptionsSchema.parse({ log_blocked: false, rate_limit_pps: 7 }));
    const timed = [{ element: at('block4_32', '203.0.113.60'), timeoutMs: 3_600_000 }];
    for (const name of names) await backends[name]!.replace(other, timed);
    assert.ok(same().includes('limit rate over 7/second'));
    for (const name of names) await backends[name]!.replace(layout, timed);
    const text = same();
    assert.ok(!text.includes('limit rate over 7/second') && text.includes('203.0.113.60'));
  });

  it('say so when the table is gone', async () => {
    const other = createLayout(enforceOptionsSchema.parse({ table: 'absent' }));
    for (const name of names) {
      const op: KernelOp = { kind: 'add', element: at('block4_32', '192.0.2.5'), timeoutMs: 1000 };
      assert.equal((await backends[name]!.apply(other, [op])).tableGone, true, name);
      assert.equal(await backends[name]!.isPresent(other), false);
    }
  });
});
