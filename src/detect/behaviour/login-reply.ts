import type { DecodedPacket } from '../../domain/packet.js';
import { ascii, indexOfNoCase, startsWith } from './bytes.js';
import { SERVICE } from './login-service.js';

/** What a server's answer says about a login. */
export const REPLY = { OTHER: 0, FAILED: 1, SUCCEEDED: 2 } as const;

/** What the client sent last, as far as it matters for the answer. */
export const REQUEST = { NONE: 0, PASSWORD: 1, BASIC_AUTH: 2, LOGIN_FORM: 3 } as const;

const CODE_230 = ascii('230');
const CODE_530 = ascii('530');
const CODE_235 = ascii('235');
const CODE_535 = ascii('535');
const ERR = ascii('-ERR');
const OK = ascii('+OK');
const TAGGED_NO = ascii(' no ');
const TAGGED_OK = ascii(' ok ');
const INCORRECT = ascii('incorrect');
const LAST_LOGIN = ascii('last login');
const PG_BAD_PASSWORD = ascii('28p01');
const PG_BAD_AUTH = ascii('28000');
const LOCATION = ascii('location:');
const LOGIN_WORDS = [ascii('login'), ascii('signin'), ascii('error'), ascii('fail'), ascii('denied')];
const SMB2 = Uint8Array.of(0xfe, 0x53, 0x4d, 0x42);
const SMB1 = Uint8Array.of(0xff, 0x53, 0x4d, 0x42);
const MYSQL_ACCESS_DENIED = 1045;

/** Judges one packet from the server in answer to `request`, the REQUEST it had last. */
export function judgeReply(service: number, request: number, p: DecodedPacket): number {
  const { data } = p;
  const at = p.payloadOffset;
  const end = at + p.payloadLen;
  switch (service) {
    case SERVICE.FTP:
      return either(startsWith(data, at, end, CODE_530), startsWith(data, at, end, CODE_230));
    case SERVICE.SMTP:
      return either(startsWith(data, at, end, CODE_535), startsWith(data, at, end, CODE_235));
    case SERVICE.POP3:
      if (request !== REQUEST.PASSWORD) return REPLY.OTHER;
      return either(startsWith(data, at, end, ERR), startsWith(data, at, end, OK));
    case SERVICE.IMAP:
      if (request !== REQUEST.PASSWORD) return REPLY.OTHER;
      return either(tagged(p, TAGGED_NO), tagged(p, TAGGED_OK));
    case SERVICE.TELNET:
      return either(found(p, INCORRECT), found(p, LAST_LOGIN));
    case SERVICE.HTTP:
      return judgeHttp(request, p);
    case SERVICE.MYSQL:
      return judgeMysql(data, at, p.payloadLen);
    case SERVICE.POSTGRESQL:
      return judgePostgres(p);
    case SERVICE.SMB:
      return judgeSmb(data, at, p.payloadLen);
    case SERVICE.VNC:
      return judgeVnc(data, at, p.payloadLen);
    default:
      return REPLY.OTHER;
  }
}

function either(failed: boolean, succeeded: boolean): number {
  if (failed) return REPLY.FAILED;
  return succeeded ? REPLY.SUCCEEDED : REPLY.OTHER;
}

function found(p: DecodedPacket, needle: Uint8Array): boolean {
  const at = p.payloadOffset;
  return indexOfNoCase(p.data, at, at + Math.min(p.payloadLen, 300), needle) >= 0;
}

/** The status word of a tagged IMAP answer: `a1 NO ...`. */
function tagged(p: DecodedPacket, word: Uint8Array): boolean {
  const at = p.payloadOffset;
  const where = indexOfNoCase(p.data, at, at + Math.min(p.payloadLen, 24), word);
  return where > at && p.data[at] !== 0x2a;
}

/** Status 401 answers an Authorization header; a login form answers with itself again, or sends back to it. */
function judgeHttp(request: number, p: DecodedPacket): number {
  const status = httpStatus(p);
  if (status === 0 || request === REQUEST.NONE || status === 100) return REPLY.OTHER;
  if (request === REQUEST.BASIC_AUTH) return either(status === 401 || status === 403, status < 400);
  if (request !== REQUEST.LOGIN_FORM) return REPLY.OTHER;
  if (status < 300 || status >= 400) return REPLY.FAILED;
  return either(redirectsToLogin(p), true);
}

