import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StartService } from './index.js';
import { listening } from './ready.js';
import { addUsers } from './users.js';

/** OpenSSH with password logins for the lab's accounts. */
export const startSshd: StartService = async (host, dir) => {
  addUsers(host, dir);
  mkdirSync('/run/sshd', { recursive: true });
  const key = join(dir, 'ssh_host_ed25519_key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const config = join(dir, 'sshd_config');
  const lines = [
    'Port 22',
    `HostKey ${key}`,
    'PidFile none',
    'UsePAM no',
    'PasswordAuthentication yes',
    'KbdInteractiveAuthentication no',
    'StrictModes no',
    'UseDNS no',
    // Guessing tools open many sessions at once; the server must not be what stops them.
    'MaxStartups 200',
    'Subsystem sftp internal-sftp',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const sshd = host.start('/usr/sbin/sshd', ['-D', '-e', '-f', config], { logFile: join(dir, 'sshd.log') });
  await listening(host, sshd, 22);
  return [sshd];
};
