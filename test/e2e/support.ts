import type { Box } from '../lab/box/box.js';
import { kernelElement } from '../lab/box/kernel.js';
import type { LabProcess } from '../lab/process.js';
import { waitFor } from '../lab/wait.js';

/** The shipped scan policy with a first step short enough to watch it end. */
export function scanPolicy(firstStep: string): Record<string, string> {
  const text = `
format: 1
name: scan
description: Scanners are blocked, shortly at first.
when:
  labels: [port_scan, host_sweep]
  min_confidence: 0.5
respond:
  ladder:
    - { action: block, scope: ip, duration: ${firstStep} }
    - { action: block, scope: ip, duration: 10m }
  when_spoofable: rate_limit
`;
  return { 'scan.yaml': text };
}

/** Waits until the kernel holds a block of the address; says what the box thinks of it when it does not. */
export async function untilBlocked(box: Box, address: string, limitMs = 60_000): Promise<string> {
  const set = address.includes(':') ? 'block6_128' : 'block4_32';
  const element = () => kernelElement(box.lab.hosts.router, set, address);
  try {
    return await waitFor(`${address} is blocked`, element, { limitMs });
  } catch (error) {
    const { text } = await box.api.get<{ text: string[] }>(`/explain?address=${encodeURIComponent(address)}`);
    throw new Error(`${(error as Error).message}\n${text.join('\n')}`, { cause: error });
  }
}

/**
 * A connect scan by an address that has shown before that it is its own. Without that, a scan that is noticed before its
 * first completed handshake is only slowed down: its source could be forged.
 */
export async function startConnectScan(box: Box, source: string, ports = '1-500'): Promise<LabProcess> {
  const { attacker, victim } = box.lab.hosts;
  await attacker.run('curl', ['-s', '-o', '/dev/null', '-m', '30', '--interface', source, `http://${victim.ip4}/`]);
  const args = ['-sT', '-S', source, '-e', 'eth0', '-n', '-Pn', '-T4', '-p', ports, victim.ip4];
  return attacker.start('nmap', args, { limitSecs: 120 });
}
