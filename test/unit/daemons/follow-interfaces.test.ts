import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InterfaceFollower } from '../../../src/daemons/sensor/follow-interfaces.js';
import { silentLogger } from '../../../src/util/logger.js';

function follower(first: string[], refuses: readonly string[] = []) {
  const state = {
    interfaces: [...first],
    present: [...first],
    isWanted: true,
    asked: [] as string[][],
    gone: [] as string[],
  };
  const follow = new InterfaceFollower({
    live: {
      get interfaces() {
        return state.interfaces;
      },
      async setInterfaces(names) {
        state.asked.push([...names]);
        if (names.some((name) => refuses.includes(name))) throw new Error('not allowed');
        state.interfaces = [...names];
      },
    },
    present: () => state.present,
    exists: (name) => !state.gone.includes(name),
    isWanted: () => state.isWanted,
    log: silentLogger,
  });
  return { state, follow };
}

describe('interfaces that appear while the sensor runs', () => {
  it('are watched too, and one that goes away is waited for', async () => {
    const { state, follow } = follower(['eth0']);
    await follow.look();
    assert.deepEqual(state.asked, [], 'nothing new, nothing done');
    state.present = ['eth0', 'wg0'];
    await follow.look();
    assert.deepEqual(state.interfaces, ['eth0', 'wg0']);
    state.present = ['wg0'];
    await follow.look();
    assert.deepEqual(state.interfaces, ['eth0', 'wg0']);
  });

  it('take the place of loopback, which is watched only while there is nothing else', async () => {
    const { state, follow } = follower(['lo']);
    state.present = ['eth0'];
    await follow.look();
    assert.deepEqual(state.interfaces, ['eth0']);
  });

  it('are left alone when the operator chose interfaces or stopped capture', async () => {
    const { state, follow } = follower(['eth0']);
    state.present = ['eth0', 'wg0'];
    state.isWanted = false;
    await follow.look();
    assert.deepEqual(state.asked, []);
  });

  it('that cannot be opened are asked for once, until they come back', async () => {
    const { state, follow } = follower(['eth0'], ['bad0']);
    state.present = ['eth0', 'bad0', 'wg0'];
    await follow.look();
    await follow.look();
    assert.deepEqual(state.interfaces, ['eth0', 'wg0']);
    assert.equal(state.asked.filter((names) => names.includes('bad0')).length, 1);
    state.present = ['eth0', 'wg0'];
    await follow.look();
    state.present = ['eth0', 'wg0', 'bad0'];
    await follow.look();
    assert.equal(state.asked.filter((names) => names.includes('bad0')).length, 2);
  });

  it('are sixteen at most, each with a ring of its own', async () => {
    const { state, follow } = follower(['eth0']);
    state.present = ['eth0', ...Array.from({ length: 40 }, (_, i) => `veth${i}`)];
    await follow.look();
    assert.equal(state.interfaces.length, 16);
  });

  it('take the places of those that are gone for good, not of those that are down', async () => {
    const { state, follow } = follower(['eth0']);
    const first = Array.from({ length: 15 }, (_, i) => `veth${i}`);
    state.present = ['eth0', ...first];
    await follow.look();
    state.present = ['eth0', 'new0', 'new1'];
    state.gone = ['veth3'];
    await follow.look();
    assert.deepEqual(state.interfaces, ['eth0', ...first.filter((name) => name !== 'veth3'), 'new0']);
  });
});
