import { existsSync, readFileSync } from 'node:fs';
import type { Lab } from '../lab.js';
import { syslogFile } from '../services/rsyslog.js';
import { waitFor } from '../wait.js';

/** Lines that the lab's rsyslog has written so far. */
export function siemLines(lab: Lab): string[] {
  const file = syslogFile(lab.dir);
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}

/** The first line in the SIEM's file that matches all patterns. */
export function siemLine(lab: Lab, what: string, ...patterns: RegExp[]): Promise<string> {
  const find = () => siemLines(lab).find((line) => patterns.every((pattern) => pattern.test(line)));
  return waitFor(`the SIEM has ${what}`, find, { everyMs: 50 });
}
