import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { memberFileSchema, type MemberFile } from '../contract/fleet.js';
import { signedRosterSchema, type SignedRoster } from '../contract/ipc.js';
import { AppError } from '../util/errors.js';
import type { FleetOptions } from './options.js';
import { createSealer, type Sealer } from './seal.js';
import { createTrust, type Trust } from './trust.js';

/** Files of a member's folder. */
export const MEMBER_FILES = {
  member: 'member.json',
  roster: 'roster.json',
  authority: 'ca.pem',
  cert: 'tls.pem',
  key: 'tls.key',
  signing: 'sign.key',
} as const;

/** A member with its secrets, for the server daemon. */
export interface Member extends MemberFile {
  sealer: Sealer;
  trust: Trust;
  tls: { ca: string; cert: string; key: string };
}

function read(folder: string, name: string): string {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch (error) {
    throw new AppError({
      kind: 'user',
      code: 'fleet.folder',
      message: `The fleet folder ${folder} lacks ${name}, or it cannot be read.`,
      fix: 'Copy the whole folder that `portcullis fleet join` made, and give its files to the portcullis user.',
      cause: error,
    });
  }
}

function badFile(folder: string, name: string, cause?: unknown): AppError {
  return new AppError({
    kind: 'user',
    code: 'fleet.folder',
    message: `${join(folder, name)} is not what \`portcullis fleet join\` writes.`,
    fix: 'Make the folder again with `portcullis fleet join`.',
    cause,
  });
}

/** What a member is. @throws AppError fleet.folder */
export function readMemberFile(folder: string): MemberFile {
  try {
    return memberFileSchema.parse(JSON.parse(read(folder, MEMBER_FILES.member)));
  } catch (error) {
    throw error instanceof AppError ? error : badFile(folder, MEMBER_FILES.member, error);
  }
}

/** @returns the roster of a file, or undefined. */
export function readRoster(path: string): SignedRoster | undefined {
  try {
    return signedRosterSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

export function writeRoster(path: string, roster: SignedRoster): void {
  writeFileSync(path, `${JSON.stringify(roster)}\n`, { mode: 0o644 });
}

/**
 * Whom to believe, without secrets: what the responder needs.
 * @param newer where a later roster is kept that came over the bus.
 * @throws AppError fleet.folder, fleet.roster
 */
export function loadTrust(folder: string, accept: FleetOptions['accept'], newer: string): Trust {
  const member = readMemberFile(folder);
  const trust = createTrust({ ...member, self: member, accept });
  const roster = readRoster(join(folder, MEMBER_FILES.roster));
  const refused = roster ? trust.offer(roster) : 'it is missing or damaged';
  if (refused !== undefined) {
    throw new AppError({
      kind: 'user',
      code: 'fleet.roster',
      message: `The roster in ${folder} does not count: ${refused}.`,
      fix: 'Copy the folder again that `portcullis fleet join` made.',
    });
  }
  const later = readRoster(newer);
  if (later) trust.offer(later);
  return trust;
}

function signingKey(folder: string): KeyObject {
  try {
    return createPrivateKey(read(folder, MEMBER_FILES.signing));
  } catch (error) {
    throw error instanceof AppError ? error : badFile(folder, MEMBER_FILES.signing, error);
  }
}

/** @throws AppError fleet.folder, fleet.roster */
export function loadMember(folder: string, options: FleetOptions, newerRoster: string): Member {
  const file = readMemberFile(folder);
  return {
    ...file,
    servers: options.servers.length > 0 ? options.servers : file.servers,
    trust: loadTrust(folder, options.accept, newerRoster),
    sealer: createSealer(file.fleet, file.name, signingKey(folder)),
    tls: {
      ca: read(folder, MEMBER_FILES.authority),
      cert: read(folder, MEMBER_FILES.cert),
      key: read(folder, MEMBER_FILES.key),
    },
  };
}
