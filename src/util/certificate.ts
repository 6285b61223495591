import { createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { parseIp } from './ip.js';

const DAY_MS = 86_400_000;

/** DER (X.690): tag, length, content. */
function der(tag: number, ...parts: (Uint8Array | readonly number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)));
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const TAG = { INTEGER: 2, BITS: 3, OCTETS: 4, OID: 6, UTF8: 12, TIME: 24, SEQUENCE: 0x30, SET: 0x31 } as const;
const TRUE = der(1, [0xff]);
const seq = (...parts: Uint8Array[]): Buffer => der(TAG.SEQUENCE, ...parts);
const oid = (...bytes: number[]): Buffer => der(TAG.OID, bytes);
const octets = (content: Uint8Array): Buffer => der(TAG.OCTETS, content);
const bits = (content: Uint8Array): Buffer => der(TAG.BITS, [0], content);

/** 1.2.840.10045.4.3.2 ecdsa-with-SHA256, attribute types of X.520, and extensions of RFC 5280 4.2.1. */
const ECDSA_SHA256 = seq(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2));
const COMMON_NAME = oid(0x55, 4, 3);
const ORGANIZATIONAL_UNIT = oid(0x55, 4, 11);
const SUBJECT_ALT_NAME = oid(0x55, 29, 17);
const BASIC_CONSTRAINTS = oid(0x55, 29, 19);
const KEY_USAGE = oid(0x55, 29, 15);
const EXTENDED_KEY_USAGE = oid(0x55, 29, 37);
/** 1.3.6.1.5.5.7.3.1 id-kp-serverAuth, .2 id-kp-clientAuth. */
const PURPOSES = { server: oid(0x2b, 6, 1, 5, 5, 7, 3, 1), client: oid(0x2b, 6, 1, 5, 5, 7, 3, 2) } as const;
/** Bits of RFC 5280 4.2.1.3, with the number of unused ones first. */
const DIGITAL_SIGNATURE = [7, 0x80];
const KEY_CERT_SIGN = [2, 0x04];

/** Who a certificate is for. */
export interface Subject {
  commonName: string;
  organizationalUnit?: string;
}

/** A certificate and its private key, PEM. */
export interface CertifiedKey {
  cert: string;
  key: string;
}

export interface CertificateRequest {
  subject: Subject;
  /** Host names and addresses; none for clients. */
  names?: readonly string[];
  purposes?: readonly (keyof typeof PURPOSES)[];
  /** It may sign others. */
  authority?: boolean;
  /** Who signs; itself without one. */
  issuer?: { subject: Subject; key: KeyObject };
  lifeDays: number;
  /** Start of its life, epoch milliseconds. */
  nowMs: number;
}

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

function distinguishedName({ commonName, organizationalUnit }: Subject): Buffer {
  const attribute = (type: Buffer, text: string): Buffer =>
    der(TAG.SET, seq(type, der(TAG.UTF8, Buffer.from(text.slice(0, 64)))));
  const unit = organizationalUnit === undefined ? [] : [attribute(ORGANIZATIONAL_UNIT, organizationalUnit)];
  return seq(...unit, attribute(COMMON_NAME, commonName));
}

function extensionsOf({ names = [], purposes = [], authority = false }: CertificateRequest): Buffer {
  const usage = authority ? KEY_CERT_SIGN : DIGITAL_SIGNATURE;
  return seq(
    seq(BASIC_CONSTRAINTS, TRUE, octets(authority ? seq(TRUE) : seq())),
    seq(KEY_USAGE, TRUE, octets(der(TAG.BITS, usage))),
    ...(purposes.length === 0 ? [] : [seq(EXTENDED_KEY_USAGE, octets(seq(...purposes.map((p) => PURPOSES[p]))))]),
    ...(names.length === 0 ? [] : [seq(SUBJECT_ALT_NAME, octets(seq(...names.map(altName))))]),
  );
}

/** An X.509 certificate (RFC 5280) with a new ECDSA P-256 key. */
export function createCertificate(request: CertificateRequest): CertifiedKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { subject, nowMs, lifeDays, issuer = { subject, key: privateKey } } = request;
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const body = seq(
    der(0xa0, der(TAG.INTEGER, [2])),
    der(TAG.INTEGER, serial),
    ECDSA_SHA256,
    distinguishedName(issuer.subject),
    // A little before now, for clocks that differ.
    seq(time(nowMs - 3_600_000), time(nowMs + lifeDays * DAY_MS)),
    distinguishedName(subject),
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    der(0xa3, extensionsOf(request)),
  );
  const certificate = seq(body, ECDSA_SHA256, bits(sign('sha256', body, issuer.key)));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
