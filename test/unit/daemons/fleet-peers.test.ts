import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FleetPeer } from '../../../src/contract/fleet.js';
import { createFleetPeers } from '../../../src/daemons/server/fleet-peers.js';
import { sessionEntries, toFleetPeers } from '../../../src/daemons/server/peers.js';
import type { ProtectedEntry } from '../../../src/domain/decision.js';
import type { FleetLink } from '../../../src/fleet/index.js';

const HOUR_MS = 3_600_000;

describe('the protected set of a fleet', () => {
  function open(members: string[], peers: Partial<FleetPeer>[]) {
    const told: string[][] = [];
    const link = {
      servers: ['192.0.2.200:4222'],
      addresses: {
        own: () => [],
        others: () => members.map((address) => ({ member: 'box2', address })),
        set: () => undefined,
      },
      peers: {
        others: () =>
          peers.map((peer) => ({
            server: 'server1',
            peer: { value: '', reason: 'siem', detail: 'destination soc', expiresMs: 0, ...peer },
          })),
      },
    } as unknown as FleetLink;
    const values = (entries: readonly ProtectedEntry[]): string[] => entries.map(({ value }) => value);
    const fleet = createFleetPeers(
      () => link,
      (entries) => told.push(values(entries)),
    );
    return { fleet, told, peers, now: () => values(fleet.entries()) };
  }

  it('has whom servers work with and who is at their consoles, with the server that says so', () => {
    const { fleet } = open(['10.0.0.2'], [{ value: '10.0.0.9' }, { value: '2001:db8::7', reason: 'console_session' }]);
    assert.deepEqual(
      fleet.entries().map(({ value, reason, detail }) => [value, reason, detail]),
      [
        ['10.0.0.2', 'member', 'box2'],
        ['10.0.0.9', 'siem', 'destination soc (server1)'],
        ['2001:db8::7', 'console_session', 'destination soc (server1)'],
      ],
    );
  });

  it('has no networks and no addresses of every box: a member that was taken over could spare everybody', () => {
    const wide = ['0.0.0.0/1', '128.0.0.0/1', '10.0.0.0/31', '::/0', 'fe80::1', '169.254.1.1', 'nonsense'];
    assert.deepEqual(open([...wide, '10.0.0.2'], wide.map((value) => ({ value }))).now(), ['10.0.0.2']); // prettier-ignore
  });

  it('lets go of a session whose end has come, without a word of the server', () => {
    const { fleet, told, peers } = open([], [{ value: '10.0.0.9', expiresMs: Date.now() + HOUR_MS }]);
    fleet.changed();
    assert.deepEqual(told, [['10.0.0.9']]);
    fleet.changed();
    fleet.tick(0);
    assert.equal(told.length, 1, 'the same is not told again');
    peers[0]!.expiresMs = Date.now() - 1;
    fleet.tick(20_000);
    assert.deepEqual(told, [['10.0.0.9'], []]);
  });
});

describe('what a server says of its peers', () => {
  it('changes once an hour at most for a session that goes on, and as soon as one ends', () => {
    const nowMs = 1000 * HOUR_MS + 1;
    const sessions = sessionEntries();
    const said = (atMs: number): FleetPeer[] => toFleetPeers([], sessions.entries(atMs));
    const ann = (expiresMs: number) => ({ user: 'ann', address: '203.0.113.7', expiresMs });
    sessions.add(ann(nowMs + 1000));
    const first = said(nowMs);
    sessions.add(ann(nowMs + 2000));
    assert.deepEqual(said(nowMs), first);
    sessions.add(ann(nowMs + HOUR_MS));
    assert.notDeepEqual(said(nowMs), first);
    assert.ok(said(nowMs)[0]!.expiresMs >= nowMs + HOUR_MS, 'never too early');
    sessions.replace([]);
    assert.deepEqual(said(nowMs), []);
  });

  it('is bounded, and the machines come before the people', () => {
    const peer = (value: string): ProtectedEntry => ({ value, reason: 'database', detail: 'store.host' });
    const peers = Array.from({ length: 400 }, (_, i) => peer(`10.0.${i >> 8}.${i & 255}`));
    const sessions = Array.from({ length: 256 }, (_, i) => ({
      ...{ value: `203.0.113.${i}`, reason: 'console_session' as const, detail: 'x'.repeat(900), expiresMs: 1 },
    }));
    const said = toFleetPeers(peers, sessions);
    assert.equal(said.length, 512);
    assert.equal(said.filter(({ reason }) => reason === 'database').length, 400);
    assert.ok(said.every(({ detail }) => detail.length <= 500));
  });
});
