import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { behaviourOptionsSchema } from '../detect/behaviour/options.js';
import { toSnake } from './snake.js';

/** Settings made in the console, in the data folder; the server writes it, server and sensor read it at start. */
export const CONSOLE_SETTINGS_FILE = 'settings.json';

/**
 * What the console may change, and when it counts. Nothing of `enforce`: the guard rails of the responder belong to root.
 */
export const CHANGEABLE: Readonly<Record<string, 'now' | 'restart'>> = {
  'capture.interfaces': 'now',
  'capture.evidence.enabled': 'restart',
  'capture.evidence.ring_mib': 'restart',
  'capture.evidence.snap_bytes': 'restart',
  'capture.evidence.packets': 'restart',
  'capture.evidence.store_mib': 'restart',
  'detect.signature.enabled': 'restart',
  'detect.behaviour.enabled': 'restart',
  ...behaviourSettings(),
  'detect.models.enabled': 'restart',
  'policy.home_networks': 'restart',
  'policy.blast_radius.max_benign_flows': 'now',
  'policy.blast_radius.max_benign_peers': 'now',
  'policy.blast_radius.shorten_to_secs': 'now',
  'lab.max_bytes': 'now',
  'lab.max_captures': 'now',
  'lab.keep_days': 'now',
  'lab.max_jobs': 'now',
  'lab.max_alerts': 'now',
  'lab.timeout_secs': 'now',
  'store.retention.alert_days': 'restart',
  'store.retention.flow_days': 'restart',
  'store.retention.decision_days': 'restart',
  'store.retention.timeline_days': 'restart',
  'api.session_idle_hours': 'restart',
  'api.session_max_hours': 'restart',
  'api.lockout_failures': 'restart',
  'api.lockout_secs': 'restart',
  'api.lockout_max_secs': 'restart',
  log_level: 'restart',
};

/** Each behaviour detector's switch and thresholds: what its section has of truth values and numbers. */
function behaviourSettings(): Record<string, 'restart'> {
  const keys = Object.entries(behaviourOptionsSchema.parse({})).flatMap(([section, options]) =>
    typeof options !== 'object' || Array.isArray(options)
      ? []
      : Object.entries(options)
          .filter(([, value]) => typeof value === 'boolean' || typeof value === 'number')
          .map(([name]) => `detect.behaviour.${toSnake(section)}.${toSnake(name)}`),
  );
  return Object.fromEntries(keys.map((key) => [key, 'restart']));
}

const fileSchema = z.record(z.string(), z.unknown());

/** The settings of the console; empty without a readable file. Keys that it may not change are left out. */
export function readConsoleSettings(dataDir: string): Record<string, unknown> {
  const path = join(dataDir, CONSOLE_SETTINGS_FILE);
  if (!existsSync(path)) return {};
  try {
    const parsed = fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    return Object.fromEntries(Object.entries(parsed).filter(([key]) => Object.hasOwn(CHANGEABLE, key)));
  } catch {
    return {};
  }
}
