import { fileURLToPath } from 'node:url';
import type { StartService } from './index.js';

/** SMTP, POP3, IMAP and Telnet logins: the plain replies that guessing tools and detectors read. */
export const startMailServers: StartService = async (host) => {
  const script = fileURLToPath(new URL('./login-servers.ts', import.meta.url));
  const servers = host.start(process.execPath, ['--import', 'tsx', script]);
  await servers.waitForOutput(/login-servers: ready/);
  return [servers];
};
