import { join } from 'node:path';
import { loadMember, type Member } from './member.js';
import type { FleetOptions } from './options.js';
import { openReplica, type Replica } from './replica.js';

/** What a member knows by itself before it dials anybody: who it is, whom it believes, and the decisions that it had. */
export interface FleetMemory {
  member: Member;
  replica: Replica;
  /** Where the link keeps its files. */
  dir: string;
  /** A roster that came over the bus is kept here. */
  rosterFile: string;
}

/**
 * Reads it from the member's folder and its data. Every signature is checked again, by other threads.
 * @throws AppError fleet.folder, fleet.roster
 */
export async function openFleetMemory(options: FleetOptions, folder: string, dataDir: string): Promise<FleetMemory> {
  const dir = join(dataDir, 'fleet');
  const rosterFile = join(dir, 'roster.json');
  const member = loadMember(folder, options, rosterFile);
  return { member, replica: await openReplica(dir, member.trust.refuseAll, Date.now()), dir, rosterFile };
}
