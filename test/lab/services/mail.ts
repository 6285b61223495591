import { nodeArgs } from '../../support/program.js';
import type { StartService } from './index.js';

/** SMTP, POP3, IMAP and Telnet logins: the plain replies that guessing tools and detectors read. */
export const startMailServers: StartService = async (host) => {
  const servers = host.start(process.execPath, nodeArgs('test/lab/services/login-servers.ts'));
  await servers.waitForOutput(/login-servers: ready/);
  return [servers];
};
