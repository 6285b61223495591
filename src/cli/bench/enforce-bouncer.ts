import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '../../util/errors.js';
import type { BenchFigure } from './section.js';
import { median } from './section.js';
import { listAddress } from './tasks/remediation.js';
import { startWorker } from './worker-process.js';

const PROGRAM = 'crowdsec-firewall-bouncer';
const PORT = 8081;
const LIST = 20_000;
const SINGLES = 3;
/** `update_frequency` of the package. */
const INTERVAL_MS = 10_000;
const LIMIT_MS = 60_000;
/** Addresses of the list that are looked for: when they are all there, the list is. */
const SAMPLES = 40;

/**
 * Debian's crowdsec-firewall-bouncer itself, in the namespace, with its shipped settings (it asks every 10 s), fed by our
 * own `/v1/decisions`: how soon a list, and single decisions, are in the kernel.
 */
export async function bouncerItself(
  netns: string,
  dir: string,
  skip: (reason: string) => void,
): Promise<BenchFigure[]> {
  try {
    execFileSync('sh', ['-c', `command -v ${PROGRAM}`], { stdio: 'pipe' });
  } catch {
    skip(`${PROGRAM}: not installed (Debian package of the same name)`);
    return [];
  }
  execFileSync('ip', ['-n', netns, 'link', 'set', 'lo', 'up'], { stdio: 'pipe' });
  const local = startWorker('remediation', { port: PORT, count: LIST }, netns);
  await local.next();
  const config = join(dir, 'bouncer.yaml');
  writeFileSync(config, settings(dir));
  const bouncer = spawn('ip', ['netns', 'exec', netns, PROGRAM, '-c', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [bouncer.stdout, bouncer.stderr]) {
    stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-2000)));
  }
  try {
    const { servedMs } = (await local.next()) as { servedMs: number };
    const samples = Array.from({ length: SAMPLES }, (_, i) => listAddress(Math.floor(((i + 1) * LIST) / SAMPLES) - 1));
    const listMs = (await waitForElements(netns, samples)) - servedMs;
    const singleMs: number[] = [];
    for (let i = 0; i < SINGLES; i++) {
      const value = `198.19.0.${i + 1}`;
      // It has just asked: decisions come early, in the middle and late in its interval.
      await sleep((INTERVAL_MS * (2 * i + 1)) / (2 * SINGLES));
      const { decidedMs } = (await local.ask(value)) as { decidedMs: number };
      singleMs.push((await waitForElements(netns, [value])) - decidedMs);
    }
    return [
      {
        name: 'enforce_peer_bouncer_list',
        value: Math.round(listMs),
        unit: 'ms',
        text: `${LIST} addresses, from the answer of our /v1/decisions/stream until ${PROGRAM} has them in the kernel`,
      },
      {
        name: 'enforce_peer_bouncer_single',
        value: Math.round(median(singleMs)),
        unit: 'ms',
        text: `one decision until ${PROGRAM} has it in the kernel, asking every 10 s as shipped, median of ${SINGLES}`,
      },
    ];
  } catch (error) {
    skip(`${PROGRAM}: ${errorMessage(error)} ${output.split('\n').slice(-3).join(' ')}`);
    return [];
  } finally {
    bouncer.kill('SIGTERM');
    local.stop();
  }
}

/** As the package ships it, but logging to standard output and without IPv6 and metrics. */
function settings(dir: string): string {
  return `mode: nftables
pid_dir: ${dir}
update_frequency: ${INTERVAL_MS / 1000}s
daemonize: false
log_mode: stdout
log_level: info
api_url: http://127.0.0.1:${PORT}/
api_key: bench
disable_ipv6: true
deny_action: DROP
supported_decisions_types: [ban]
nftables:
  ipv4: { enabled: true, set-only: false, table: crowdsec, chain: crowdsec-chain }
  ipv6: { enabled: false }
prometheus: { enabled: false }
`;
}

/** @returns when all of them were found in the bouncer's set, epoch milliseconds. */
async function waitForElements(netns: string, values: readonly string[]): Promise<number> {
  const elements = `{ ${values.join(', ')} }`;
  const args = ['netns', 'exec', netns, 'nft', 'get', 'element', 'ip', 'crowdsec', 'crowdsec-blacklists', elements];
  const endMs = Date.now() + LIMIT_MS;
  while (Date.now() < endMs) {
    try {
      execFileSync('ip', args, { stdio: 'pipe' });
      return Date.now();
    } catch {
      await sleep(10);
    }
  }
  throw new Error(`not in the kernel within ${LIMIT_MS / 1000} s`);
}
