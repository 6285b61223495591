import {
  fleetAddressesSchema,
  fleetPeerListSchema,
  fleetPolicySchema,
  fleetSettingsSchema,
  type FleetAddresses,
  type FleetPeerList,
  type FleetPolicy,
  type FleetSettings,
} from '../contract/fleet.js';
import { byServers, type EntryKind } from './signed-entry.js';

/** Allowlist and pause, one value for all. */
export const SETTINGS_KEY = 'settings';
export const SETTINGS: EntryKind<FleetSettings> = {
  purpose: 'portcullis settings 1',
  schema: fleetSettingsSchema,
  refuse: byServers,
};

const POLICY = 'policy.';
export const POLICY_KEYS = `${POLICY}*`;
export const policyKey = (name: string): string => `${POLICY}${name}`;
export const policyName = (key: string): string => key.slice(POLICY.length);
export const POLICIES: EntryKind<FleetPolicy> = {
  purpose: 'portcullis policy 1',
  schema: fleetPolicySchema,
  refuse: byServers,
};

const ADDRESSES_OF = 'address.';
export const ADDRESS_KEYS = `${ADDRESSES_OF}*`;
export const addressKey = (member: string): string => `${ADDRESSES_OF}${member}`;
export const addressMember = (key: string): string => key.slice(ADDRESSES_OF.length);
/** Each for itself: nobody makes another's address, or an attacker's, one that is never blocked. */
export const ADDRESSES: EntryKind<FleetAddresses> = {
  purpose: 'portcullis addresses 1',
  schema: fleetAddressesSchema,
  refuse: ({ name }, key) => (key === addressKey(name) ? undefined : `"${name}" may not speak for another`),
};

const PEERS_OF = 'peers.';
export const PEER_KEYS = `${PEERS_OF}*`;
export const peersKey = (server: string): string => `${PEERS_OF}${server}`;
export const peersServer = (key: string): string => key.slice(PEERS_OF.length);
/** Each server for itself: what one took over by an attacker has said ends when it is revoked. */
export const PEERS: EntryKind<FleetPeerList> = {
  purpose: 'portcullis peers 1',
  schema: fleetPeerListSchema,
  refuse: (signer, key) =>
    byServers(signer) ?? (key === peersKey(signer.name) ? undefined : `"${signer.name}" may not speak for another`),
};
