import type { FleetPolicy, FleetRole, FleetSettings, Heartbeat } from '../contract/fleet.js';
import type { SignedRoster } from '../contract/ipc.js';
import type { Decision } from '../domain/decision.js';
import type { Logger } from '../util/logger.js';
import type { FleetMemory } from './memory.js';
import type { ProvenDecision } from './seal.js';
import type { FleetServerDeps, FleetServerSide } from './server-side.js';
import type { AddressesLink, PeersLink, PoliciesLink, SettingsLink } from './shared.js';
import type { WorkLink } from './work-link.js';

export type Health = Pick<Heartbeat, 'mode' | 'sensor' | 'responder' | 'stats' | 'policies'>;

export interface FleetLinkDeps {
  memory: FleetMemory;
  version: string;
  log: Logger;
  /** For the heartbeat. */
  health(): Health;
  /** True when a responder of this box reports what becomes of a decision. */
  hasResponder(): boolean;
  /** A decision of another member, new or changed. */
  adopt(decision: ProvenDecision): void;
  /** A decision was lifted elsewhere. */
  lift(id: string, actor: string, reason: string, forgive: boolean): void;
  /** Somebody said what may not count. */
  forged(signer: string, why: string, id: string): void;
  /** A newer roster, for the responder. */
  roster(roster: SignedRoster): void;
  /** Allowlist and pause were set elsewhere. */
  settings(settings: FleetSettings): void;
  /** A policy was saved, or taken back, at another server. */
  policy(name: string, policy: FleetPolicy): void;
  /** The addresses of other members, or the peers of servers, are not what they were. */
  addresses(): void;
  /** What a server of the fleet does besides; absent on boxes. */
  server?: FleetServerDeps;
}

/** A member's whole connection to its fleet, as the server daemon uses it. */
export interface FleetLink extends Omit<WorkLink, 'spooled' | 'close'> {
  readonly name: string;
  readonly site: string;
  readonly role: FleetRole;
  readonly roster: SignedRoster | undefined;
  /** NATS servers, host:port. */
  readonly servers: readonly string[];
  /** Signs a decision of this member on its way to the responder; those of others keep their proof. */
  seal(decision: Decision): void;
  /** A decision changed: if it is ours and in force, the fleet hears of it. */
  decided(decision: Decision): void;
  released(decision: Decision, actor: string, reason: string, forgive: boolean): void;
  /** True when this member stores what becomes of the decision: the server that made it, else the one that owns its source. */
  records(decision: Decision): boolean;
  /** In force as this member knows it, decisions of others included. */
  inForce(nowMs: number): ProvenDecision[];
  /** Allowlist and pause as the fleet has them. */
  readonly settings: SettingsLink;
  readonly policies: PoliciesLink;
  readonly addresses: AddressesLink;
  readonly peers: PeersLink;
  /** Call once a second. */
  tick(nowMs: number): void;
  status(): FleetLinkStatus;
  readonly serverSide: FleetServerSide | undefined;
  close(): Promise<void>;
}

export interface FleetLinkStatus {
  connected: boolean;
  server: string;
  lastError: string;
  beat: Heartbeat;
}
