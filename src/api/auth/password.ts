import { randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto';
import { userError } from '../errors.js';

/** scrypt parameters of the OWASP password storage cheat sheet: 32 MiB, three passes. */
const LOG_N = 15;
const R = 8;
const P = 3;
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

function derive(password: string, salt: Buffer, logN: number, r: number, p: number): Promise<Buffer> {
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

/** @returns `scrypt$logN$r$p$salt$hash`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, LOG_N, R, P);
  return `scrypt$${LOG_N}$${R}$${P}$${salt.toString('base64url')}$${key.toString('base64url')}`;
}

/** Hash of nothing: checking it for unknown users takes as long as checking a real one. */
const NOBODY = `scrypt$${LOG_N}$${R}$${P}$${Buffer.alloc(16).toString('base64url')}$${Buffer.alloc(KEY_BYTES).toString('base64url')}`;

/** Constant-time check; `undefined` (no such user) takes the same time and fails. */
export async function verifyPassword(password: string, hash: string | undefined): Promise<boolean> {
  const [scheme, logN, r, p, salt = '', expected = ''] = (hash ?? NOBODY).split('$');
  if (scheme !== 'scrypt') return false;
  const key = await derive(password, Buffer.from(salt, 'base64url'), Number(logN), Number(r), Number(p));
  const wanted = Buffer.from(expected, 'base64url');
  return hash !== undefined && wanted.length === key.length && timingSafeEqual(wanted, key);
}

/** True when the hash was made with other parameters than today's. */
export function needsRehash(hash: string): boolean {
  return !hash.startsWith(`scrypt$${LOG_N}$${R}$${P}$`);
}

/** Letters and digits that are not mistaken for one another. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';

/** Random password for a first login: five groups of four, 100 bits. */
export function randomPassword(): string {
  const group = (): string => Array.from({ length: 4 }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
  return Array.from({ length: 5 }, group).join('-');
}
