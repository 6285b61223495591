/** Whose problem it is: the user's input, the surroundings (disk, network, rights), or ours. */
export type ErrorKind = 'user' | 'operational' | 'bug';

export interface AppErrorOptions {
  kind: ErrorKind;
  /** Stable, listed in docs/errors.md, e.g. `config.unknown_key`. */
  code: string;
  /** One sentence for people; says what is wrong. */
  message: string;
  /** What to do about it. */
  fix?: string;
  context?: Record<string, unknown>;
  cause?: unknown;
}

/** The one error class that crosses module borders. */
export class AppError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly fix: string | undefined;
  readonly context: Record<string, unknown>;

  constructor(options: AppErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.kind = options.kind;
    this.code = options.code;
    this.fix = options.fix;
    this.context = options.context ?? {};
  }
}

/** The message of anything thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node or application error, or the empty string. */
export function errorCode(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error) return String(error.code);
  return '';
}

/** Process exit codes of the command line contract. */
export const EXIT = { OK: 0, INPUT: 1, USAGE: 2, OPERATIONAL: 3 } as const;

/** Exit code for an error: problems in the input 1, options that do not go together 2, everything else 3. */
export function exitCodeFor(error: unknown): number {
  if (error instanceof AppError && error.code.endsWith('.usage')) return EXIT.USAGE;
  return error instanceof AppError && error.kind === 'user' ? EXIT.INPUT : EXIT.OPERATIONAL;
}
