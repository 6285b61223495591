import { randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto';
import { userError } from '../errors.js';

/** What a guess costs: scrypt with N = 2^`logN`, which takes 128 * 2^`logN` * `r` bytes, `p` times. */
export interface HashCost {
  logN: number;
  r: number;
  p: number;
}

export interface Passwords {
  /** @returns `scrypt$logN$r$p$salt$hash`. @throws AppError request.busy */
  hash(password: string): Promise<string>;
  /**
   * Constant-time check at the cost the hash was made with; `undefined` (no such user) takes as long as one of today's and fails.
   * @throws AppError request.busy
   */
  verify(password: string, hash: string | undefined): Promise<boolean>;
  /** True when the hash was made at another cost than today's. */
  needsRehash(hash: string): boolean;
}

/** scrypt parameters of the OWASP password storage cheat sheet: 32 MiB, three passes. */
const DEFAULT_COST: HashCost = { logN: 15, r: 8, p: 3 };
const KEY_BYTES = 32;
const MAX_MEMORY = 128 * 1024 * 1024;
/** Each check takes 32 MiB and a thread: more than a few at a time would be a way to exhaust the box. */
const MAX_RUNNING = 2;
const MAX_WAITING = 50;

let running = 0;
const waiting: (() => void)[] = [];

async function inTurn<T>(task: () => Promise<T>): Promise<T> {
  if (running >= MAX_RUNNING) {
    if (waiting.length >= MAX_WAITING) {
      throw userError({
        code: 'request.busy',
        message: 'Too many logins at the same time.',
        fix: 'Try again shortly.',
      });
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
  running++;
  try {
    return await task();
  } finally {
    running--;
    waiting.shift()?.();
  }
}

function derive(password: string, salt: Buffer, { logN, r, p }: HashCost): Promise<Buffer> {
  return inTurn(
    () =>
      new Promise((resolve, reject) => {
        const options = { N: 2 ** logN, r, p, maxmem: MAX_MEMORY };
        scrypt(password.normalize('NFKC'), salt, KEY_BYTES, options, (error, key) => {
          if (error) reject(error);
          else resolve(key);
        });
      }),
  );
}

/** Passwords at a cost: the default one in every program; tests that are not about it take a low one. */
export function createPasswords(cost: HashCost = DEFAULT_COST): Passwords {
  const prefix = `scrypt$${cost.logN}$${cost.r}$${cost.p}$`;
  const format = (salt: Buffer, key: Buffer): string =>
    `${prefix}${salt.toString('base64url')}$${key.toString('base64url')}`;
  const nobody = format(Buffer.alloc(16), Buffer.alloc(KEY_BYTES));
  return {
    async hash(password) {
      const salt = randomBytes(16);
      return format(salt, await derive(password, salt, cost));
    },
    async verify(password, hash) {
      const [scheme, logN, r, p, salt = '', expected = ''] = (hash ?? nobody).split('$');
      if (scheme !== 'scrypt') return false;
      const made = { logN: Number(logN), r: Number(r), p: Number(p) };
      const key = await derive(password, Buffer.from(salt, 'base64url'), made);
      const wanted = Buffer.from(expected, 'base64url');
      return hash !== undefined && wanted.length === key.length && timingSafeEqual(wanted, key);
    },
    needsRehash: (hash) => !hash.startsWith(prefix),
  };
}

/** Those of the product. */
export const defaultPasswords = createPasswords();

/** Letters and digits that are not mistaken for one another. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';

/** Random password for a first login: five groups of four, 100 bits. */
export function randomPassword(): string {
  const group = (): string => Array.from({ length: 4 }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
  return Array.from({ length: 5 }, group).join('-');
}
