import { derChildren, derElement, derInteger, type DerElement } from '../der.js';

/** Operations (RFC 4511 4.2 to 4.13) by the number of their tags. */
export const LDAP = {
  BIND: 0,
  UNBIND: 2,
  SEARCH: 3,
  ENTRY: 4,
  MODIFY: 6,
  ADD: 8,
  DELETE: 10,
  COMPARE: 14,
  ABANDON: 16,
  REFERENCE: 19,
  EXTENDED: 23,
  EXTENDED_RESPONSE: 24,
  INTERMEDIATE: 25,
} as const;

/** Identifier octets: application class; those without parts are primitive. */
const PRIMITIVE = new Set<number>([LDAP.UNBIND, LDAP.DELETE, LDAP.ABANDON]);
const REQUESTS = new Set<number>([0, 2, 3, 6, 8, 10, 12, 14, 16, 23]);
const RESPONSES = new Set<number>([1, 4, 5, 7, 9, 11, 13, 15, 19, 24, 25]);
const SEQUENCE = 0x30;
const OCTET_STRING = 0x04;
const MAX_ID_BYTES = 4;

export interface LdapMessage {
  id: number;
  operation: number;
  isRequest: boolean;
  body: DerElement;
}

function operationOf(tag: number): number | undefined {
  const operation = tag & 0x1f;
  const isKnown = REQUESTS.has(operation) || RESPONSES.has(operation);
  return isKnown && tag === (PRIMITIVE.has(operation) ? 0x40 : 0x60) + operation ? operation : undefined;
}

/** Bytes of the message that begins here, 0 when more are needed to tell, -1 when it is none. */
export function messageLength(d: Uint8Array): number {
  if (d.length > 0 && d[0] !== SEQUENCE) return -1;
  if (d.length < 2) return 0;
  const first = d[1]!;
  if (first < 0x80) return 2 + first;
  const count = first & 0x7f;
  if (count === 0 || count > 4) return -1;
  if (d.length < 2 + count) return 0;
  let length = 0;
  for (let i = 0; i < count; i++) length = length * 256 + d[2 + i]!;
  return length > 0xffffff ? -1 : 2 + count + length;
}

/** @returns undefined when these bytes are no whole message. */
export function readLdap(d: Uint8Array): LdapMessage | undefined {
  const size = messageLength(d);
  if (size <= 0 || size > d.length) return undefined;
  const begin = d[1]! < 0x80 ? 2 : 2 + (d[1]! & 0x7f);
  const id = derElement(d, begin, size);
  const body = id && derElement(d, id.end, size);
  const operation = body && operationOf(body.tag);
  const number = derInteger(d, id);
  if (operation === undefined || number === undefined) return undefined;
  return { id: number, operation, isRequest: REQUESTS.has(operation), body: body! };
}

/**
 * Whether the first bytes of a direction are LDAP's, and whose.
 * @returns true for a request, false for a response, undefined for neither.
 */
export function looksLikeLdap(d: Uint8Array): boolean | 'wait' | undefined {
  if (d[0] !== SEQUENCE) return undefined;
  const size = messageLength(d);
  if (size < 0) return undefined;
  if (size === 0) return 'wait';
  const at = d[1]! < 0x80 ? 2 : 2 + (d[1]! & 0x7f);
  if (d.length < at + 2) return d.length > at && d[at] !== 2 ? undefined : 'wait';
  const bytes = d[at + 1]!;
  if (d[at] !== 2 || bytes === 0 || bytes > MAX_ID_BYTES) return undefined;
  if (d.length < at + 3 + bytes) return 'wait';
  const operation = operationOf(d[at + 2 + bytes]!);
  return operation === undefined ? undefined : REQUESTS.has(operation);
}

export const textOf = (d: Uint8Array, e: DerElement | undefined): Uint8Array | undefined =>
  e?.tag === OCTET_STRING ? d.subarray(e.begin, e.end) : undefined;

/** The name that a request is about. */
export function requestName(d: Uint8Array, { operation, body }: LdapMessage): Uint8Array | undefined {
  if (operation === LDAP.DELETE) return d.subarray(body.begin, body.end);
  if (operation === LDAP.EXTENDED || PRIMITIVE.has(operation)) return undefined;
  const [first, second] = derChildren(d, body);
  return textOf(d, operation === LDAP.BIND ? second : first);
}

/** Types of the attributes that a request names, or an entry has. */
export function attributeTypes(d: Uint8Array, { operation, body }: LdapMessage): Uint8Array[] {
  const parts = derChildren(d, body);
  const first = (e: DerElement): DerElement | undefined => derElement(d, e.begin, e.end);
  const lists: Partial<Record<number, () => (DerElement | undefined)[]>> = {
    [LDAP.SEARCH]: () => (parts[7] ? derChildren(d, parts[7]) : []),
    [LDAP.ENTRY]: () => (parts[1] ? derChildren(d, parts[1]).map(first) : []),
    [LDAP.ADD]: () => (parts[1] ? derChildren(d, parts[1]).map(first) : []),
    [LDAP.COMPARE]: () => (parts[1] ? [first(parts[1])] : []),
    [LDAP.MODIFY]: () =>
      (parts[1] ? derChildren(d, parts[1]) : []).map((change) => {
        const modification = derChildren(d, change)[1];
        return modification && first(modification);
      }),
  };
  return (lists[operation]?.() ?? []).flatMap((e) => textOf(d, e) ?? []);
}
