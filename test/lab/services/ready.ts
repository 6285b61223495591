import type { Host } from '../lab.js';
import type { LabProcess } from '../process.js';
import { waitFor } from '../wait.js';

/** Resolves when something listens on the port of the host; fails with the service's output when it ends instead. */
export async function listening(
  host: Host,
  service: LabProcess,
  port: number,
  kind: 'tcp' | 'udp' = 'tcp',
): Promise<void> {
  const args = [kind === 'tcp' ? '-Htln' : '-Huln', `sport = :${port}`];
  await waitFor(`${service.command} listens on ${kind} ${port}`, async () => {
    if (!service.running) throw new Error(`${service.command} ended:\n${service.output}`);
    return (await host.run('ss', args)).stdout !== '';
  });
}
