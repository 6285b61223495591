export { openFleetLink, type FleetLink, type FleetLinkDeps, type FleetLinkStatus } from './link.js';
export { loadTrust, readMemberFile, writeRoster } from './member.js';
export { fleetOptionsSchema, type FleetOptions } from './options.js';
export type { RegistryMember } from './registry.js';
export type { ProvenDecision } from './seal.js';
export type { FleetServerSide } from './server-side.js';
export { initFleet, openAuthority, type Authority, type FleetFile, type InitInput } from './setup/authority.js';
export type { Trust } from './trust.js';
export type { Work } from './work-intake.js';
