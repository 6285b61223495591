import { EntitySchema } from 'typeorm';
import { columns, type StoreKind } from '../columns.js';

export interface UserRow {
  name: string;
  role: string;
  disabled: boolean;
  mustChangePassword: boolean;
  passwordHash: string;
  /** Sealed secret in force, or empty. */
  totpSecret: string;
  /** Sealed secret that waits for its first code, or empty. */
  totpPending: string;
  /** Last accepted 30-second step: a code works once. */
  totpLastStep: number;
  /** JSON list of hashes. */
  recoveryHashes: string;
  createdMs: number;
  /** 0 = never. */
  lastLoginMs: number;
  failedLogins: number;
  lockedUntilMs: number;
  /** Raised to make every access token of the user invalid. */
  epoch: number;
}

export const userEntity = (kind: StoreKind): EntitySchema<UserRow> =>
  new EntitySchema<UserRow>({
    name: 'user',
    tableName: 'users',
    columns: {
      name: { ...columns.text(32), primary: true },
      role: columns.text(16),
      disabled: columns.flag,
      mustChangePassword: columns.flag,
      passwordHash: columns.text(255),
      totpSecret: columns.text(255),
      totpPending: columns.text(255),
      totpLastStep: columns.big,
      recoveryHashes: columns.json(kind),
      createdMs: columns.big,
      lastLoginMs: columns.big,
      failedLogins: columns.int,
      lockedUntilMs: columns.big,
      epoch: columns.int,
    },
  });

/** One login: a family of refresh tokens of which only the newest is good. */
export interface SessionRow {
  id: string;
  user: string;
  refreshHash: string;
  previousHash: string;
  rotatedMs: number;
  address: string;
  userAgent: string;
  createdMs: number;
  lastUsedMs: number;
  expiresMs: number;
  /** 0 = not revoked. */
  revokedMs: number;
}

export const sessionEntity = (): EntitySchema<SessionRow> =>
  new EntitySchema<SessionRow>({
    name: 'session',
    tableName: 'sessions',
    columns: {
      id: columns.id,
      user: columns.text(32),
      refreshHash: columns.text(64),
      previousHash: columns.text(64),
      rotatedMs: columns.big,
      address: columns.text(45),
      userAgent: columns.text(255),
      createdMs: columns.big,
      lastUsedMs: columns.big,
      expiresMs: columns.big,
      revokedMs: columns.big,
    },
    indices: [
      { name: 'sessions_user', columns: ['user', 'lastUsedMs', 'id'] },
      { name: 'sessions_time', columns: ['lastUsedMs', 'id'] },
      { name: 'sessions_expiry', columns: ['expiresMs'] },
    ],
  });

export interface TokenRow {
  id: string;
  name: string;
  role: string;
  /** What it is good for: all, respond, remediation. */
  scope: string;
  owner: string;
  hash: string;
  createdMs: number;
  expiresMs: number;
  /** 0 = never. */
  lastUsedMs: number;
}

export const tokenEntity = (): EntitySchema<TokenRow> =>
  new EntitySchema<TokenRow>({
    name: 'token',
    tableName: 'tokens',
    columns: {
      id: columns.id,
      name: columns.text(64),
      role: columns.text(16),
      scope: columns.text(16),
      owner: columns.text(32),
      hash: columns.text(64),
      createdMs: columns.big,
      expiresMs: columns.big,
      lastUsedMs: columns.big,
    },
    indices: [
      { name: 'tokens_hash', columns: ['hash'], unique: true },
      { name: 'tokens_time', columns: ['createdMs', 'id'] },
    ],
  });

export interface AuditRow {
  seq: number;
  atMs: number;
  actor: string;
  address: string;
  action: string;
  object: string;
  outcome: string;
  reason: string;
  before: string;
  after: string;
  previousHash: string;
  hash: string;
}

export const auditEntity = (kind: StoreKind): EntitySchema<AuditRow> =>
  new EntitySchema<AuditRow>({
    name: 'audit',
    tableName: 'audit',
    columns: {
      seq: { ...columns.big, primary: true },
      atMs: columns.big,
      actor: columns.text(64),
      address: columns.text(45),
      action: columns.text(64),
      object: columns.text(255),
      outcome: columns.text(16),
      reason: columns.text(1000),
      before: columns.json(kind),
      after: columns.json(kind),
      previousHash: columns.text(64),
      hash: columns.text(64),
    },
  });
