import { severityRank } from '../domain/severity.js';
import type { SiemEvent } from '../domain/siem-event.js';
import type { DestinationOptions } from './options.js';

/** Whether a destination wants an event. The level applies to alerts; decisions, gaps and audit go by kind alone. */
export function createFilter(options: DestinationOptions['filter']): (event: SiemEvent) => boolean {
  const kinds = new Set<string>(options.kinds);
  const least = severityRank(options.min_level);
  const excluded = new Set(options.exclude_rules);
  return (event) => {
    if (!kinds.has(event.kind)) return false;
    if (event.kind !== 'alert') return true;
    if (severityRank(event.severity) < least) return false;
    return (
      excluded.size === 0 ||
      !(excluded.has(`${event.gid}:${event.signatureId}`) || excluded.has(String(event.signatureId)))
    );
  };
}
