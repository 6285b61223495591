import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { openOwnMariaDb } from '../../../src/cli/bench/mariadb.js';

export { mariaDbMissing } from '../../../src/cli/bench/mariadb.js';

export interface MariaDb {
  socketPath: string;
  /** Kills the server as a crash would. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** @returns the rows, if it has any. */
  query(sql: string): Promise<unknown>;
  close(): Promise<void>;
}

/** A small MariaDB server of our own in a temporary directory. */
export async function openMariaDb(): Promise<MariaDb> {
  const dir = mkdtempSync(join(tmpdir(), 'mariadb-'));
  const { socketPath, start, stop } = await openOwnMariaDb(dir, { bufferPoolMib: 64, logMib: 16 });
  return {
    socketPath,
    start,
    kill: () => stop('SIGKILL'),
    async query(sql) {
      const connection = await createConnection({ socketPath, user: 'root' });
      const [rows] = await connection.query(sql).finally(() => connection.end());
      return rows;
    },
    async close() {
      await stop('SIGTERM');
      rmSync(dir, { recursive: true });
    },
  };
}
