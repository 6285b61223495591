import type { Direction, FlowColumns } from '../../domain/flow.js';
import type { DecodedPacket } from '../../domain/packet.js';
import { ascii, startsWith } from './bytes.js';

/** Fields of a connection's record. */
const FLAGS = 0;
/** Length of the answer that accepted the authentication service; 0 before. */
const ACCEPT = 1;
/** Length of the first answer to a request to log in. */
const ANSWER = 2;
/** Length of refusals. */
const REFUSAL = 3;
/** Length of the first request to log in. */
const FIRST = 4;
/** Length of the request that was not answered yet; 0 without one. */
const REQUEST = 5;
/** Refused requests as long as one with a password is. */
const REFUSED = 6;
/** Refused requests that offered a key or a long password. */
const UNSURE = 7;
/** Payload of client and server before: the key exchange. */
const SENT = 8;
const RECEIVED = 9;
/** Length of the server's last message. */
const LAST = 10;
/** When that was, in {@link TICKS_A_US}; sixteen bits of it. */
const LAST_AT = 11;
const FIELDS = 12;

/** The server said its version. */
const GREETED = 1;
/** The client said its version, and is none of those that pad passwords and answers alike. */
const PLAIN = 2;
/** The server's last answer was a refusal. */
const WAS_REFUSED = 4;
/** It was something else: a question, a key that is known, a farewell. */
const OTHER = 8;
/** It went on like that: maybe a session. */
const WENT_ON = 16;
/** The first request was no question for methods: it counts. */
const FIRST_COUNTS = 32;
/** One password after the other is tried. */
const GUESSING = 64;
const LOGGED_IN = 128;
/** A key was refused. */
const KEYS = 256;
/** More than the first request to log in was answered. */
const LATER = 512;
/** The request was long in coming: somebody typed it. */
const TYPED = 1024;

/** SSH_MSG_SERVICE_ACCEPT in any cipher and with any MAC: 32 to 104 bytes, and never a part of the key exchange. */
const ACCEPT_MIN = 32;
const ACCEPT_MAX = 120;
/** A first answer so much longer than the acceptance carries more than a refusal: a banner, extensions. */
const REFUSAL_MORE = 80;
/** SSH_MSG_USERAUTH_SUCCESS is this much shorter than the acceptance, or twice (16 bytes of payload; one or two blocks of 8). */
const SUCCESS_LESS = 8;
/** Requests relative to the acceptance, which is as long as the request for the service. */
const LOGIN_MORE = 24;
const PADDED_MORE = 64;
const OFFER_MORE = 96;
const PASSWORD_MOST = 112;
/** PuTTY's passwords are shorter, keys of other types than Ed25519 and ECDSA longer. */
const KEY_MORE = 256;
/** An agent offers its next key at once; who types takes a second at least. */
const TICKS_A_US = 1e-4;
const TYPED_TICKS = 100;
/** An OpenSSH server allows six, an OpenSSH client asks for three. */
const MAX_ATTEMPTS = 6;
const MAX_PROMPTS = 3;

/** More than a key exchange takes either way. */
const KEY_EXCHANGE_MOST = 16_000;

const VERSION = ascii('SSH-');
const PADDING_CLIENTS = [ascii('SSH-2.0-OpenSSH'), ascii('SSH-2.0-PuTTY')];

/**
 * What the lengths of encrypted messages say of an SSH connection's logins (RFC 4252, RFC 4253 section 6), by flow slot.
 *
 * The first short answer after the key exchange accepts the authentication service. Then requests and answers take turns. A
 * success is shorter than the acceptance, whatever the cipher. Refusals list the same methods each time and so have one length.
 * What was refused is told by the request: `none`, which most clients ask first to learn the methods, is the shortest that a
 * user's can be; an offered key is longer than any password. An answer to a keyboard-interactive question is shorter than a
 * request, but for clients that pad it.
 */
export class SshNotes {
  private records = new Uint16Array(0);

  /** A connection begins. */
  clear(slot: number, capacity: number): void {
    const at = slot * FIELDS;
    if (at >= this.records.length) {
      const bigger = new Uint16Array(capacity * FIELDS);
      bigger.set(this.records);
      this.records = bigger;
    }
    this.records.fill(0, at, at + FIELDS);
  }

