import { z } from 'zod';
import { msSchema } from './common.js';
import { defineOperations } from './operation.js';

export const backupSchema = z.object({
  /** File name. */
  name: z.string(),
  bytes: z.number(),
  createdMs: msSchema,
});
export type Backup = z.infer<typeof backupSchema>;

export const backupsSchema = z.object({
  /** Newest first. */
  items: z.array(backupSchema),
  nextCursor: z.null(),
  /** Since when one is being made; null: none is. */
  runningSinceMs: msSchema.nullable(),
  /** Why the last one could not be made since the server started; null: it could. */
  lastError: z.string().nullable(),
});
export type Backups = z.infer<typeof backupsSchema>;

export const backupCheckSchema = z.object({
  /** Whether it is whole and fits this version and database. */
  ok: z.boolean(),
  /** What it holds, or what is wrong with it. */
  text: z.string(),
  /** What to type on the box to put it back. */
  restore: z.array(z.string()),
});
export type BackupCheck = z.infer<typeof backupCheckSchema>;

export const backupRequestSchema = z.strictObject({
  /** Uploaded captures and packets around alerts too. */
  captures: z.boolean().default(false),
});
export const BACKUP_NAME = /^portcullis-[A-Za-z0-9_-]{1,90}\.tar\.gz$/;
const paramsSchema = z.strictObject({ name: z.string().regex(BACKUP_NAME) });

/** Backups hold every secret of the box: for admins who are logged in, never for tokens. */
export const backupOperations = defineOperations({
  listBackups: {
    method: 'get',
    path: '/backups',
    summary: 'Backups that lie on this box, and whether one is being made',
    access: 'admin',
    rate: 'read',
    personOnly: true,
    status: 200,
    response: backupsSchema,
  },
  addBackup: {
    method: 'post',
    path: '/backups',
    summary: 'Make a backup of configuration, database, policies, rules, models, keys and spools while the server runs',
    access: 'admin',
    rate: 'heavy',
    personOnly: true,
    body: backupRequestSchema,
    status: 201,
    response: backupsSchema,
  },
  downloadBackup: {
    method: 'get',
    path: '/backups/:name',
    summary: 'A backup as a file; it holds secrets',
    access: 'admin',
    rate: 'heavy',
    personOnly: true,
    params: paramsSchema,
    status: 200,
    download: ['application/gzip'],
  },
  checkBackup: {
    method: 'post',
    path: '/backups/:name/check',
    summary: 'Whether a backup is whole and could be restored here, and how; nothing changes',
    access: 'admin',
    rate: 'heavy',
    personOnly: true,
    params: paramsSchema,
    status: 200,
    response: backupCheckSchema,
  },
  removeBackup: {
    method: 'delete',
    path: '/backups/:name',
    summary: 'Remove a backup from this box',
    access: 'admin',
    rate: 'write',
    personOnly: true,
    params: paramsSchema,
    status: 204,
  },
});
