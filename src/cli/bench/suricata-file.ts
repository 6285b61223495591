import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processCpuUs } from './pipeline.js';

const POLL_MS = 20;

/** Debian's configuration with alerts as the only output. */
const EXTRA = `%YAML 1.1
---
include: /etc/suricata/suricata.yaml
outputs:
  - eve-log: { enabled: yes, filetype: regular, filename: eve.json, types: [ alert ] }
stats: { enabled: no }
`;

export interface SuricataRun {
  cpuUs: number;
  peakBytes: number;
  alerts: number;
}

export interface SuricataTask {
  capture: string;
  rules: readonly string[];
  dir: string;
}

/** Version of the installed Suricata, or undefined. */
export function suricataVersion(): string | undefined {
  try {
    return execFileSync('suricata', ['-V'], { stdio: 'pipe' }).toString().trim();
  } catch {
    return undefined;
  }
}

/** Reads a capture with `suricata -r` in runmode single. CPU time is read until just before the process ends. */
export async function runSuricata({ capture, rules, dir }: SuricataTask): Promise<SuricataRun> {
  mkdirSync(dir, { recursive: true });
  const config = join(dir, 'suricata.yaml');
  const all = join(dir, 'all.rules');
  writeFileSync(config, EXTRA);
  writeFileSync(all, rules.map((file) => readFileSync(file, 'utf8')).join('\n'));
  const args = ['-c', config, '-r', capture, '-k', 'none', '-l', dir, '-S', all, '--runmode', 'single'];
  const child = spawn('suricata', args, { stdio: 'ignore' });
  const run: SuricataRun = { cpuUs: 0, peakBytes: 0, alerts: 0 };
  const poll = (): void => {
    try {
      run.cpuUs = processCpuUs(child.pid!) || run.cpuUs;
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      run.peakBytes = Math.max(run.peakBytes, Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024);
    } catch {
      // It has ended between the timer and the look.
    }
  };
  const timer = setInterval(poll, POLL_MS);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    if (code !== 0) throw new Error(`suricata ended with code ${code}`);
  } finally {
    clearInterval(timer);
  }
  run.alerts = readFileSync(join(dir, 'eve.json'), 'utf8').split('\n').length - 1;
  return run;
}
