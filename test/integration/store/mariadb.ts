import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';

export interface MariaDb {
  socketPath: string;
  /** Kills the server as a crash would. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** @returns the rows, if it has any. */
  query(sql: string): Promise<unknown>;
  close(): Promise<void>;
}

const SERVER = '/usr/sbin/mariadbd';
const INSTALL = '/usr/bin/mariadb-install-db';

/** Why MariaDB cannot run here, or undefined. */
export function mariaDbMissing(): string | undefined {
  return existsSync(SERVER) && existsSync(INSTALL) ? undefined : 'mariadb-server is not installed';
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socketPath);
    probe.once('data', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => {
      resolve(false);
    });
  });
}

/** A MariaDB server of our own on a socket in a temporary directory, without TCP and without passwords. */
export async function openMariaDb(): Promise<MariaDb> {
  const dir = mkdtempSync(join(tmpdir(), 'mariadb-'));
  const socketPath = join(dir, 's.sock');
  const { username } = userInfo();
  const common = ['--no-defaults', `--datadir=${join(dir, 'data')}`, `--user=${username}`];
  execFileSync(INSTALL, [...common, '--auth-root-authentication-method=normal', '--skip-test-db'], { stdio: 'ignore' });
  let server: ReturnType<typeof spawn> | undefined;

  async function start(): Promise<void> {
    const options = ['--skip-networking', `--socket=${socketPath}`, `--pid-file=${join(dir, 'pid')}`];
    const small = ['--innodb-buffer-pool-size=64M', '--innodb-log-file-size=16M', '--innodb-flush-log-at-trx-commit=2'];
    server = spawn(SERVER, [...common, ...options, ...small], { stdio: 'ignore' });
    const end = Date.now() + 60_000;
    while (!(await answers(socketPath))) {
      if (Date.now() > end || server.exitCode !== null) throw new Error('mariadbd did not start');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async function stop(signal: NodeJS.Signals): Promise<void> {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    server.kill(signal);
    await once(server, 'exit');
  }

  await start();
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
