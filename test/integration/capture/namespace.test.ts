import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import koffi from 'koffi';
import { listInterfaces } from '../../../src/capture/index.js';
import { cannotRun, ip } from '../../timing/capture/netns.js';

const CLONE_NEWNET = 0x40000000;

/** This process moves into the namespace; sysfs stays that of where it came from. */
function enter(netns: string): void {
  const setns = koffi.load('libc.so.6').func('int setns(int fd, int type)') as (fd: number, type: number) => number;
  const fd = openSync(`/run/netns/${netns}`, 'r');
  assert.equal(setns(fd, CLONE_NEWNET), 0);
  closeSync(fd);
}

describe('interfaces of a network namespace', { skip: cannotRun() }, () => {
  const netns = `cap-index-${process.pid}`;
  before(() => {
    ip('netns', 'add', netns);
    ip('-n', netns, 'link', 'add', 'one0', 'index', '4711', 'mtu', '1234', 'type', 'veth', 'peer', 'name', 'one1');
    ip('-n', netns, 'link', 'set', 'one0', 'up');
  });
  after(() => ip('netns', 'delete', netns));

  it('are told with the numbers that the kernel gave them there, whatever sysfs is mounted', () => {
    enter(netns);
    const { index, mtu, isUp, linkType } = listInterfaces().find(({ name }) => name === 'one0')!;
    assert.deepEqual({ index, mtu, isUp, linkType }, { index: 4711, mtu: 1234, isUp: true, linkType: 1 });
    assert.throws(() => readFileSync('/sys/class/net/one0/ifindex'), 'the control: sysfs does not know it');
    assert.ok(!listInterfaces().some(({ name }) => name === 'eth0'), 'no interface of the namespace it came from');
  });
});
