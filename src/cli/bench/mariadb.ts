import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';

const SERVER = '/usr/sbin/mariadbd';
const INSTALL = '/usr/bin/mariadb-install-db';
const START_MS = 60_000;

export interface OwnMariaDb {
  socketPath: string;
  /** CPU time that the server has used, milliseconds. */
  cpuMs(): number;
  close(): Promise<void>;
}

/** A MariaDB server of our own in a folder; undefined when it is not installed. An existing folder is used as it is. */
export async function openOwnMariaDb(dir: string, bufferPoolMib: number): Promise<OwnMariaDb | undefined> {
  if (!existsSync(SERVER) || !existsSync(INSTALL)) return undefined;
  const data = join(dir, 'data');
  const socketPath = join(dir, 's.sock');
  const common = ['--no-defaults', `--datadir=${data}`, `--user=${userInfo().username}`];
  if (!existsSync(data)) {
    execFileSync(INSTALL, [...common, '--auth-root-authentication-method=normal', '--skip-test-db'], {
      stdio: 'ignore',
    });
  }
  const limits = [`--innodb-buffer-pool-size=${bufferPoolMib}M`, '--innodb-log-file-size=256M'];
  const server = spawn(
    SERVER,
    [
      ...common,
      '--skip-networking',
      `--socket=${socketPath}`,
      `--pid-file=${join(dir, 'pid')}`,
      '--innodb-flush-log-at-trx-commit=2',
      ...limits,
    ],
    { stdio: 'ignore' },
  );
  const end = Date.now() + START_MS;
  while (!(await answers(socketPath))) {
    if (Date.now() > end || server.exitCode !== null) throw new Error('mariadbd did not start');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    socketPath,
    cpuMs() {
      // Fields 14 and 15 of proc(5), in ticks of 10 ms; the name in field 2 may hold blanks.
      const stat = readFileSync(`/proc/${server.pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
    async close() {
      if (server.exitCode !== null) return;
      server.kill('SIGTERM');
      await once(server, 'exit');
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
