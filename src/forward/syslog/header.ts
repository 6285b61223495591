import type { SiemEvent } from '../../domain/siem-event.js';
import { SEVERITY_FIELDS } from '../formats/fields.js';

export interface SyslogSettings {
  header: 'rfc5424' | 'rfc3164';
  facility: number;
  hostName: string;
  appName: string;
  procId: string;
  /** RFC 3164 only: write `portcullis: ` in front of the message. */
  tag: boolean;
  /** RFC 5424 only: `[meta sequenceId="n"]`, by which a receiver can see gaps (RFC 5424 7.3.1). */
  sequenceId: boolean;
}

/** A token of an RFC 5424 header: printable ASCII without spaces, `-` when nothing is left. */
export function syslogToken(text: string, max: number): string {
  const token = text.replace(/[^\u0021-\u007e]/g, '').slice(0, max);
  return token === '' ? '-' : token;
}

/** PRI of an event: facility * 8 + severity. */
export function syslogPri(event: SiemEvent, facility: number): number {
  return facility * 8 + SEVERITY_FIELDS[event.severity].syslog;
}

/** Highest sequenceId; then it starts again at 1. */
export const MAX_SEQUENCE_ID = 2147483647;

/** Builds the header of each line; keeps the last second's date text because events come in bursts. */
export function createSyslogHeader(settings: SyslogSettings): (event: SiemEvent, sequence: number) => string {
  const host = syslogToken(settings.hostName, 255);
  const app = syslogToken(settings.appName, 48);
  const proc = syslogToken(settings.procId, 128);
  let second = NaN;
  let dateText = '';
  if (settings.header === 'rfc5424') {
    return (event, sequence) => {
      const s = Math.floor(event.tsMs / 1000);
      if (s !== second) {
        second = s;
        dateText = new Date(s * 1000).toISOString().slice(0, 20);
      }
      const ms = String(Math.floor(event.tsMs - s * 1000)).padStart(3, '0');
      const data = settings.sequenceId ? `[meta sequenceId="${sequence}"]` : '-';
      return `<${syslogPri(event, settings.facility)}>1 ${dateText}${ms}Z ${host} ${app} ${proc} ${event.kind} ${data} `;
    };
  }
  return (event) => {
    const s = Math.floor(event.tsMs / 1000);
    if (s !== second) {
      second = s;
      dateText = rfc3164Date(new Date(s * 1000));
    }
    return `<${syslogPri(event, settings.facility)}>${dateText} ${host} ${settings.tag ? `${app}: ` : ''}`;
  };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Mmm dd hh:mm:ss` in local time, day padded with a space (RFC 3164 4.1.2). */
export function rfc3164Date(date: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  return (
    `${MONTHS[date.getMonth()] ?? 'Jan'} ${String(date.getDate()).padStart(2, ' ')} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  );
}
