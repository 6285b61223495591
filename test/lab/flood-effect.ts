/**
 * What a flood of so many packets a second does to the service beside it: web requests of one client while hping3 sends.
 *
 *   npx tsx test/lab/flood-effect.ts          (root; half a minute)
 *
 * docs/detection.md says with these figures from which rate on a stream of packets is a flood.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLab, type Lab } from './lab.js';

const RATES_PPS = [0, 200, 2000, 10_000];
const SECONDS = 3;
const KINDS = { udp: ['--udp', '-p', '53', '-d', '400'], icmp: ['--icmp', '-d', '64'] } as const;

/** Milliseconds a request took, by percent of the requests: 50 and 95. */
async function requestTimes(lab: Lab): Promise<[p50: number, p95: number, failed: string]> {
  const csv = join(lab.dir, 'ab.csv');
  const url = `http://${lab.hosts.victim.ip4}/index.html`;
  const { stdout } = await lab.hosts.client.run('ab', ['-q', '-t', String(SECONDS), '-n', '4000', '-e', csv, url]);
  const lines = readFileSync(csv, 'utf8').split('\n');
  const at = (percent: number): number => Number(lines.find((l) => l.startsWith(`${percent},`))?.split(',')[1]);
  return [at(50), at(95), /Failed requests:\s+(\d+)/.exec(stdout)?.[1] ?? '?'];
}

const lab = await openLab({ services: ['web', 'dns'] });
try {
  await requestTimes(lab);
  for (const [kind, flags] of Object.entries(KINDS)) {
    for (const rate of RATES_PPS) {
      const pace = ['-q', '-c', String(rate * (SECONDS + 1)), '-i', `u${Math.round(1e6 / rate)}`];
      const flood =
        rate === 0 ? undefined : lab.hosts.attacker.start('hping3', [...pace, ...flags, lab.hosts.victim.ip4]);
      const [p50, p95, failed] = await requestTimes(lab);
      await flood?.stop();
      console.log(`${kind} ${rate} packets/s: a page in ${p50} ms (p50), ${p95} ms (p95), ${failed} failed`);
    }
  }
} finally {
  await lab.close();
}
