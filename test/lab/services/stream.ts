import { nodeArgs } from '../../support/program.js';
import type { StartService } from './index.js';

/** UDP servers on ports 443 and 3478 that answer each packet. */
export const startStream: StartService = async (host) => {
  const server = host.start(process.execPath, nodeArgs('test/lab/services/udp-servers.ts'));
  await server.waitForOutput(/udp-servers: ready/);
  return [server];
};
