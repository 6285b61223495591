import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  checkClock,
  checkDisk,
  checkInterfaces,
  checkPolicyRouting,
  checkReload,
  checkRights,
} from '../../../src/enforce/doctor/host-checks.js';
import type { DoctorItem } from '../../../src/enforce/doctor/item.js';
import type { Box } from '../../../src/enforce/index.js';
import { options } from './helpers.js';

/** A box with these files, and these answers of `ip`. */
function box(files: Record<string, string> = {}, ip: (args: readonly string[]) => unknown = () => []): Box {
  return {
    read: (path) => (files[path] === undefined ? undefined : Buffer.from(files[path])),
    list: () => [],
    link: () => undefined,
    ip: (args) => Promise.resolve(JSON.stringify(ip(args))),
    interfaces: () => [],
    resolve: () => Promise.resolve([]),
    env: {},
  };
}

const linksOf = (...links: object[]): Box => box({}, () => [{ ifname: 'lo', flags: ['LOOPBACK'] }, ...links]);

/** The status of each item; what is not right says how to mend it. */
function statusOf(items: DoctorItem | readonly DoctorItem[]): string[] {
  return [items].flat().map((item) => {
    assert.equal(item.fix !== undefined, item.status !== 'ok', item.id);
    return `${item.id} ${item.status}`;
  });
}

describe('the doctor looks at the host', () => {
  it('and finds the right to change the ruleset, or that it is missing', () => {
    const rights = (hex: string) => statusOf(checkRights(box({ '/proc/self/status': `Name: x\nCapEff:\t${hex}\n` })));
    assert.deepEqual(rights('0000000000001000'), ['host.rights ok']);
    assert.deepEqual(rights('0000000000000fff'), ['host.rights problem']);
    assert.deepEqual(statusOf(checkRights(box())), ['host.rights problem']);
  });

  it('and warns of routing tables that may part the two directions of a flow', async () => {
    const usual = [{ table: 'local' }, { table: 'main' }, { table: 'default' }];
    assert.deepEqual(statusOf(await checkPolicyRouting(box({}, () => usual))), ['host.routing ok']);
    const v6Only = box({}, (args) => (args.includes('-6') ? [...usual, { table: '100' }] : usual));
    const item = await checkPolicyRouting(v6Only);
    assert.deepEqual(statusOf(item), ['host.routing warning']);
    assert.match(item.detail, /tables 100:/);
  });

  it('and warns of interfaces that no sensor watches', async () => {
    const two = linksOf({ ifname: 'eth0' }, { ifname: 'eth1' });
    const of = (sensor: string[] | undefined) => checkInterfaces(two, options(), sensor);
    for (const sensor of [undefined, ['any'], ['eth0', 'eth1']]) {
      assert.deepEqual(statusOf(await of(sensor)), ['host.interfaces ok']);
    }
    const [item] = await of(['eth0']);
    assert.equal(item?.status, 'warning');
    assert.match(item?.detail ?? '', /does not watch eth1:/);
  });

  it('and warns of XDP programs, and of bridges whose ports are not screened', async () => {
    const odd = linksOf({ ifname: 'eth0', xdp: { mode: 1 } }, { ifname: 'br0', linkinfo: { info_kind: 'bridge' } });
    const found = ['host.interfaces ok', 'host.xdp warning', 'host.bridge warning'];
    assert.deepEqual(statusOf(await checkInterfaces(odd, options(), undefined)), found);
    assert.deepEqual(statusOf(await checkInterfaces(odd, options({ bridge: true }), undefined)), found.slice(0, 2));
  });

  it('and warns of a configuration whose reload empties the ruleset', () => {
    const of = (text: string) => statusOf(checkReload(box({ '/etc/nftables.conf': text })));
    assert.deepEqual(of('#!/usr/sbin/nft -f\nflush ruleset\ntable inet x {}\n'), ['host.reload warning']);
    assert.deepEqual(of('# flush ruleset\ntable inet x {}\n'), ['host.reload ok']);
    assert.deepEqual(statusOf(checkReload(box())), ['host.reload ok']);
  });

  it('and tells whether the clock can be trusted and the journal can be written', () => {
    assert.deepEqual(
      [true, false, undefined].map((is) => checkClock(is).status),
      ['ok', 'warning', 'warning'],
    );
    assert.equal(checkDisk('/nowhere/at/all').id, 'host.disk');
    assert.match(checkDisk('/nowhere/at/all').detail, /MiB free at \//);
  });
});
