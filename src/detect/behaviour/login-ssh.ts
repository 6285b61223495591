/** What the sizes of a server's packets say of an SSH connection's logins; a note of bits a flow. */
const COUNT_MASK = 0x3f;
const LENGTH_SHIFT = 6;
const LENGTH_MASK = 0xfff << LENGTH_SHIFT;
/** The server accepted the authentication service. */
const ACCEPTED = 1 << 18;
/** It sent something else than a refusal since: the login worked, or this is its farewell. */
const OTHER = 1 << 19;
/** The client went on after that: a session. */
const SESSION = 1 << 20;

/** Acceptance and refusals are short, and the keys are exchanged before. */
const SHORT_BYTES = 120;
const KEY_EXCHANGE_BYTES = 1000;
/** An OpenSSH server allows six. */
const MAX_ATTEMPTS = 6;

/**
 * A packet of the server. Refusals (SSH_MSG_USERAUTH_FAILURE, RFC 4252 5.1) list the same methods each time and so have
 * one length; whatever has another length is none.
 * @param received payload bytes of the server so far.
 * @returns the note afterwards.
 */
export function noteSshServer(note: number, bytes: number, received: number): number {
  if (received < KEY_EXCHANGE_BYTES) return note;
  if ((note & ACCEPTED) === 0) return bytes <= SHORT_BYTES ? note | ACCEPTED : note;
  const length = (note & LENGTH_MASK) >> LENGTH_SHIFT;
  if (length === 0 && bytes <= SHORT_BYTES) return note | (bytes << LENGTH_SHIFT) | 1;
  if (length !== bytes) return note | OTHER;
  return (note & COUNT_MASK) === COUNT_MASK ? note : note + 1;
}

export function noteSshClient(note: number): number {
  return (note & OTHER) !== 0 ? note | SESSION : note;
}

/**
 * Refused logins of a connection that never became a session. The first refusal of several answers the question for methods
 * (RFC 4252 5.2), which most clients ask first; a connection that ended with its first one was a login of a client that asks
 * nothing (ncrack with one try a connection, scripts), or of one that had nothing to offer.
 */
export function sshRefusals(note: number): number {
  if ((note & SESSION) !== 0) return 0;
  const refusals = note & COUNT_MASK;
  return refusals <= 1 ? refusals : Math.min(MAX_ATTEMPTS, refusals - 1);
}
