import { userError } from '../errors.js';

export interface LockoutOptions {
  lockoutFailures: number;
  lockoutSecs: number;
  lockoutMaxSecs: number;
}

/** How long an account is locked after so many failed logins in a row; 0 = not yet. */
export function lockSecs(failures: number, options: LockoutOptions): number {
  const beyond = failures - options.lockoutFailures;
  return beyond < 0 ? 0 : Math.min(options.lockoutMaxSecs, options.lockoutSecs * 2 ** Math.min(beyond, 20));
}

export function lockedError(retryAfterSecs: number): Error {
  return userError({
    code: 'auth.locked',
    message: 'Too many failed logins; this account is locked for a while.',
    fix: `Try again in ${retryAfterSecs} s, or run portcullis user passwd on the box.`,
    context: { retryAfterSecs },
  });
}

const MAX_NAMES = 10_000;

/** Counts failed logins in memory, where no account can. */
export function createFailureCounts(options: LockoutOptions) {
  const names = new Map<string, { failures: number; lockedUntilMs: number }>();
  return {
    lockedUntilMs: (name: string): number => names.get(name)?.lockedUntilMs ?? 0,
    fail(name: string, nowMs: number): void {
      if (names.size >= MAX_NAMES && !names.has(name)) names.clear();
      const failures = (names.get(name)?.failures ?? 0) + 1;
      const secs = lockSecs(failures, options);
      names.set(name, { failures, lockedUntilMs: secs === 0 ? 0 : nowMs + secs * 1000 });
    },
    forget: (name: string) => void names.delete(name),
  };
}
