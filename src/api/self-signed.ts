import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createCertificate, type CertifiedKey } from '../util/certificate.js';

/** Browsers refuse server certificates that live longer. */
const LIFE_DAYS = 397;
/** A certificate that ends sooner is replaced at the next start. */
const RENEW_DAYS = 30;
const DAY_MS = 86_400_000;

export const SELF_SIGNED_FILE = join('tls', 'self-signed.pem');

/**
 * A self-signed server certificate for some names and addresses (RFC 5280), ECDSA P-256.
 * @param nowMs start of its life, epoch milliseconds.
 */
export function createSelfSigned(names: readonly string[], nowMs: number): CertifiedKey {
  const subject = { commonName: names[0] ?? 'portcullis' };
  return createCertificate({ subject, names, purposes: ['server'], lifeDays: LIFE_DAYS, nowMs });
}

/** Names and addresses that people may open the console by. */
function ownNames(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const name = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(hostname()) ? [hostname()] : [];
  const usable = addresses.map(({ address }) => address).filter((address) => !address.startsWith('fe80:'));
  return [...new Set([...name, 'localhost', '127.0.0.1', '::1', ...usable])].slice(0, 60);
}

function stillGood(path: string, nowMs: number): boolean {
  try {
    return Date.parse(new X509Certificate(readFileSync(path)).validTo) > nowMs + RENEW_DAYS * DAY_MS;
  } catch {
    return false;
  }
}

/** The self-signed certificate in `dataDir/tls`: made at the first start, and again before it ends. */
export function ensureSelfSigned(
  dataDir: string,
  nowMs: number,
): { certFile: string; keyFile: string; fingerprint: string } {
  const dir = join(dataDir, 'tls');
  const [certFile, keyFile] = [join(dataDir, SELF_SIGNED_FILE), join(dir, 'self-signed.key')];
  if (!existsSync(keyFile) || !stillGood(certFile, nowMs)) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const { cert, key } = createSelfSigned(ownNames(), nowMs);
    writeFileSync(keyFile, key, { mode: 0o600 });
    writeFileSync(certFile, cert, { mode: 0o644 });
  }
  return { certFile, keyFile, fingerprint: new X509Certificate(readFileSync(certFile)).fingerprint256 };
}
