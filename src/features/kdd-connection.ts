import { TCP } from '../domain/packet.js';

/** Connection states as Bro (now Zeek) writes them in `conn_state`, the KDD feature `flag`. */
export const KDD_FLAGS = [
  'S0',
  'S1',
  'S2',
  'S3',
  'SF',
  'REJ',
  'RSTO',
  'RSTR',
  'RSTOS0',
  'RSTRH',
  'SH',
  'SHR',
  'OTH',
] as const;
export type KddFlag = (typeof KDD_FLAGS)[number];
const CODE = Object.fromEntries(KDD_FLAGS.map((name, i) => [name, i])) as Record<KddFlag, number>;

/** What was seen of a TCP connection, one bit each. The originator (O) sent the SYN, the responder (R) the SYN-ACK. */
export const SEEN = {
  O_SYN: 1,
  O_FIN: 2,
  O_RST: 4,
  R_SYN_ACK: 8,
  R_FIN: 16,
  R_RST: 32,
  /** The responder sent a segment that is neither SYN-ACK nor RST. */
  R_OTHER: 64,
} as const;

/**
 * Adds one segment. A RST counts once, from the side that sent it first, and not after both sides sent FIN.
 * @returns the new set of {@link SEEN} bits.
 */
export function addSegment(seen: number, flags: number, fromOriginator: boolean): number {
  const bothFin = (seen & (SEEN.O_FIN | SEEN.R_FIN)) === (SEEN.O_FIN | SEEN.R_FIN);
  const reset = (seen & (SEEN.O_RST | SEEN.R_RST)) !== 0;
  if ((flags & TCP.RST) !== 0) {
    if (reset || bothFin) return seen;
    return seen | (fromOriginator ? SEEN.O_RST : SEEN.R_RST);
  }
  let next = seen;
  if ((flags & TCP.SYN) !== 0) {
    if (fromOriginator && (flags & TCP.ACK) === 0) next |= SEEN.O_SYN;
    if (!fromOriginator && (flags & TCP.ACK) !== 0) next |= SEEN.R_SYN_ACK;
  } else if (!fromOriginator) next |= SEEN.R_OTHER;
  if ((flags & TCP.FIN) !== 0 && !reset) next |= fromOriginator ? SEEN.O_FIN : SEEN.R_FIN;
  return next;
}

/**
 * Bro's connection state from what was seen (Zeek manual, `conn.log`: conn_state).
 * @returns index into {@link KDD_FLAGS}.
 */
export function tcpFlag(seen: number): number {
  if ((seen & SEEN.R_SYN_ACK) === 0) {
    if ((seen & SEEN.O_SYN) === 0) return CODE.OTH;
    if ((seen & SEEN.R_RST) !== 0) return CODE.REJ;
    if ((seen & SEEN.O_RST) !== 0) return CODE.RSTOS0;
    if ((seen & SEEN.R_OTHER) !== 0) return CODE.OTH;
    return (seen & SEEN.O_FIN) !== 0 ? CODE.SH : CODE.S0;
  }
  if ((seen & SEEN.O_SYN) === 0) {
    if ((seen & SEEN.R_RST) !== 0) return CODE.RSTRH;
    return (seen & SEEN.R_FIN) !== 0 ? CODE.SHR : CODE.OTH;
  }
  if ((seen & SEEN.O_RST) !== 0) return CODE.RSTO;
  if ((seen & SEEN.R_RST) !== 0) return CODE.RSTR;
  if ((seen & SEEN.O_FIN) !== 0) return (seen & SEEN.R_FIN) !== 0 ? CODE.SF : CODE.S2;
  return (seen & SEEN.R_FIN) !== 0 ? CODE.S3 : CODE.S1;
}

/** UDP and ICMP connections are SF in the KDD tables, answered or not. */
export const FLAG_SF = CODE.SF;

/** What a connection counts as in the error rates. */
export const ERROR_CLASS = { NONE: 0, SYN: 1, REJECT: 2 } as const;

const SYN_ERRORS: readonly KddFlag[] = ['S0', 'S1', 'S2', 'S3', 'SH'];
const REJECT_ERRORS: readonly KddFlag[] = ['REJ', 'RSTO', 'RSTR', 'RSTOS0', 'RSTRH'];
const NO_ERROR_YET: readonly KddFlag[] = ['S1', 'S2', 'S3'];
const CLASS_AT_END = Uint8Array.from(KDD_FLAGS, (flag) => {
  if (SYN_ERRORS.includes(flag)) return ERROR_CLASS.SYN;
  return REJECT_ERRORS.includes(flag) ? ERROR_CLASS.REJECT : ERROR_CLASS.NONE;
});
const CLASS_UNDER_WAY = CLASS_AT_END.map((kind, i) => (NO_ERROR_YET.includes(KDD_FLAGS[i]!) ? ERROR_CLASS.NONE : kind));

/**
 * SYN errors are S0, S1, S2, S3 and SH; reject errors REJ, RSTO, RSTR, RSTOS0 and RSTRH: in the KDD tables every
 * connection that is alone in its window (`count` 1) has exactly these rates. A live connection that is established
 * or half closed is no error yet: S1, S2 and S3 count only when it ended so.
 */
export function errorClass(flag: number, ended: boolean): number {
  return ended ? CLASS_AT_END[flag]! : CLASS_UNDER_WAY[flag]!;
}
