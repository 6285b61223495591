import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { CAPABILITY, hasCapability } from '../../util/capabilities.js';
import type { EnforceOptions } from '../options.js';
import type { Box } from '../protect/box.js';
import { ok, problem, warning, type DoctorItem } from './item.js';

const LOW_DISK_BYTES = 200 * 1024 * 1024;

/** Effective capabilities of this process. */
export function checkRights(box: Box): DoctorItem {
  if (hasCapability(box.read('/proc/self/status')?.toString('utf8') ?? '', CAPABILITY.NET_ADMIN))
    return ok('host.rights', 'Rights', 'CAP_NET_ADMIN is there.');
  return problem('host.rights', 'Rights', {
    detail: 'CAP_NET_ADMIN is missing: the kernel refuses every change of its ruleset.',
    fix: 'Run as root, or as the systemd unit does: AmbientCapabilities=CAP_NET_ADMIN.',
  });
}

export function checkDisk(stateDir: string): DoctorItem {
  let dir = stateDir;
  for (;;) {
    try {
      const s = statfsSync(dir);
      const freeBytes = s.bavail * s.bsize;
      const text = `${Math.round(freeBytes / 1024 / 1024)} MiB free at ${dir}`;
      if (freeBytes >= LOW_DISK_BYTES) return ok('host.disk', 'Disk', `${text}.`);
      return problem('host.disk', 'Disk', {
        detail: `${text}: blocks are enforced, but would not survive a restart when the disk is full.`,
        fix: 'Free some space, or move enforce.state_dir.',
      });
    } catch {
      if (dirname(dir) === dir) break;
      dir = dirname(dir);
    }
  }
  return warning('host.disk', 'Disk', { detail: `${stateDir} cannot be examined.`, fix: 'Check enforce.state_dir.' });
}

export function checkClock(isSynchronised: boolean | undefined): DoctorItem {
  if (isSynchronised === true) return ok('host.clock', 'Clock', 'The kernel clock is synchronised.');
  return warning('host.clock', 'Clock', {
    detail:
      isSynchronised === undefined
        ? 'The state of the kernel clock cannot be read.'
        : 'The kernel clock is not synchronised: blocks end in time (kernel timeouts do not follow it), but times in alerts and SIEM may be wrong.',
    fix: 'Run chrony or systemd-timesyncd.',
  });
}

interface IpRule {
  priority?: number;
  table?: string;
}

/** Rules beyond local, main and default may send the two directions of a flow different ways. */
export async function checkPolicyRouting(box: Box): Promise<DoctorItem> {
  const answers = await Promise.all([box.ip(['-j', '-4', 'rule']), box.ip(['-j', '-6', 'rule'])]);
  const rules = answers.flatMap((text) => (text === '' ? [] : (JSON.parse(text) as IpRule[])));
  const extra = rules.filter((r) => !['local', 'main', 'default', '255', '254', '253'].includes(String(r.table)));
  if (extra.length === 0) return ok('host.routing', 'Policy routing', 'Only the usual routing tables.');
  const tables = [...new Set(extra.map((r) => String(r.table ?? '?')))].join(', ');
  return warning('host.routing', 'Policy routing', {
    detail: `Routing rules use the tables ${tables}: a flow may come and go by different interfaces; blocks still hold, but the sensor may see one direction only.`,
    fix: 'Let the sensor watch every interface of those routes.',
  });
}

interface IpLink {
  ifname?: string;
  operstate?: string;
  flags?: string[];
  xdp?: unknown;
  linkinfo?: { info_kind?: string };
}

/** Interfaces that carry packets which the sensor or our hooks do not see. */
export async function checkInterfaces(
  box: Box,
  options: EnforceOptions,
  sensor: readonly string[] | undefined,
): Promise<DoctorItem[]> {
  const text = await box.ip(['-j', '-d', 'link', 'show', 'up']);
  const links = (text === '' ? [] : (JSON.parse(text) as IpLink[])).filter(
    (l) => l.ifname !== undefined && !(l.flags ?? []).includes('LOOPBACK'),
  );
  const items: DoctorItem[] = [];
  const names = links.map((l) => l.ifname ?? '?');
  const unseen = sensor === undefined || sensor.includes('any') ? [] : names.filter((n) => !sensor.includes(n));
  if (unseen.length > 0) {
    items.push(
      warning('host.interfaces', 'Interfaces', {
        detail: `The sensor does not watch ${unseen.join(', ')}: attacks there are not detected (known offenders are still blocked there).`,
        fix: 'Add them to the sensor interfaces, unless they carry nothing of interest.',
      }),
    );
  } else items.push(ok('host.interfaces', 'Interfaces', `Up: ${names.join(', ') || 'none'}.`));
  const xdp = links.filter((l) => l.xdp !== undefined).map((l) => l.ifname ?? '?');
  if (xdp.length > 0) {
    items.push(
      warning('host.xdp', 'XDP programs', {
        detail: `XDP programs on ${xdp.join(', ')} may forward packets before netfilter sees them.`,
        fix: 'Check what they do: "bpftool net".',
      }),
    );
  }
  const bridges = links.filter((l) => l.linkinfo?.info_kind === 'bridge').map((l) => l.ifname ?? '?');
  if (bridges.length > 0 && !options.bridge) {
    items.push(
      warning('host.bridge', 'Bridges', {
        detail: `${bridges.join(', ')}: traffic between ports of a bridge does not reach our inet table.`,
        fix: 'Set enforce.bridge: true, if hosts behind different ports must be kept apart.',
      }),
    );
  }
  return items;
}

/** Something that empties the whole ruleset on reload, like Debian's nftables.service. */
export function checkReload(box: Box): DoctorItem {
  const path = '/etc/nftables.conf';
  const text = box.read(path)?.toString('utf8') ?? '';
  if (!/^\s*flush\s+ruleset/m.test(text)) return ok('host.reload', 'Reloads', `${path} does not flush the ruleset.`);
  return warning('host.reload', 'Reloads', {
    detail: `${path} begins with "flush ruleset": a reload removes our table; a running responder restores it within a second.`,
    fix: 'Replace "flush ruleset" there by "add table X" and "delete table X" for each of its own tables.',
  });
}
