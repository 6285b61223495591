import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';

const SERVER = '/usr/sbin/mariadbd';
const INSTALL = '/usr/bin/mariadb-install-db';
const START_MS = 60_000;

export interface OwnMariaDb {
  socketPath: string;
  /** CPU time that the server has used since its last start, milliseconds. */
  cpuMs(): number;
  /** Starts it again after `stop`. */
  start(): Promise<void>;
  /** @param signal SIGKILL: as a crash would. */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** Why MariaDB cannot run here, or undefined. */
export function mariaDbMissing(): string | undefined {
  return existsSync(SERVER) && existsSync(INSTALL) ? undefined : 'mariadb-server is not installed';
}

/**
 * A MariaDB server of our own in a folder, on a socket, without TCP and without passwords. An existing folder is used as it is.
 * @throws {Error} with what the program said, when the database cannot be made.
 */
export async function openOwnMariaDb(
  dir: string,
  { bufferPoolMib, logMib }: { bufferPoolMib: number; logMib: number },
): Promise<OwnMariaDb> {
  const data = join(dir, 'data');
  // A server that starts deletes the temporary tables that it finds, also those of another one.
  const scratch = join(dir, 'tmp');
  const socketPath = join(dir, 's.sock');
  const common = ['--no-defaults', `--datadir=${data}`, `--tmpdir=${scratch}`, `--user=${userInfo().username}`];
  mkdirSync(scratch, { recursive: true });
  if (!existsSync(data)) {
    const options = ['--auth-root-authentication-method=normal', '--skip-test-db'];
    execFileSync(INSTALL, [...common, ...options], { stdio: 'pipe' });
  }
  let server: ChildProcess | undefined;
  const isRunning = (): boolean => server?.exitCode === null && server.signalCode === null;
  const start = async (): Promise<void> => {
    const files = ['--skip-networking', `--socket=${socketPath}`, `--pid-file=${join(dir, 'pid')}`];
    const limits = [`--innodb-buffer-pool-size=${bufferPoolMib}M`, `--innodb-log-file-size=${logMib}M`];
    const options = [...common, ...files, ...limits, '--innodb-flush-log-at-trx-commit=2'];
    server = spawn(SERVER, options, { stdio: 'ignore' });
    const end = Date.now() + START_MS;
    while (!(await answers(socketPath))) {
      if (Date.now() > end || !isRunning()) throw new Error('mariadbd did not start');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  await start();
  return {
    socketPath,
    start,
    async stop(signal) {
      if (!isRunning()) return;
      server!.kill(signal);
      await once(server!, 'exit');
    },
    cpuMs() {
      // Fields 14 and 15 of proc(5), in ticks of 10 ms; the name in field 2 may hold blanks.
      const stat = readFileSync(`/proc/${server!.pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
  };
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
