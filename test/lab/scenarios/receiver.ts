import type { Lab } from '../lab.js';
import type { LabProcess } from '../process.js';

/** Starts the attacker's server that takes whatever comes. */
export async function startReceiver(lab: Lab): Promise<LabProcess> {
  const script = new URL('../traffic/receiver.ts', import.meta.url).pathname;
  const receiver = lab.hosts.attacker.start(process.execPath, ['--import', 'tsx', script]);
  await receiver.waitForOutput(/receiver: ready/);
  return receiver;
}
