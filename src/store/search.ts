import { AppError } from '../util/errors.js';
import { parseCidr } from '../util/ip.js';
import { addressKeyRange, coveringKeys } from './address-key.js';

export type SearchOperator = ':' | '>' | '<' | '>=' | '<=';

/** One term of a search: `field:value`, `field>value`, or free text (field is empty). `-` in front negates. */
export interface SearchTerm {
  field: string;
  operator: SearchOperator;
  value: string;
  negated: boolean;
}

const MAX_TERMS = 20;
const TERM = /(-?)(?:([a-z_]+)(:|>=|<=|>|<))?(?:"((?:[^"\\]|\\.)*)"|(\S+))/y;

function searchError(message: string, fix: string): AppError {
  return new AppError({ kind: 'user', code: 'search.invalid', message, fix });
}

/**
 * Reads the search language of the lists: terms separated by blanks, all of which must hold. A value with blanks
 * stands in double quotes; a bare address or prefix means `ip:`.
 * @throws AppError search.invalid
 */
export function parseSearch(text: string): SearchTerm[] {
  const terms: SearchTerm[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(text.charAt(at))) at++;
    if (at >= text.length) return terms;
    TERM.lastIndex = at;
    const match = TERM.exec(text);
    if (!match) return terms;
    const [, minus, field = '', operator = ':', quoted, bare = ''] = match;
    at = TERM.lastIndex;
    const value = quoted === undefined ? bare : quoted.replaceAll(/\\(.)/g, '$1');
    const isAddress = field === '' && quoted === undefined && /[.:]/.test(value) && parseCidr(value) !== undefined;
    terms.push({
      field: isAddress ? 'ip' : field,
      operator: operator as SearchOperator,
      value,
      negated: minus === '-',
    });
    if (terms.length > MAX_TERMS) throw searchError(`More than ${MAX_TERMS} search terms.`, 'Use fewer terms.');
  }
}

/** Registers a value and returns its placeholder: values never become part of the SQL text. */
export type Bind = (value: string | number | readonly (string | number)[]) => string;
/** Rows that an index finds for a term: any of the columns equals any of the values, or lies in the range. */
export interface Seek {
  columns: readonly string[];
  values?: readonly (string | number)[];
  range?: { first: string; last: string };
  /** Finds more than the term means: the term's condition must still be checked. */
  partial?: true;
}
export interface SearchField {
  (term: SearchTerm, bind: Bind): string;
  /** For terms that an index can answer; undefined where it cannot. */
  seek?: (term: SearchTerm) => Seek | undefined;
}

function withSeek(field: SearchField, seek: (term: SearchTerm) => Seek | undefined): SearchField {
  return Object.assign((term: SearchTerm, bind: Bind) => field(term, bind), { seek });
}

export type SearchFields = Readonly<Record<string, SearchField>>;

export interface Condition {
  sql: string;
  parameters: Record<string, unknown>;
}

/** Turns terms into one parameterised condition each. @throws AppError search.invalid for unknown fields. */
export function toConditions(terms: readonly SearchTerm[], fields: SearchFields, prefix = 's'): Condition[] {
  let count = 0;
  return terms.map((term) => {
    const field = Object.hasOwn(fields, term.field) ? fields[term.field] : undefined;
    if (!field) {
      const known = Object.keys(fields).filter((name) => name !== '');
      throw searchError(`Unknown search field "${term.field}".`, `Known fields: ${known.join(' ')}`);
    }
    const parameters: Record<string, unknown> = {};
    const bind: Bind = (value) => {
      const name = `${prefix}${count++}`;
      parameters[name] = value;
      return Array.isArray(value) ? `(:...${name})` : `:${name}`;
    };
    const sql = field(term, bind);
    return { sql: term.negated ? `NOT (${sql})` : `(${sql})`, parameters };
  });
}

function onlyEquals(term: SearchTerm): void {
  if (term.operator !== ':') throw searchError(`"${term.field}" takes a colon.`, `Write ${term.field}:value`);
}

const LAST_CHARACTER = '\u{10ffff}';

/** `field:exact`, or `field:prefix*`. */
export function textField(column: string): SearchField {
  return withSeek(
    (term, bind) => {
      onlyEquals(term);
      if (!term.value.endsWith('*')) return `${column} = ${bind(term.value)}`;
      const prefix = term.value.slice(0, -1);
      return `${column} BETWEEN ${bind(prefix)} AND ${bind(`${prefix}${LAST_CHARACTER}`)}`;
    },
    ({ value }) => {
      const prefix = value.slice(0, -1);
      if (!value.endsWith('*')) return { columns: [column], values: [value] };
      return prefix === '' ? undefined : { columns: [column], range: { first: prefix, last: prefix + LAST_CHARACTER } };
    },
  );
}

/** `field:5`, `field>0.8`, `field<=10`. */
export function numberField(...columns: string[]): SearchField {
  const field: SearchField = (term, bind) => {
    const value = Number(term.value);
    if (term.value === '' || !Number.isFinite(value)) {
      throw searchError(`"${term.value}" is not a number.`, `Write for example ${term.field}>10`);
    }
    const operator = term.operator === ':' ? '=' : term.operator;
    return columns.map((column) => `${column} ${operator} ${bind(value)}`).join(' OR ');
  };
  return withSeek(field, ({ operator, value }) =>
    operator === ':' && Number.isFinite(Number(value)) ? { columns, values: [Number(value)] } : undefined,
  );
}