  /** A packet with payload. */
  note(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): void {
    const at = slot * FIELDS;
    const end = p.payloadOffset + p.payloadLen;
    const ticks = Math.floor(p.tsUs * TICKS_A_US) & 0xffff;
    if (direction === 0) {
      if (flows.payloadFwd[slot] === p.payloadLen && isPlain(p)) this.records[at + FLAGS]! |= PLAIN;
      const isTyped = ((ticks - this.records[at + LAST_AT]!) & 0xffff) >= TYPED_TICKS;
      this.records[at + FLAGS] = (this.records[at + FLAGS]! & ~TYPED) | (isTyped ? TYPED : 0);
      this.onRequest(at, p.payloadLen);
      return;
    }
    this.records[at + LAST_AT] = ticks;
    if (startsWith(p.data, p.payloadOffset, end, VERSION)) this.records[at + FLAGS]! |= GREETED;
    else if (this.records[at + ACCEPT] === 0) this.onAcceptance(at, p.payloadLen, flows, slot);
    else this.onAnswer(at, p.payloadLen);
  }

  /** True when more than `most` bytes followed the key exchange either way: so much no login takes. */
  isSession(flows: FlowColumns, slot: number, most: number): boolean {
    const at = slot * FIELDS;
    const { records } = this;
    const isAccepted = records[at + ACCEPT] !== 0;
    const sent = isAccepted ? records[at + SENT]! : KEY_EXCHANGE_MOST;
    const received = isAccepted ? records[at + RECEIVED]! : KEY_EXCHANGE_MOST;
    return flows.payloadFwd[slot]! - sent > most || flows.payloadBwd[slot]! - received > most;
  }

  isLoggedIn(slot: number): boolean {
    return (this.records[slot * FIELDS + FLAGS]! & LOGGED_IN) !== 0;
  }

  /**
   * Refused guesses as far as they are sure while the connection is open. A user who mistypes has some too, and an agent's keys
   * come before the right one, so keys do not count, and nothing does once the login worked.
   */
  openGuesses(slot: number): number {
    const at = slot * FIELDS;
    const flags = this.records[at + FLAGS]!;
    return (flags & (GUESSING | WENT_ON | LOGGED_IN)) === GUESSING ? Math.min(MAX_ATTEMPTS, this.refused(at)) : 0;
  }

  /**
   * Refused guesses of a connection that is over and never became a session. A connection that ended with its first refusal was a
   * login of a client that asks nothing, or of one that had nothing to offer. Several requests that may have been keys count as one
   * unless they were typed: an agent offers what it has.
   */
  guesses(slot: number): number {
    const at = slot * FIELDS;
    const flags = this.records[at + FLAGS]!;
    if ((flags & (WENT_ON | LOGGED_IN)) !== 0) return 0;
    const farewell = (flags & (GUESSING | OTHER)) === (GUESSING | OTHER) ? 1 : 0;
    const guesses = this.refused(at) + Math.min(1, this.records[at + UNSURE]!) + farewell;
    if (guesses === 0 && (flags & (KEYS | LATER)) === 0) return this.records[at + REFUSED]!;
    // A client that pads may be asked at a prompt, which can be as long as a refusal.
    return Math.min((flags & (PLAIN | FIRST_COUNTS)) === 0 ? MAX_PROMPTS : MAX_ATTEMPTS, guesses);
  }

  private refused(at: number): number {
    const refused = this.records[at + REFUSED]!;
    return refused > 0 && (this.records[at + FLAGS]! & FIRST_COUNTS) === 0 ? refused - 1 : refused;
  }

  private onRequest(at: number, bytes: number): void {
    const { records } = this;
    const flags = records[at + FLAGS]!;
    records[at + REQUEST] = bytes;
    const accept = records[at + ACCEPT]!;
    if (accept === 0) return;
    if (records[at + FIRST] === 0) records[at + FIRST] = bytes;
    // Shorter ones are no requests to log in: answers to a question, the service again, farewells.
    if ((flags & WAS_REFUSED) === 0 || bytes < accept + LOGIN_MORE) return;
    records[at + FLAGS]! &= ~WAS_REFUSED;
    if (this.provesFirst(at, bytes)) records[at + FLAGS]! |= FIRST_COUNTS;
    // Without `none` a second request may still be one for a prompt, where the server takes no password at once.
    const isPlain = (flags & PLAIN) !== 0;
    const needed = isPlain ? 2 : (records[at + FLAGS]! & FIRST_COUNTS) !== 0 ? 1 : Infinity;
    if (records[at + REFUSED]! >= needed) records[at + FLAGS]! |= GUESSING;
  }

  /** A request no longer than the first, which then was not `none`. What clients that pad send first is, unless it is long. */
  private provesFirst(at: number, bytes: number): boolean {
    const { records } = this;
    const first = records[at + FIRST]!;
    const more = first - records[at + ACCEPT]!;
    const least = (records[at + FLAGS]! & PLAIN) !== 0 ? LOGIN_MORE : PADDED_MORE;
    return bytes <= first && more >= least && more < PASSWORD_MOST;
  }

