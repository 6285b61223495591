import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from './machine.js';

export type ProbeResult = Record<string, string>;

const PROBE = '/usr/local/lib/probe.mjs';
const NODE = '/usr/lib/portcullis/bin/node';

export function installProbe(machine: Machine): void {
  writeFileSync(join(machine.root, PROBE), readFileSync(new URL('./probe.mjs', import.meta.url)), { mode: 0o644 });
}

/** Runs the probe in everything the unit says about its sandbox; only what is started, and how it reports, differs. */
export function probeInUnit(machine: Machine, daemon: string): ProbeResult {
  const unit = `portcullis-${daemon}.service`;
  const shipped = readFileSync(join(machine.root, 'usr/lib/systemd/system', unit), 'utf8');
  const changed = shipped
    .replace(
      /^(ExecStartPre|ExecStart|ExecReload|Restart|RestartSec|WatchdogSec|NotifyAccess|Type|Before|After|Wants|Requires|Conflicts|PartOf|WantedBy|DefaultDependencies)=.*\n/gm,
      '',
    )
    .replace('[Service]\n', `[Service]\nType=oneshot\nExecStart=${NODE} ${PROBE}\n`);
  const name = `probe-${daemon}`;
  writeFileSync(join(machine.root, `etc/systemd/system/${name}.service`), changed);
  machine.run('systemctl', 'daemon-reload');
  machine.run('systemctl', 'start', name);
  return lastJson(machine.run('journalctl', '-u', name, '-o', 'cat', '--no-pager'));
}

/** The same probe as root without a sandbox: what it tries is possible at all. */
export function probeAsRoot(machine: Machine): ProbeResult {
  return lastJson(machine.run(NODE, PROBE));
}

function lastJson(output: string): ProbeResult {
  const line = output.split('\n').findLast((text) => text.startsWith('{"packet socket"'));
  if (line === undefined) throw new Error(`the probe said nothing:\n${output}`);
  return JSON.parse(line) as ProbeResult;
}
