import { fileURLToPath } from 'node:url';
import type { StartService } from './index.js';

/** UDP servers on ports 443 and 3478 that answer each packet. */
export const startStream: StartService = async (host) => {
  const script = fileURLToPath(new URL('./udp-servers.ts', import.meta.url));
  const server = host.start(process.execPath, ['--import', 'tsx', script]);
  await server.waitForOutput(/udp-servers: ready/);
  return [server];
};
