import type { AppParser } from '../../domain/app-layer.js';
import { derChildren, derElement, derInside, derInteger, type DerElement } from '../der.js';
import { copy } from '../http/bytes.js';
import { createMessageParser } from '../messages.js';
import type { AppLayerOptions } from '../options.js';
import type { FieldTransaction } from '../transaction.js';

const AS_REQ = 10;
const AS_REP = 11;
const TGS_REQ = 12;
const TGS_REP = 13;
const KRB_ERROR = 30;
const APPLICATION = 0x60;
/** Encryption types that are broken: DES, triple DES and RC4 (RFC 6649, 8429). */
const WEAK = new Set([1, 2, 3, 5, 7, 16, 23, 24, -128, -133, -135]);
const MAX_NAME_PARTS = 16;

/** Kerberos 5 (RFC 4120) over UDP, and over TCP with the length before each message: requests for tickets, and what servers answer. */
export function createKrb5Parser(options: AppLayerOptions, transport: 'tcp' | 'udp'): AppParser {
  return createMessageParser({
    proto: 'krb5',
    options,
    transport,
    reader: ({ open }) => ({
      length(d) {
        if (d.length < 4) return 0;
        const size = d[0]! * 16_777_216 + d[1]! * 65_536 + d[2]! * 256 + d[3]!;
        return size === 0 || d[0]! > 0 ? -1 : 4 + size;
      },
      message(d) {
        const body = transport === 'tcp' ? d.subarray(4) : d;
        const outer = derElement(body, 0, body.length);
        if (outer === undefined || (outer.tag & APPLICATION) !== APPLICATION) return;
        const type = outer.tag & 0x1f;
        const isRequest = type === AS_REQ || type === TGS_REQ;
        if (!isRequest && type !== AS_REP && type !== TGS_REP && type !== KRB_ERROR) return;
        const tx = open();
        for (const numbers of tx.numbers) numbers.set('krb5.msg_type', type);
        if (!isRequest) describe(body, outer, tx, type);
        tx.finish();
      },
    }),
  });
}

/** Fields of a SEQUENCE by their context tags. */
function fieldsOf(d: Uint8Array, sequence: DerElement | undefined): Map<number, DerElement> {
  const out = new Map<number, DerElement>();
  for (const child of sequence ? derChildren(d, sequence) : []) {
    const inner = derInside(d, child);
    if ((child.tag & 0xe0) === 0xa0 && inner) out.set(child.tag & 0x1f, inner);
  }
  return out;
}

function describe(d: Uint8Array, outer: DerElement, tx: FieldTransaction, type: number): void {
  const fields = fieldsOf(d, derInside(d, outer));
  const isError = type === KRB_ERROR;
  addName(d, fields.get(isError ? 8 : 4), tx, 'krb5.cname');
  if (isError) {
    addName(d, fields.get(10), tx, 'krb5.sname');
    setNumber(tx, 'krb5.err_code', derInteger(d, fields.get(6)));
    return;
  }
  // The ticket is an APPLICATION element around a SEQUENCE of its own.
  const ticket = fieldsOf(d, derInside(d, fields.get(5)));
  addName(d, ticket.get(2), tx, 'krb5.sname');
  const encryption = derInteger(d, fieldsOf(d, fields.get(6)).get(0));
  const ofTicket = derInteger(d, fieldsOf(d, ticket.get(3)).get(0));
  setNumber(tx, 'krb5.ticket_encryption', ofTicket);
  if (ofTicket !== undefined) setNumber(tx, 'krb5.ticket_weak', WEAK.has(ofTicket) ? 1 : 0);
  if (encryption !== undefined && WEAK.has(encryption)) tx.note('weak_encryption');
}

function setNumber(tx: FieldTransaction, name: string, value: number | undefined): void {
  if (value !== undefined) for (const numbers of tx.numbers) numbers.set(name, value);
}

/** PrincipalName: type and parts. */
function addName(d: Uint8Array, name: DerElement | undefined, tx: FieldTransaction, field: string): void {
  const parts = fieldsOf(d, name).get(1);
  for (const part of parts ? derChildren(d, parts).slice(0, MAX_NAME_PARTS) : [])
    tx.add(1, field, copy(d.subarray(part.begin, part.end)));
}
