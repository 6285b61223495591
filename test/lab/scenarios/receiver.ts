import { nodeArgs } from '../../support/program.js';
import type { Lab } from '../lab.js';
import type { LabProcess } from '../process.js';

/** Starts the attacker's server that takes whatever comes. */
export async function startReceiver(lab: Lab): Promise<LabProcess> {
  const receiver = lab.hosts.attacker.start(process.execPath, nodeArgs('test/lab/traffic/receiver.ts'));
  await receiver.waitForOutput(/receiver: ready/);
  return receiver;
}
