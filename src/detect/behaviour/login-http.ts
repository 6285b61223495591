import type { DecodedPacket } from '../../domain/packet.js';
import { ascii, fnv1a, indexOfNoCase, startsWith, wordEnd } from './bytes.js';
import { REQUEST } from './login-reply.js';
import type { LoginRequest } from './login-request.js';

const AUTHORIZATION = ascii('authorization: ');
const BASIC = ascii('basic ');
const DIGEST = ascii('digest ');
const POST = ascii('POST ');
const PASSWORD_FIELDS = [ascii('passwd='), ascii('password='), ascii('pass='), ascii('pwd='), ascii('"password"')];
const USER_FIELDS = [ascii('username='), ascii('user='), ascii('login='), ascii('email='), ascii('log=')];

/** The methods looked for begin with D to P. */
export function isMethodLetter(byte: number): boolean {
  return byte >= 0x44 && byte <= 0x50;
}

/** True when the packet begins an HTTP/1 request: GET, POST, HEAD, PUT, DELETE, OPTIONS, PATCH, PROPFIND. */
export function isHttpRequest(p: DecodedPacket): boolean {
  const d = p.data;
  const at = p.payloadOffset;
  if (p.payloadLen < 5 || !isMethodLetter(d[at]!)) return false;
  switch ((d[at]! << 24) | (d[at + 1]! << 16) | (d[at + 2]! << 8) | d[at + 3]!) {
    case 0x47455420:
    case 0x504f5354:
    case 0x48454144:
    case 0x50555420:
    case 0x44454c45:
    case 0x4f505449:
    case 0x50415443:
    case 0x50524f50:
      return true;
    default:
      return false;
  }
}

export function isPost(p: DecodedPacket): boolean {
  return startsWith(p.data, p.payloadOffset, p.payloadOffset + p.payloadLen, POST);
}

/** Basic and digest authentication (RFC 7617, RFC 7616) in a packet's headers. */
export function readCredentials(p: DecodedPacket, out: LoginRequest): void {
  const { data } = p;
  const at = p.payloadOffset;
  const end = at + p.payloadLen;
  const header = indexOfNoCase(data, at, end, AUTHORIZATION);
  if (header < 0) return;
  const value = header + AUTHORIZATION.length;
  const basic = indexOfNoCase(data, value, Math.min(end, value + BASIC.length), BASIC) === value;
  if (!basic && indexOfNoCase(data, value, Math.min(end, value + DIGEST.length), DIGEST) !== value) return;
  out.kind = REQUEST.BASIC_AUTH;
  out.user = fnv1a(data, value, wordEnd(data, value + BASIC.length, end));
}

/** A login form, in the packet that posts it or in the one after the header. */
export function readForm(p: DecodedPacket, out: LoginRequest): void {
  const { data } = p;
  const at = p.payloadOffset;
  const end = at + p.payloadLen;
  if (data[at]! < 0x20) return;
  for (const field of PASSWORD_FIELDS) {
    const where = indexOfNoCase(data, at, end, field);
    if (where < 0) continue;
    out.kind = REQUEST.LOGIN_FORM;
    out.password = fnv1a(data, where, fieldEnd(data, where, end));
    for (const name of USER_FIELDS) {
      const user = indexOfNoCase(data, at, end, name);
      if (user >= 0) out.user = fnv1a(data, user, fieldEnd(data, user, end));
    }
    return;
  }
}

function fieldEnd(data: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && data[i] !== 0x26 && data[i] !== 0x0d) i++;
  return i;
}
