import { join } from 'node:path';
import type { FleetPeer, FleetPolicy, FleetSettings } from '../contract/fleet.js';
import type { Logger } from '../util/logger.js';
import type { FleetBus } from './bus.js';
import {
  ADDRESS_KEYS,
  addressKey,
  ADDRESSES,
  addressMember,
  PEER_KEYS,
  PEERS,
  peersKey,
  peersServer,
  POLICIES,
  POLICY_KEYS,
  policyKey,
  policyName,
  SETTINGS,
  SETTINGS_KEY,
} from './entries.js';
import { openEntryLink } from './entry-link.js';
import type { Member } from './member.js';

/** What people set at a server for the whole fleet: allowlist and pause. */
export interface SettingsLink {
  current(): FleetSettings | undefined;
  /** Servers: from now on this counts, on every member. */
  set(settings: Omit<FleetSettings, 'version'>): void;
}

/** Policies that people saved at a server, for the whole fleet. */
export interface PoliciesLink {
  /** By name; those that were taken back too, without a text. */
  current(): [string, FleetPolicy][];
  get(name: string): FleetPolicy | undefined;
  /** Servers: from now on this counts, on every member. */
  set(name: string, policy: Omit<FleetPolicy, 'version'>): void;
  /** True when the bus has told once what it holds: what it lacks, nobody has saved. */
  isListed(): boolean;
}

/** Addresses of members, which say them themselves. */
export interface AddressesLink {
  /** What this member has said last. */
  own(): string[];
  /** Those of the other members on the roster. */
  others(): { member: string; address: string }[];
  set(addresses: string[]): void;
}

/** Whom servers work with, and who is at their consoles. */
export interface PeersLink {
  /** What the other servers on the roster have said last. */
  others(): { server: string; peer: FleetPeer }[];
  /** Servers: from now on these are not blocked on any member. */
  set(peers: readonly FleetPeer[]): void;
}

export interface SharedDeps {
  member: Member;
  bus: FleetBus;
  dir: string;
  log: Logger;
  /** Another member has set them. */
  settings(settings: FleetSettings): void;
  policy(name: string, policy: FleetPolicy): void;
  /** What {@link AddressesLink.others} or {@link PeersLink.others} answers may have changed. */
  addresses(): void;
}

/** What is the same on every member: each has the newest in a file, and follows the bucket. */
export function openShared({ member, bus, dir, log, ...deps }: SharedDeps) {
  const common = { member, bus, log };
  const settings = openEntryLink({
    ...{ ...common, kind: SETTINGS, keys: SETTINGS_KEY, path: join(dir, 'settings.json') },
    changed: (_key, value) => deps.settings(value),
  });
  const policies = openEntryLink({
    ...{ ...common, kind: POLICIES, keys: POLICY_KEYS, path: join(dir, 'policies.json') },
    changed: (key, value) => deps.policy(policyName(key), value),
  });
  const addresses = openEntryLink({
    ...{ ...common, kind: ADDRESSES, keys: ADDRESS_KEYS, path: join(dir, 'addresses.json') },
    changed: () => deps.addresses(),
  });
  const peers = openEntryLink({
    ...{ ...common, kind: PEERS, keys: PEER_KEYS, path: join(dir, 'peers.json') },
    changed: () => deps.addresses(),
  });
  return {
    settings: {
      current: () => settings.get(SETTINGS_KEY),
      set: (value) => void settings.set(SETTINGS_KEY, value),
    } satisfies SettingsLink,
    policies: {
      current: () => policies.entries().map(([key, value]) => [policyName(key), value]),
      get: (name) => policies.get(policyKey(name)),
      set: (name, value) => void policies.set(policyKey(name), value),
      isListed: () => policies.isListed(),
    } satisfies PoliciesLink,
    addresses: {
      others() {
        const entries = addresses.entries().map(([key, value]) => [addressMember(key), value] as const);
        const there = entries.filter(([name]) => name !== member.name && member.trust.member(name) !== undefined);
        return there.flatMap(([name, value]) => value.addresses.map((address) => ({ member: name, address })));
      },
      own: () => addresses.get(addressKey(member.name))?.addresses ?? [],
      set(list) {
        const wanted = [...list].sort();
        if (addresses.get(addressKey(member.name))?.addresses.join() === wanted.join()) return;
        addresses.set(addressKey(member.name), { addresses: wanted });
      },
    } satisfies AddressesLink,
    peers: {
      others() {
        const entries = peers.entries().map(([key, value]) => [peersServer(key), value.entries] as const);
        const there = entries.filter(([name]) => name !== member.name && member.trust.member(name)?.role === 'server');
        return there.flatMap(([server, list]) => list.map((peer) => ({ server, peer })));
      },
      set(list) {
        const known = peers.get(peersKey(member.name))?.entries ?? [];
        if (JSON.stringify(known) !== JSON.stringify(list)) peers.set(peersKey(member.name), { entries: [...list] });
      },
    } satisfies PeersLink,
    /** The roster changed: what was refused may count now, and a member that left is not spared any longer. */
    again() {
      for (const link of [settings, policies, addresses, peers]) link.again();
      deps.addresses();
    },
  };
}
