import { showHidden, showHiddenInJson } from '../domain/visible-text.js';

/** One line of what others wrote: nothing in it moves the cursor, hides, or turns the order of the line. */
export function plain(text: string): string {
  return showHidden(text.replaceAll(/[\t\r\n]/g, ' '));
}

/** {@link plain}, line by line. */
export function plainLines(text: string): string {
  return text.trimEnd().split('\n').map(plain).join('\n');
}

/** A value for `--json`: the same for a program, and safe on a terminal. */
export function toJson(value: unknown): string {
  return showHiddenInJson(JSON.stringify(value, null, 2));
}
