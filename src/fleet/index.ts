export type { FleetLink, FleetLinkDeps, FleetLinkStatus } from './fleet-link.js';
export { openFleetMemory, type FleetMemory } from './memory.js';
export { loadTrust, readMemberFile, writeRoster } from './member.js';
export { fleetOptionsSchema, type FleetOptions } from './options.js';
export type { RegistryMember } from './registry.js';
export type { ProvenDecision } from './seal.js';
export type { FleetServerSide } from './server-side.js';
export type { PoliciesLink } from './shared.js';
export { initFleet, openAuthority, type Authority, type FleetFile, type InitInput } from './setup/authority.js';
export type { Trust } from './trust.js';
export type { Work } from './work-intake.js';

/** What speaks with NATS: loaded by members only. */
export const loadFleetLink = () => import('./link.js');
