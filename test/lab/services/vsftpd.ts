import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StartService } from './index.js';
import { listening } from './ready.js';
import { addUsers } from './users.js';

/** vsftpd with local logins for the lab's accounts, over IPv4 and IPv6. */
export const startVsftpd: StartService = async (host, dir) => {
  addUsers(host, dir);
  const empty = join(dir, 'vsftpd-empty');
  mkdirSync(empty, { mode: 0o755 });
  const options = {
    listen: 'NO',
    listen_ipv6: 'YES',
    background: 'NO',
    anonymous_enable: 'NO',
    local_enable: 'YES',
    write_enable: 'YES',
    pam_service_name: 'vsftpd',
    secure_chroot_dir: empty,
    // As Debian ships it, three failures end a session; a failed login answers at once instead of after a second.
    delay_failed_login: '0',
    max_login_fails: '3',
    xferlog_enable: 'NO',
    seccomp_sandbox: 'NO',
  };
  const config = join(dir, 'vsftpd.conf');
  const text = Object.entries(options).map(([key, value]) => `${key}=${value}`);
  writeFileSync(config, `${text.join('\n')}\n`);
  const vsftpd = host.start('/usr/sbin/vsftpd', [config], { logFile: join(dir, 'vsftpd.log') });
  await listening(host, vsftpd, 21);
  return [vsftpd];
};
