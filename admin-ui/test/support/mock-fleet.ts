import type { Fleet, FleetMemberView } from '../../../src/contract/http.js';

/** A server that stands alone. */
export const ALONE: Fleet = { self: null, scheduler: null, members: [] };

export function makeMember(name: string, nowMs: number, other: Partial<FleetMemberView> = {}): FleetMemberView {
  return {
    name,
    role: 'box',
    site: 'hq',
    version: '1.0.0',
    mode: 'enforce',
    alive: true,
    heardMs: nowMs - 800,
    startedMs: nowMs - 9e6,
    sensor: { connected: true, interfaces: ['eth0', 'eth1'], packets: 81_230_441, kernelDrops: 0 },
    responder: { connected: true, backend: 'nftables', desired: 412, enforced: 412 },
    decisions: { known: 412, refused: 0, waiting: 0, lagP95Ms: 14.2 },
    spool: { waiting: 0, bytes: 0, dropped: 0 },
    policies: { count: 7, digest: '3fa9c1d20b7e', source: 'fleet', savedMs: nowMs - 7_200_000 },
    ...other,
  };
}

/** Two servers, and boxes of which one is behind, one is silent and one runs an old version. */
export function makeFleet(nowMs: number): Fleet {
  const server = {
    role: 'server' as const,
    sensor: { connected: false, interfaces: [], packets: 0, kernelDrops: 0 },
    responder: { connected: false, backend: '', desired: 0, enforced: 0 },
  };
  return {
    self: { name: 'server1', site: 'hq', connected: true, server: '10.0.0.11:4222', lastError: '' },
    scheduler: 'server1',
    members: [
      makeMember('server1', nowMs, server),
      makeMember('server2', nowMs, server),
      makeMember('box1', nowMs),
      makeMember('box2', nowMs, {
        responder: { connected: true, backend: 'nftables', desired: 412, enforced: 409 },
        decisions: { known: 412, refused: 2, waiting: 3, lagP95Ms: 340 },
      }),
      makeMember('box3', nowMs, { site: 'branch', version: '0.9.4', mode: 'observe' }),
      makeMember('box4', nowMs, {
        site: 'branch',
        alive: false,
        heardMs: nowMs - 240_000,
        spool: { waiting: 1840, bytes: 3_400_000, dropped: 0 },
      }),
    ],
  };
}