  /** The first short answer behind the server's version. */
  private onAcceptance(at: number, bytes: number, flows: FlowColumns, slot: number): void {
    const { records } = this;
    const isAnswer = records[at + REQUEST] !== 0 && (records[at + FLAGS]! & GREETED) !== 0;
    records[at + REQUEST] = 0;
    if (!isAnswer || bytes < ACCEPT_MIN || bytes > ACCEPT_MAX) return;
    records[at + ACCEPT] = bytes;
    records[at + SENT] = flows.payloadFwd[slot]!;
    records[at + RECEIVED] = flows.payloadBwd[slot]!;
  }

  private onAnswer(at: number, bytes: number): void {
    const { records } = this;
    const request = records[at + REQUEST]!;
    const accept = records[at + ACCEPT]!;
    const last = records[at + LAST]!;
    records[at + LAST] = bytes;
    records[at + REQUEST] = 0;
    if (request === 0) {
      // Said unasked, as in sessions, unless it is the same, shown twice; a banner comes with the first answer.
      if (bytes !== last && (records[at + FLAGS]! & LATER) !== 0) this.onOther(at);
    } else if (bytes <= accept - SUCCESS_LESS) records[at + FLAGS]! |= LOGGED_IN;
    // Some clients ask for the service before each login.
    else if (bytes !== accept || request !== accept || bytes === records[at + REFUSAL]) {
      if (records[at + ANSWER] === 0) this.onFirst(at, bytes, request - accept);
      else this.onLater(at, bytes, request - accept);
    }
  }

  /** @param more how much longer than the acceptance the request was. */
  private onFirst(at: number, bytes: number, more: number): void {
    const { records } = this;
    records[at + ANSWER] = bytes;
    if (bytes <= records[at + ACCEPT]! + REFUSAL_MORE) records[at + REFUSAL] = bytes;
    records[at + FLAGS]! |= WAS_REFUSED;
    if (more >= PASSWORD_MOST) records[at + FLAGS]! |= KEYS | FIRST_COUNTS;
    else records[at + REFUSED] = 1;
  }

  private onLater(at: number, bytes: number, more: number): void {
    const { records } = this;
    records[at + FLAGS]! |= LATER;
    const flags = records[at + FLAGS]!;
    if (records[at + REFUSAL] === 0) records[at + REFUSAL] = bytes;
    const isRefusal = bytes === records[at + REFUSAL];
    if (isRefusal || bytes === records[at + ANSWER]) {
      const wasAsked = (flags & OTHER) !== 0;
      // An answer to something short that was not asked for belongs to no login.
      if (more < LOGIN_MORE && !wasAsked) return;
      records[at + FLAGS] = flags & ~OTHER;
      if (isRefusal || wasAsked) this.onRefusal(at, bytes, more);
    } else if (bytes < records[at + REFUSAL]!) this.onShorter(at, bytes, more);
    else this.onOther(at);
  }

  /** A whole message less than the first answer, before whose refusal a banner came; else maybe a question, and the next one tells. */
  private onShorter(at: number, bytes: number, more: number): void {
    const { records } = this;
    records[at + REFUSAL] = bytes;
    if (records[at + ANSWER]! - bytes >= records[at + ACCEPT]!) this.onRefusal(at, bytes, more);
    else this.onOther(at);
  }

  private onOther(at: number): void {
    const flags = this.records[at + FLAGS]!;
    const wentOn = (flags & OTHER) !== 0 ? WENT_ON : 0;
    this.records[at + FLAGS] = (flags & ~WAS_REFUSED) | OTHER | wentOn;
  }

  private onRefusal(at: number, bytes: number, more: number): void {
    const { records } = this;
    records[at + REFUSAL] = bytes;
    records[at + FLAGS]! |= WAS_REFUSED;
    const flags = records[at + FLAGS]!;
    const most = (flags & FIRST_COUNTS) === 0 ? OFFER_MORE : PASSWORD_MOST;
    if (more >= KEY_MORE) records[at + FLAGS]! |= KEYS;
    else if (more >= most && (flags & TYPED) === 0) records[at + UNSURE]!++;
    else if (++records[at + REFUSED]! > 2 && (flags & PLAIN) !== 0) records[at + FLAGS]! |= GUESSING;
  }
}

/** A client's version other than of clients that pad. */
function isPlain(p: DecodedPacket): boolean {
  const end = p.payloadOffset + p.payloadLen;
  if (!startsWith(p.data, p.payloadOffset, end, VERSION)) return false;
  return !PADDING_CLIENTS.some((name) => startsWith(p.data, p.payloadOffset, end, name));
}
