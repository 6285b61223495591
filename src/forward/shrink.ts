import type { SiemEvent } from '../domain/siem-event.js';
import type { FormatContext, Formatter } from './formats/fields.js';
import { cutText } from './text.js';

/** Evidence that carries bytes of the traffic itself; goes first when a message is too long. */
const PAYLOAD_NAMES = /payload|matched_bytes|body|packet|cookie|request|response/i;

type Step = (event: SiemEvent) => SiemEvent;

const cutMessage =
  (max: number): Step =>
  (event) => ({ ...event, message: cutText(event.message, max) });

/** From the least to the most that is given up. */
const STEPS: readonly Step[] = [
  (event) =>
    event.kind === 'alert' ? { ...event, evidence: event.evidence.filter((e) => !PAYLOAD_NAMES.test(e.name)) } : event,
  (event) =>
    event.kind === 'alert'
      ? {
          ...event,
          evidence: event.evidence.slice(0, 5).map((item) => ({
            name: cutText(item.name, 60),
            value: typeof item.value === 'string' ? cutText(item.value, 100) : item.value,
            ...(item.text === undefined ? {} : { text: cutText(item.text, 100) }),
          })),
        }
      : event.kind === 'health' || event.kind === 'audit'
        ? { ...event, details: {} }
        : event,
  (event) => (event.kind === 'alert' ? { ...event, evidence: [] } : event),
  (event) => (event.kind === 'decision' ? { ...event, alertIds: event.alertIds.slice(0, 3) } : event),
  cutMessage(200),
  cutMessage(60),
  (event) =>
    event.kind === 'decision'
      ? { ...event, reason: cutText(event.reason, 80), message: '', alertIds: event.alertIds.slice(0, 1) }
      : event.kind === 'alert'
        ? { ...event, title: cutText(event.title, 80), category: cutText(event.category, 40), message: '' }
        : { ...event, message: '' },
];

/** True when the text has at most `max` bytes in UTF-8. */
function fits(text: string, max: number): boolean {
  return text.length * 3 <= max || (text.length <= max && Buffer.byteLength(text) <= max);
}

/**
 * Formats an event into at most `maxBytes`. A message is never cut: parts of the event are given up, payload first,
 * and the result says `truncated`.
 * @returns undefined when not even the core fits.
 */
export function formatToFit(
  event: SiemEvent,
  format: Formatter,
  context: FormatContext,
  maxBytes: number,
): string | undefined {
  const whole = format(event, context);
  if (fits(whole, maxBytes)) return whole;
  let shrunk = event;
  for (const step of STEPS) {
    shrunk = { ...step(shrunk), truncated: true };
    const text = format(shrunk, context);
    if (fits(text, maxBytes)) return text;
  }
  return undefined;
}