/** A word out of an ordered list, stored as its position: `severity:high`, `severity>=medium`. */
export function rankField(column: string, words: readonly string[]): SearchField {
  const field: SearchField = (term, bind) => {
    const rank = words.indexOf(term.value.toLowerCase());
    if (rank < 0) throw searchError(`"${term.value}" is not one of ${words.join(', ')}.`, 'Use one of these words.');
    return `${column} ${term.operator === ':' ? '=' : term.operator} ${bind(rank)}`;
  };
  return withSeek(field, ({ operator, value }) => {
    const rank = words.indexOf(value.toLowerCase());
    const fits: Record<SearchOperator, (n: number) => boolean> = {
      ':': (n) => n === rank,
      '>': (n) => n > rank,
      '>=': (n) => n >= rank,
      '<': (n) => n < rank,
      '<=': (n) => n <= rank,
    };
    return rank < 0 ? undefined : { columns: [column], values: words.map((_w, n) => n).filter(fits[operator]) };
  });
}

/** An address or prefix against address-key columns. */
export function addressField(...columns: string[]): SearchField {
  const field: SearchField = (term, bind) => {
    onlyEquals(term);
    const cidr = parseCidr(term.value);
    if (!cidr) throw searchError(`"${term.value}" is not an address.`, 'Write an address or a prefix.');
    const { first, last } = addressKeyRange(cidr);
    if (first === last) return columns.map((column) => `${column} = ${bind(first)}`).join(' OR ');
    return columns.map((column) => `${column} BETWEEN ${bind(first)} AND ${bind(last)}`).join(' OR ');
  };
  return withSeek(field, ({ value }) => {
    const cidr = parseCidr(value);
    if (!cidr) return undefined;
    const range = addressKeyRange(cidr);
    return range.first === range.last ? { columns, values: [range.first] } : { columns, range };
  });
}

/** An address or prefix against rows that hold a range: what lies in it, and what contains it. */
export function rangeField(firstColumn: string, lastColumn: string): SearchField {
  const field: SearchField = (term, bind) => {
    onlyEquals(term);
    const cidr = parseCidr(term.value);
    if (!cidr) throw searchError(`"${term.value}" is not an address.`, 'Write an address or a prefix.');
    const { first, last } = addressKeyRange(cidr);
    const covering = bind(coveringKeys(cidr));
    const inside = `${firstColumn} BETWEEN ${bind(first)} AND ${bind(last)}`;
    return `(${inside}) OR (${firstColumn} IN ${covering} AND ${lastColumn} >= ${bind(last)})`;
  };
  return withSeek(field, ({ value }) => {
    const cidr = parseCidr(value);
    const isHost = cidr && cidr.prefix === (cidr.version === 4 ? 32 : 128);
    return isHost ? { columns: [firstColumn], values: coveringKeys(cidr), partial: true } : undefined;
  });
}

/** Words with a fixed meaning each: `is:open`. */
export function wordField(words: Readonly<Record<string, string>>): SearchField {
  const field: SearchField = (term) => {
    onlyEquals(term);
    const word = term.value.toLowerCase();
    const sql = Object.hasOwn(words, word) ? words[word] : undefined;
    if (sql === undefined) {
      throw searchError(`"${term.field}:${term.value}" is not known.`, `Use ${Object.keys(words).join(', ')}.`);
    }
    return sql;
  };
  return withSeek(field, ({ value }) => {
    const word = value.toLowerCase();
    const [, column, wanted] =
      /^([\w.]+) = (?:'([a-z_]+)'|\d+)$/.exec(Object.hasOwn(words, word) ? (words[word] ?? '') : '') ?? [];
    return column === undefined || wanted === undefined ? undefined : { columns: [column], values: [wanted] };
  });
}

/** Epoch milliseconds or ISO 8601 against a column of epoch milliseconds. */
export function timeField(column: string, operator: '>=' | '<'): SearchField {
  return (term, bind) => {
    onlyEquals(term);
    const ms = /^\d+$/.test(term.value) ? Number(term.value) : Date.parse(term.value);
    if (!Number.isFinite(ms)) throw searchError(`"${term.value}" is not a time.`, 'Write it as 2026-01-31T12:00:00Z.');
    return `${column} ${operator} ${bind(ms)}`;
  };
}

/** A comma-fenced list of words in a text column, as `,a,b,`. */
export function listField(column: string): SearchField {
  return (term, bind) => {
    onlyEquals(term);
    return `${column} LIKE ${bind(`%,${escapeLike(term.value.toLowerCase())},%`)} ESCAPE '!'`;
  };
}

/** Free text in a column that was lower-cased when it was written. */
export function freeTextField(column: string): SearchField {
  return (term, bind) => `${column} LIKE ${bind(`%${escapeLike(term.value.toLowerCase())}%`)} ESCAPE '!'`;
}

/**
 * Free text in texts that are kept once each: the rows of `column` whose text in `table` holds it.
 */
export function sharedTextField(column: string, table: string): SearchField {
  return (term, bind) =>
    `${column} IN (SELECT t.id FROM ${table} t WHERE t.text LIKE ${bind(`%${escapeLike(term.value.toLowerCase())}%`)} ESCAPE '!')`;
}

export function escapeLike(text: string): string {
  return text.replaceAll(/[!%_]/g, (c) => `!${c}`);
}
