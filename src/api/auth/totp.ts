import { createHash, randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';

const PERIOD_SECS = 30;
const RECOVERY_CODES = 10;

function totpOf(secret: string, user: string): TOTP {
  return new TOTP({
    issuer: 'Portcullis',
    label: user,
    secret: Secret.fromBase32(secret),
    period: PERIOD_SECS,
    digits: 6,
  });
}

/** A new secret (RFC 6238, SHA-1 as every authenticator app expects) and its otpauth URI. */
export function newTotp(user: string): { secret: string; uri: string } {
  const secret = new Secret({ size: 20 }).base32;
  return { secret, uri: totpOf(secret, user).toString() };
}

/**
 * Checks a code with one step of tolerance each way.
 * @returns the 30-second step that the code belongs to, so that it can be used once only; undefined when wrong.
 */
export function totpStep(secret: string, user: string, code: string, nowMs: number): number | undefined {
  if (!/^\d{6}$/.test(code)) return undefined;
  const delta = totpOf(secret, user).validate({ token: code, timestamp: nowMs, window: 1 });
  return delta === null ? undefined : Math.floor(nowMs / 1000 / PERIOD_SECS) + delta;
}

/** 50 random bits each: a plain hash is enough, and a wrong guess counts as a failed login. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => {
    const text = [...randomBytes(10)].map((byte) => 'abcdefghijkmnpqrstuvwxyz23456789'.charAt(byte % 32)).join('');
    return `${text.slice(0, 5)}-${text.slice(5)}`;
  });
}

export function hashRecoveryCode(code: string): string {
  return createHash('sha256').update(code.trim().toLowerCase().replaceAll('-', '')).digest('base64url');
}