/** Status code of a packet that begins an HTTP/1 answer, else 0. */
export function httpStatus(p: DecodedPacket): number {
  const { data } = p;
  const at = p.payloadOffset;
  if (p.payloadLen < 12 || data[at] !== 0x48 || data[at + 4] !== 0x2f || data[at + 8] !== 0x20) return 0;
  return (data[at + 9]! - 48) * 100 + (data[at + 10]! - 48) * 10 + data[at + 11]! - 48;
}

function redirectsToLogin(p: DecodedPacket): boolean {
  const end = p.payloadOffset + p.payloadLen;
  const at = indexOfNoCase(p.data, p.payloadOffset, end, LOCATION);
  if (at < 0) return false;
  let lineEnd = at;
  while (lineEnd < end && p.data[lineEnd] !== 0x0d) lineEnd++;
  return LOGIN_WORDS.some((word) => indexOfNoCase(p.data, at, lineEnd, word) >= 0);
}

/** MySQL ERR packet: 3 bytes length, sequence, 0xff, error code (MySQL client/server protocol). */
function judgeMysql(data: Uint8Array, at: number, length: number): number {
  if (length < 7) return REPLY.OTHER;
  const kind = data[at + 4];
  if (kind === 0xff) return data[at + 5]! + data[at + 6]! * 256 === MYSQL_ACCESS_DENIED ? REPLY.FAILED : REPLY.OTHER;
  // The OK packet that ends authentication has sequence 2 or more; the greeting (0x0a) has 0.
  return kind === 0 && data[at + 3]! >= 2 && data[at + 3]! <= 5 ? REPLY.SUCCEEDED : REPLY.OTHER;
}

/** PostgreSQL: ErrorResponse 'E' with SQLSTATE 28P01 or 28000; AuthenticationOk is 'R' with length 8 and code 0. */
function judgePostgres(p: DecodedPacket): number {
  const { data } = p;
  const at = p.payloadOffset;
  if (data[at] === 0x45) return either(found(p, PG_BAD_PASSWORD) || found(p, PG_BAD_AUTH), false);
  const isOk = p.payloadLen >= 9 && data[at] === 0x52 && data[at + 4] === 8 && data[at + 8] === 0;
  return isOk && data[at + 5] === 0 && data[at + 6] === 0 && data[at + 7] === 0 ? REPLY.SUCCEEDED : REPLY.OTHER;
}

/** Session set-up answers: STATUS_LOGON_FAILURE and relatives (MS-ERREF 2.3.1). */
function judgeSmb(data: Uint8Array, at: number, length: number): number {
  const smb = at + 4;
  if (length < 20) return REPLY.OTHER;
  const isSmb2 = startsWith(data, smb, at + length, SMB2);
  if (!isSmb2 && !startsWith(data, smb, at + length, SMB1)) return REPLY.OTHER;
  const isSetup = isSmb2 ? data[smb + 12] === 1 && data[smb + 13] === 0 : data[smb + 4] === 0x73;
  if (!isSetup) return REPLY.OTHER;
  const s = smb + (isSmb2 ? 8 : 5);
  const status = (data[s]! | (data[s + 1]! << 8) | (data[s + 2]! << 16) | (data[s + 3]! << 24)) >>> 0;
  const failed = status === 0xc000006d || status === 0xc000006a || status === 0xc0000064 || status === 0xc0000234;
  return either(failed, status === 0);
}

/** SecurityResult of RFB (RFC 6143 7.1.3): 0 accepted, 1 failed, with a reason text in version 3.8. */
function judgeVnc(data: Uint8Array, at: number, length: number): number {
  if (length < 4 || data[at] !== 0 || data[at + 1] !== 0 || data[at + 2] !== 0) return REPLY.OTHER;
  if (data[at + 3] === 1 && (length === 4 || length > 8)) return REPLY.FAILED;
  return data[at + 3] === 0 && length === 4 ? REPLY.SUCCEEDED : REPLY.OTHER;
}
