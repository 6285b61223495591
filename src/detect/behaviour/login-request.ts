import type { DecodedPacket } from '../../domain/packet.js';
import { ascii, fnv1a, indexOfNoCase, wordEnd } from './bytes.js';
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

export function clearRequest(out: LoginRequest): void {
  out.kind = REQUEST.NONE;
  out.user = 0;
  out.password = 0;
}

/** Reads one packet from the client of a text protocol into `out`; HTTP is read in login-http.ts. */
export function readRequest(service: number, p: DecodedPacket, out: LoginRequest): void {
  clearRequest(out);
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
    out.password = fnv1a(data, userEnd + 1, wordEnd(data, userEnd + 1, end));
  } else if (indexOfNoCase(data, at, Math.min(end, at + 32), AUTHENTICATE) >= 0) out.kind = REQUEST.PASSWORD;
}
