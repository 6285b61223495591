import type { DecodedPacket } from '../../domain/packet.js';
import { ascii, fnv1a, indexOfNoCase, startsWith, wordEnd } from './bytes.js';
import { REQUEST } from './login-reply.js';
import { SERVICE } from './login-service.js';

/** What a client's packet says about a login; reused. Hashes are 0 when not seen. */
export interface LoginRequest {
  kind: number;
  user: number;
  password: number;
}

const USER = ascii('user ');
const PASS = ascii('pass ');
const LOGIN = ascii(' login ');
const AUTHENTICATE = ascii(' authenticate ');
const AUTHORIZATION = ascii('authorization: ');
const BASIC = ascii('basic ');
const DIGEST = ascii('digest ');
const POST = ascii('POST ');
const PASSWORD_FIELDS = [ascii('passwd='), ascii('password='), ascii('pass='), ascii('pwd='), ascii('"password"')];
const USER_FIELDS = [ascii('username='), ascii('user='), ascii('login='), ascii('email='), ascii('log=')];

/** Reads one packet from the client into `out`. */
export function readRequest(service: number, p: DecodedPacket, out: LoginRequest): void {
  out.kind = REQUEST.NONE;
  out.user = 0;
  out.password = 0;
  const { data } = p;
  const at = p.payloadOffset;
  const end = at + p.payloadLen;
  if (service === SERVICE.FTP || service === SERVICE.POP3) {
    if (indexOfNoCase(data, at, Math.min(end, at + 5), USER) === at) {
      out.user = fnv1a(data, at + 5, wordEnd(data, at + 5, end));
    } else if (indexOfNoCase(data, at, Math.min(end, at + 5), PASS) === at) {
      out.kind = REQUEST.PASSWORD;
      out.password = fnv1a(data, at + 5, wordEnd(data, at + 5, end));
    }
  } else if (service === SERVICE.IMAP) readImap(p, out);
  else if (service === SERVICE.HTTP) readHttp(p, out);
}

function readImap(p: DecodedPacket, out: LoginRequest): void {
  const { data } = p;
  const at = p.payloadOffset;
  const end = at + p.payloadLen;
  const login = indexOfNoCase(data, at, Math.min(end, at + 24), LOGIN);
  if (login >= 0) {
    const userEnd = wordEnd(data, login + LOGIN.length, end);
    out.kind = REQUEST.PASSWORD;
    out.user = fnv1a(data, login + LOGIN.length, userEnd);
    out.password = fnv1a(data, userEnd, wordEnd(data, userEnd + 1, end));
  } else if (indexOfNoCase(data, at, Math.min(end, at + 32), AUTHENTICATE) >= 0) out.kind = REQUEST.PASSWORD;
}

function readHttp(p: DecodedPacket, out: LoginRequest): void {
  const { data } = p;
  const at = p.payloadOffset;
  const end = at + p.payloadLen;
  const header = indexOfNoCase(data, at, end, AUTHORIZATION);
  if (header >= 0) {
    const value = header + AUTHORIZATION.length;
    const basic = indexOfNoCase(data, value, Math.min(end, value + BASIC.length), BASIC) === value;
    if (basic || indexOfNoCase(data, value, Math.min(end, value + DIGEST.length), DIGEST) === value) {
      out.kind = REQUEST.BASIC_AUTH;
      out.user = fnv1a(data, value, wordEnd(data, value + BASIC.length, end));
      return;
    }
  }
  // The form's fields may come in the packet after the header.
  const isText = startsWith(data, at, end, POST) || data[at]! >= 0x20;
  if (!isText) return;
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
