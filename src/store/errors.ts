import { AppError, errorCode, errorMessage } from '../util/errors.js';

interface Known {
  match: RegExp;
  code: string;
  message: string;
  fix: string;
}

/** SQLite result codes (sqlite.org/rescode.html), MySQL error names, and socket errors of mysql2. */
const KNOWN: readonly Known[] = [
  {
    match: /^SQLITE_(CORRUPT|NOTADB)/,
    code: 'store.corrupt',
    message: 'The database file is damaged or is not a database.',
    fix: 'Restore a backup, or move the file away and start again with an empty one.',
  },
  {
    match: /^SQLITE_(BUSY|LOCKED)|^ER_LOCK_(WAIT_TIMEOUT|DEADLOCK)/,
    code: 'store.locked',
    message: 'The database is locked by another process.',
    fix: 'End the other program that writes to the database, or raise store.busy_timeout_ms.',
  },
  {
    match: /^SQLITE_READONLY|^ER_(OPTION_PREVENTS_STATEMENT|READ_ONLY_MODE)|^EROFS/,
    code: 'store.readonly',
    message: 'The database cannot be written.',
    fix: 'Give the portcullis user write access to the database file and its directory.',
  },
  {
    match: /^SQLITE_(FULL|IOERR)|^ENOSPC|^ER_(DISK_FULL|RECORD_FILE_FULL)/,
    code: 'store.full',
    message: 'The database cannot grow: the disk is full or failing.',
    fix: 'Free disk space or shorten store.retention.',
  },
  {
    match: /^SQLITE_CANTOPEN|^EACCES|^ENOENT|^ENOTDIR|^EISDIR/,
    code: 'store.cannot_open',
    message: 'The database file cannot be opened.',
    fix: 'Check that store.path lies in an existing directory that the portcullis user may write.',
  },
  {
    match: /^ER_(ACCESS_DENIED|DBACCESS_DENIED|BAD_DB|TABLEACCESS_DENIED)/,
    code: 'store.denied',
    message: 'The database server refused the user or the database name.',
    fix: 'Check store.user, store.password, store.database and the grants.',
  },
  {
    match:
      /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EPIPE|PROTOCOL_|ER_CON_COUNT|ER_SERVER_SHUTDOWN)/,
    code: 'store.unreachable',
    message: 'The database server does not answer.',
    fix: 'Check that it runs and that store.host and store.port are right.',
  },
];

/** The database is there and takes nothing, as on a full disk. */
export const UNWRITABLE: ReadonlySet<string> = new Set(['store.full', 'store.locked', 'store.readonly']);

/** Turns whatever a driver threw into one of the store's errors; AppErrors pass through. */
export function toStoreError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const inner = typeof error === 'object' && error !== null && 'driverError' in error ? error.driverError : error;
  const dialling = typeof inner === 'object' && inner !== null && 'syscall' in inner && inner.syscall === 'connect';
  // mysql2 has no code for a command on a connection that has ended.
  const closed = /in closed state|connection is closed/i.test(errorMessage(inner));
  const code = errorCode(inner) || (closed ? 'PROTOCOL_CONNECTION_LOST' : '');
  const known = KNOWN.find((k) => (dialling ? k.code === 'store.unreachable' : k.match.test(code)));
  const kind = 'operational';
  if (known) {
    const { message, fix } = known;
    return new AppError({ kind, code: known.code, message, fix, context: { driverCode: code }, cause: error });
  }
  return new AppError({
    kind,
    code: 'store.failed',
    message: 'The database reported an error.',
    fix: 'See the log for the cause.',
    context: { driverCode: code, driverMessage: errorMessage(inner) },
    cause: error,
  });
}

/** True for a violated primary key or unique index on either database. */
export function isDuplicate(error: unknown): boolean {
  const inner = typeof error === 'object' && error !== null && 'driverError' in error ? error.driverError : error;
  return /^SQLITE_CONSTRAINT_(PRIMARYKEY|UNIQUE)$|^ER_DUP_ENTRY/.test(errorCode(inner));
}

type AsyncMethods = Record<string, (...args: never[]) => unknown>;

/** Wraps every method so that driver errors leave the store as AppErrors. */
export function withStoreErrors<T extends object>(repository: T): T {
  const wrapped: Record<string, unknown> = {};
  for (const [name, method] of Object.entries(repository as AsyncMethods)) {
    wrapped[name] = (...args: never[]): unknown => {
      const result = method(...args);
      return result instanceof Promise ? result.catch((error: unknown) => Promise.reject(toStoreError(error))) : result;
    };
  }
  return wrapped as T;
}
