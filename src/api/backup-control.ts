import type { BackupCheck, Backups, FileAnswer } from '../contract/http.js';

/** Backups that the daemon keeps. Unknown names throw `backup.not_found`. */
export interface BackupControl {
  list(): Promise<Backups>;
  /** Begins one; it goes on after the answer. @throws AppError backup.busy, backup.too_many */
  start(captures: boolean): Promise<Backups>;
  /** Reads all of it: minutes for a large one. @throws AppError backup.busy */
  check(name: string): Promise<BackupCheck>;
  file(name: string): Promise<FileAnswer>;
  remove(name: string): Promise<void>;
}
