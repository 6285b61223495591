import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processCpuUs } from './pipeline.js';

const START_TIMEOUT_MS = 30_000;

/** Nothing but capture, decoding and flow tracking: no rules, no application parsers, no output but the counters. */
const CONFIG = (dir: string, name: string): string => `%YAML 1.1
---
default-log-dir: ${dir}
stats: { enabled: yes, interval: 1 }
outputs:
  - eve-log: { enabled: yes, filetype: regular, filename: stats.json, types: [ { stats: { totals: yes, threads: no, deltas: no } } ] }
logging: { default-log-level: notice, outputs: [ { console: { enabled: yes } } ] }
af-packet:
  - { interface: ${name}, threads: 1, cluster-id: 97, cluster-type: cluster_flow, defrag: yes, use-mmap: yes, tpacket-v3: yes, ring-size: 200000, block-size: 131072 }
app-layer: { protocols: {} }
host-mode: sniffer-only
unix-command: { enabled: no }
`;

export interface SuricataSubject {
  name: string;
  mark(): Promise<{ cpuUs: number; packets: number }>;
  stop(): void;
}

/** Starts Debian's Suricata without rules. @returns why not, when it is not there or does not start. */
export async function startSuricata(
  on: { netns: string; interface: string },
  dir: string,
): Promise<SuricataSubject | string> {
  let version: string;
  try {
    version = execFileSync('suricata', ['-V'], { stdio: 'pipe' }).toString().trim();
  } catch {
    return 'suricata is not installed: no comparison with it';
  }
  const config = join(dir, 'suricata.yaml');
  writeFileSync(config, CONFIG(dir, on.interface));
  const command = [
    'netns',
    'exec',
    on.netns,
    'suricata',
    '-c',
    config,
    '-S',
    '/dev/null',
    `--af-packet=${on.interface}`,
    '-l',
    dir,
  ];
  const child = spawn('ip', command, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const isReady = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), START_TIMEOUT_MS);
    const settle = (value: boolean): void => {
      clearTimeout(timer);
      resolve(value);
    };
    const onData = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-4000);
      if (/engine started/i.test(output)) settle(true);
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.on('close', () => settle(false));
  });
  if (!isReady || child.pid === undefined) {
    child.kill();
    return `${version} did not start: ${output.trim().split('\n').at(-1) ?? ''}`;
  }
  return subject(child.pid, dir, () => child.kill());
}

function subject(pid: number, dir: string, stop: () => void): SuricataSubject {
  let last = { cpuUs: processCpuUs(pid), packets: 0 };
  return {
    name: 'suricata',
    async mark() {
      // Its counters come once a second.
      await new Promise((resolve) => setTimeout(resolve, 1100));
      const now = { cpuUs: processCpuUs(pid), packets: packetsOf(dir) };
      const round = { cpuUs: now.cpuUs - last.cpuUs, packets: now.packets - last.packets };
      last = now;
      return round;
    },
    stop,
  };
}

/** Packets decoded, from the last whole line of Suricata's statistics. */
function packetsOf(dir: string): number {
  const lines = readFileSync(join(dir, 'stats.json'), 'utf8').split('\n');
  const line = lines.at(-2);
  if (line === undefined) return 0;
  const record = JSON.parse(line) as { stats?: { decoder?: { pkts?: number } } };
  return record.stats?.decoder?.pkts ?? 0;
}
