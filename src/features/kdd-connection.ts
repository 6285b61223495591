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
  const o = (bit: number): boolean => (seen & bit) !== 0;
  if (!o(SEEN.R_SYN_ACK)) {
    if (!o(SEEN.O_SYN)) return CODE.OTH;
    if (o(SEEN.R_RST)) return CODE.REJ;
    if (o(SEEN.O_RST)) return CODE.RSTOS0;
    if (o(SEEN.R_OTHER)) return CODE.OTH;
    return o(SEEN.O_FIN) ? CODE.SH : CODE.S0;
  }
  if (!o(SEEN.O_SYN)) {
    if (o(SEEN.R_RST)) return CODE.RSTRH;
    return o(SEEN.R_FIN) ? CODE.SHR : CODE.OTH;
  }
  if (o(SEEN.O_RST)) return CODE.RSTO;
  if (o(SEEN.R_RST)) return CODE.RSTR;
  if (o(SEEN.O_FIN)) return o(SEEN.R_FIN) ? CODE.SF : CODE.S2;
  return o(SEEN.R_FIN) ? CODE.S3 : CODE.S1;
}

/** UDP and ICMP connections are SF in the KDD tables, answered or not. */
export const FLAG_SF = CODE.SF;

/** What a connection counts as in the error rates. */
export const ERROR_CLASS = { NONE: 0, SYN: 1, REJECT: 2 } as const;

/**
 * SYN errors are S0, S1, S2, S3 and SH; reject errors REJ, RSTO, RSTR, RSTOS0 and RSTRH: in the KDD tables every
 * connection that is alone in its window (`count` 1) has exactly these rates. A live connection that is established
 * or half closed is no error yet: S1, S2 and S3 count only when it ended so.
 */
export function errorClass(flag: number, ended: boolean): number {
  switch (KDD_FLAGS[flag]) {
    case 'S0':
    case 'SH':
      return ERROR_CLASS.SYN;
    case 'S1':
    case 'S2':
    case 'S3':
      return ended ? ERROR_CLASS.SYN : ERROR_CLASS.NONE;
    case 'REJ':
    case 'RSTO':
    case 'RSTR':
    case 'RSTOS0':
    case 'RSTRH':
      return ERROR_CLASS.REJECT;
    default:
      return ERROR_CLASS.NONE;
  }
}
