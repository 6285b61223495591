import type { SiemEvent } from '../../domain/siem-event.js';
import { toEcs, type Fields } from './ecs.js';
import { SEVERITY_FIELDS, type FormatContext } from './fields.js';

/** A value in OTLP's JSON form: 64-bit integers are strings (protobuf JSON mapping). */
function anyValue(value: unknown): Fields {
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { stringValue: String(value) };
}

/** `{ source: { ip } }` -> `source.ip`. */
function flatten(prefix: string, value: unknown, out: Fields[]): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, item] of Object.entries(value)) flatten(prefix === '' ? key : `${prefix}.${key}`, item, out);
  } else {
    out.push({ key: prefix, value: anyValue(value) });
  }
}

/** Nanoseconds since the epoch as text; a double cannot hold them. */
function nanoseconds(ms: number): string {
  return `${Math.trunc(ms)}000000`;
}

/** One OpenTelemetry log record (OTLP 1.x, JSON encoding) with the ECS field names as attributes. */
export function formatOtlp(event: SiemEvent, context: FormatContext): string {
  const { '@timestamp': _time, message, ...ecs } = toEcs(event, context);
  const attributes: Fields[] = [];
  flatten('', ecs, attributes);
  const row = SEVERITY_FIELDS[event.severity];
  return JSON.stringify({
    timeUnixNano: nanoseconds(event.tsMs),
    observedTimeUnixNano: nanoseconds(event.tsMs),
    severityNumber: row.otlp,
    severityText: row.otlpText,
    body: { stringValue: message },
    attributes,
  });
}
