import { createPublicKey, generateKeyPairSync, randomBytes, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { parseIp } from '../util/ip.js';

/** Browsers refuse server certificates that live longer. */
const LIFE_DAYS = 397;
/** A certificate that ends sooner is replaced at the next start. */
const RENEW_DAYS = 30;
const DAY_MS = 86_400_000;

export const SELF_SIGNED_FILE = join('tls', 'self-signed.pem');

/** DER (X.690): tag, length, content. */
function der(tag: number, ...parts: (Uint8Array | readonly number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)));
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const TAG = { INTEGER: 2, BITS: 3, OCTETS: 4, OID: 6, UTF8: 12, TIME: 24, SEQUENCE: 0x30, SET: 0x31 } as const;
const seq = (...parts: Uint8Array[]): Buffer => der(TAG.SEQUENCE, ...parts);
const oid = (...bytes: number[]): Buffer => der(TAG.OID, bytes);
const octets = (content: Uint8Array): Buffer => der(TAG.OCTETS, content);
const bits = (content: Uint8Array): Buffer => der(TAG.BITS, [0], content);

/** 1.2.840.10045.4.3.2 ecdsa-with-SHA256, 2.5.4.3 commonName, and extensions of RFC 5280 4.2.1. */
const ECDSA_SHA256 = seq(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2));
const COMMON_NAME = oid(0x55, 4, 3);
const SUBJECT_ALT_NAME = oid(0x55, 29, 17);
const BASIC_CONSTRAINTS = oid(0x55, 29, 19);
const KEY_USAGE = oid(0x55, 29, 15);
const EXTENDED_KEY_USAGE = oid(0x55, 29, 37);
/** 1.3.6.1.5.5.7.3.1 id-kp-serverAuth. */
const SERVER_AUTH = oid(0x2b, 6, 1, 5, 5, 7, 3, 1);

/** GeneralizedTime, as RFC 5280 4.1.2.5.2 wants it. */
function time(ms: number): Buffer {
  return der(TAG.TIME, Buffer.from(new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')));
}

function addressBytes(text: string): Buffer {
  const ip = parseIp(text);
  if (!ip) return Buffer.alloc(0);
  const bytes = Buffer.alloc(16);
  for (const [i, word] of ip.words.entries()) bytes.writeUInt32BE(word >>> 0, i * 4);
  return ip.version === 4 ? bytes.subarray(12) : bytes;
}

/** RFC 5280 4.2.1.6: iPAddress [7], dNSName [2]. */
function altName(name: string): Buffer {
  return isIP(name) ? der(0x87, addressBytes(name)) : der(0x82, Buffer.from(name, 'ascii'));
}

/**
 * A self-signed server certificate for some names and addresses (RFC 5280), ECDSA P-256.
 * @param nowMs start of its life, epoch milliseconds.
 */
export function createSelfSigned(names: readonly string[], nowMs: number): { cert: string; key: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = seq(
    der(TAG.SET, seq(COMMON_NAME, der(TAG.UTF8, Buffer.from((names[0] ?? 'portcullis').slice(0, 64))))),
  );
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const extensions = seq(
    seq(BASIC_CONSTRAINTS, der(1, [0xff]), octets(seq())),
    // digitalSignature
    seq(KEY_USAGE, der(1, [0xff]), octets(der(TAG.BITS, [7, 0x80]))),
    seq(EXTENDED_KEY_USAGE, octets(seq(SERVER_AUTH))),
    seq(SUBJECT_ALT_NAME, octets(seq(...names.map(altName)))),
  );
  const body = seq(
    der(0xa0, der(TAG.INTEGER, [2])),
    der(TAG.INTEGER, serial),
    ECDSA_SHA256,
    subject,
    // A little before now, for clocks that differ.
    seq(time(nowMs - 3_600_000), time(nowMs + LIFE_DAYS * DAY_MS)),
    subject,
    publicKeyInfo(privateKey),
    der(0xa3, extensions),
  );
  const certificate = seq(body, ECDSA_SHA256, bits(sign('sha256', body, privateKey)));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function publicKeyInfo(privateKey: KeyObject): Buffer {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
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
