import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { MIDSTREAM_POLICIES, type ReassemblyInput } from '../../src/flow/reassembly/index.js';

/** What a replay case sets of Suricata's stream engine, in our terms. */
export interface StreamSettings {
  inline: boolean;
  stream: ReassemblyInput;
  /** Alerts of one packet at most. */
  maxAlertsPerPacket?: number;
}

/** Of `--set stream.midstream=true` and the like, and of the `stream` section of the case's `suricata.yaml`. */
export function streamSettings(folder: string, args: string): StreamSettings {
  const settings = new Map<string, string>();
  const file = join(folder, 'suricata.yaml');
  const yaml = existsSync(file) ? (parse(readFileSync(file, 'utf8')) as Record<string, unknown> | null) : null;
  for (const [key, value] of Object.entries((yaml?.['stream'] as Record<string, unknown> | undefined) ?? {}))
    settings.set(`stream.${key}`, String(value));
  // The master switch: for every exception that has no policy of its own.
  if (yaml?.['exception-policy'] !== undefined)
    settings.set('stream.midstream-policy', String(yaml['exception-policy']));
  if (yaml?.['packet-alert-max'] !== undefined) settings.set('packet-alert-max', String(yaml['packet-alert-max']));
  for (const [, key, value] of args.matchAll(/--set[= ](\S+?)=(\S+)/g)) settings.set(key!, value!);
  const isOn = (key: string): boolean => /^(true|yes|on|1)$/.test(settings.get(key) ?? '');
  const policy = (settings.get('stream.midstream-policy') ?? '').replaceAll('-', '_');
  const known = MIDSTREAM_POLICIES.find((p) => p === policy);
  const most = settings.get('packet-alert-max');
  return {
    ...(most === undefined ? {} : { maxAlertsPerPacket: Number(most) }),
    inline: isOn('stream.inline'),
    stream: {
      midstream: isOn('stream.midstream'),
      asyncOneside: isOn('stream.async-oneside'),
      ...(known === undefined ? {} : { midstreamPolicy: known }),
    },
  };
}
