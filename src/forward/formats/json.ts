import type { SiemEvent } from '../../domain/siem-event.js';
import { cleanDeep, jsonLooksDirty } from '../text.js';
import type { FormatContext } from './fields.js';

/** The canonical event as it is, with the destination's fixed fields under `labels`. */
export function formatJson(event: SiemEvent, context: FormatContext): string {
  const labels = context.add.length > 0 ? { labels: Object.fromEntries(context.add) } : {};
  const json = JSON.stringify({ '@timestamp': new Date(event.tsMs).toISOString(), ...event, ...labels });
  return jsonLooksDirty(json) ? JSON.stringify(cleanDeep(JSON.parse(json) as unknown)) : json;
}
