import { showHidden } from '../domain/visible-text.js';

/** Signs that begin a formula, also as East Asian spreadsheets write them (OWASP: CSV injection). */
const SIGN = '[=+\\-@\uff1d\uff0b\uff0d\uff20]';
/** A cell that a spreadsheet would run. */
const FORMULA = new RegExp(`^(?:[\\t\\r\\n]|[\\s\\0]*${SIGN})`);
/** Where decimals are written with a comma, spreadsheets take a semicolon for the end of a cell, whatever the quotes say. */
const FORMULA_BEHIND_SEMICOLON = new RegExp(`(;[\\s\\0"]*)(?=${SIGN})`, 'g');
const PLAIN_NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * One cell of RFC 4180 CSV. Text that starts like a formula, at its start or behind a semicolon, gets an apostrophe in front,
 * so that no spreadsheet runs what an attacker wrote into a host name; plain negative numbers stay numbers. Characters that
 * hide or reorder what stands beside them are written as escapes.
 */
export function csvCell(value: unknown): string {
  const text = value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  const marked = showHidden(text).replace(FORMULA_BEHIND_SEMICOLON, "$1'");
  const safe = FORMULA.test(marked) && !PLAIN_NUMBER.test(marked) ? `'${marked}` : marked;
  return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csvRow(cells: readonly unknown[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}
