import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { AppError, errorCode } from '../../util/errors.js';

const keyFileSchema = z.strictObject({
  version: z.literal(1),
  /** Newest first. */
  signing: z.array(z.strictObject({ kid: z.string(), createdMs: z.number(), secret: z.string() })).min(1),
  /** Seals TOTP secrets in the database. */
  sealing: z.string(),
});
type KeyFile = z.infer<typeof keyFileSchema>;

export interface SigningKey {
  kid: string;
  secret: Buffer;
}

/** Secrets of this installation: in a file that only its owner may read, never in the database. */
export interface Keys {
  /** The newest key; a new one is made when it is older than the rotation age. */
  signingKey(nowMs: number): SigningKey;
  /** A key that may still verify, by its id: as an object, since jsonwebtoken parses bytes as a PEM key each time. */
  verificationKey(kid: string, nowMs: number): KeyObject | undefined;
  /** Authenticated encryption (AES-256-GCM) of a short text. */
  seal(text: string): string;
  /** @returns undefined when the text was not sealed with this key. */
  unseal(sealed: string): string | undefined;
}

export const KEY_FILE = 'keys.json';
const DAY_MS = 86_400_000;

function newSigningKey(nowMs: number): KeyFile['signing'][number] {
  return {
    kid: randomBytes(8).toString('base64url'),
    createdMs: nowMs,
    secret: randomBytes(32).toString('base64url'),
  };
}

function writeKeyFile(path: string, keys: KeyFile): void {
  const temporary = `${path}.${process.pid}.new`;
  const fd = openSync(temporary, 'w', 0o600);
  try {
    writeSync(fd, `${JSON.stringify(keys, null, 2)}\n`);
    fchmodSync(fd, 0o600);
    // Made by root for the service: the file belongs to whom the directory belongs.
    const { uid, gid } = statSync(dirname(path));
    if (process.getuid?.() === 0) fchownSync(fd, uid, gid);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
}

function readKeyFile(path: string): KeyFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw keyFileError('The key file cannot be read.', path, error);
  }
  try {
    return keyFileSchema.parse(JSON.parse(text));
  } catch (error) {
    throw keyFileError('The key file is damaged.', path, error);
  }
}

function keyFileError(message: string, path: string, cause: unknown): AppError {
  return new AppError({
    kind: 'operational',
    code: 'auth.key_file',
    message,
    fix: `Give ${path} to the portcullis user with mode 0600, or remove it: all sessions end and TOTP must be set up again.`,
    cause,
  });
}

/**
 * Opens the key file of a data directory, making it at first use.
 * @param create false: fail instead of making it.
 * @param rotationDays age at which a new signing key takes over; old ones verify for one more day.
 * @throws AppError auth.key_file
 */
export function openKeys(dataDir: string, rotationDays = 30, { create = true } = {}): Keys {
  const path = join(dataDir, KEY_FILE);
  let file = readKeyFile(path);
  if (!file) {
    if (!create) throw keyFileError('There is no key file.', path, undefined);
    file = { version: 1, signing: [newSigningKey(Date.now())], sealing: randomBytes(32).toString('base64url') };
    save(file);
  }
  let current = file;
  const sealingKey = Buffer.from(current.sealing, 'base64url');

  function save(keys: KeyFile): void {
    try {
      writeKeyFile(path, keys);
    } catch (error) {
      throw keyFileError('The key file cannot be written.', path, error);
    }
  }

  return {
    signingKey(nowMs) {
      let [newest] = current.signing;
      if (!newest || nowMs - newest.createdMs > rotationDays * DAY_MS) {
        newest = newSigningKey(nowMs);
        const kept = current.signing.filter((key) => nowMs - key.createdMs < (rotationDays + 1) * DAY_MS);
        current = { ...current, signing: [newest, ...kept] };
        save(current);
      }
      return { kid: newest.kid, secret: Buffer.from(newest.secret, 'base64url') };
    },
    verificationKey(kid, nowMs) {
      const key = current.signing.find((candidate) => candidate.kid === kid);
      if (!key || nowMs - key.createdMs > (rotationDays + 1) * DAY_MS) return undefined;
      return createSecretKey(key.secret, 'base64url');
    },
    seal(text) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce);
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
    },
    unseal(sealed) {
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < 28) return undefined;
      try {
        const decipher = createDecipheriv('aes-256-gcm', sealingKey, bytes.subarray(0, 12), { authTagLength: 16 });
        decipher.setAuthTag(bytes.subarray(12, 28));
        return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}
