import type { AppParser } from '../../domain/app-layer.js';
import { derChildren, derInteger } from '../der.js';
import { copy, latin1, NOTHING } from '../http/bytes.js';
import { createMessageParser } from '../messages.js';
import type { AppLayerOptions } from '../options.js';
import type { FieldTransaction } from '../transaction.js';
import { attributeTypes, LDAP, messageLength, readLdap, requestName, textOf, type LdapMessage } from './message.js';

/** Requests that wait for their answers, values of one field, and bytes of the answers to one request that are kept. */
const MAX_PENDING = 64;
const MAX_VALUES = 256;
const MAX_ANSWER_BYTES = 16_384;

/** Requests without an answer, and answers that another one follows (RFC 4511 4.3, 4.11, 4.5.2, 4.13). */
const UNANSWERED = new Set<number>([LDAP.UNBIND, LDAP.ABANDON]);
const PARTIAL = new Set<number>([LDAP.ENTRY, LDAP.REFERENCE, LDAP.INTERMEDIATE]);
/** The name of StartTLS (RFC 4511 4.14.1). */
const START_TLS = '1.3.6.1.4.1.1466.20037';

/** A request, and how many bytes of its answers may still be kept. */
interface Exchange {
  tx: FieldTransaction;
  room: number;
}

/** LDAP (RFC 4511) over TCP, and over UDP as Active Directory has it: each request with its answers. */
export function createLdapParser(options: AppLayerOptions, transport: 'tcp' | 'udp'): AppParser {
  const pending = new Map<number, Exchange>();
  let tlsId: number | undefined;
  let isTls = false;
  return createMessageParser({
    proto: 'ldap',
    options,
    transport,
    reader: ({ open }) => ({
      length: messageLength,
      next: () => (isTls ? 'tls' : undefined),
      message(d) {
        const message = readLdap(d);
        if (message === undefined) return;
        if (message.isRequest) {
          const tx = open();
          describeRequest(d, message, tx);
          tx.finish(0);
          if (isStartTls(d, message)) tlsId = message.id;
          if (UNANSWERED.has(message.operation)) close(tx);
          else remember(pending, message.id, tx);
          return;
        }
        const exchange = pending.get(message.id) ?? { tx: open(1), room: MAX_ANSWER_BYTES };
        const code = describeResponse(d, message, exchange);
        if (PARTIAL.has(message.operation) && pending.has(message.id)) return;
        pending.delete(message.id);
        close(exchange.tx);
        isTls = code === 0 && message.operation === LDAP.EXTENDED_RESPONSE && message.id === tlsId;
      },
      end(direction) {
        if (direction === 1) for (const { tx } of pending.values()) close(tx);
      },
    }),
  });
}

/** Of requests with the same number, and of too many, the older one gets no answers any more. */
function remember(pending: Map<number, Exchange>, id: number, tx: FieldTransaction): void {
  const given = pending.has(id) ? id : pending.size >= MAX_PENDING ? pending.keys().next().value : undefined;
  if (given !== undefined) {
    close(pending.get(given)!.tx);
    pending.delete(given);
  }
  pending.set(id, { tx, room: MAX_ANSWER_BYTES });
}

/** No more answers come. */
function close(tx: FieldTransaction): void {
  tx.numbers[1].set('ldap.responses.count', tx.series.get('ldap.responses.operation')?.length ?? 0);
  tx.finish();
}

function isStartTls(d: Uint8Array, { operation, body }: LdapMessage): boolean {
  const [name] = operation === LDAP.EXTENDED ? derChildren(d, body) : [];
  return name !== undefined && latin1(d.subarray(name.begin, name.end)) === START_TLS;
}

function describeRequest(d: Uint8Array, message: LdapMessage, tx: FieldTransaction): void {
  tx.numbers[0].set('ldap.request.operation', message.operation);
  const name = requestName(d, message);
  if (name !== undefined) tx.fields[0].set('ldap.request.dn', copy(name));
  for (const type of attributeTypes(d, message)) tx.add(0, 'ldap.request.attribute_type', copy(type), MAX_VALUES);
}

/** @returns the result code, of answers that have one. */
function describeResponse(d: Uint8Array, message: LdapMessage, exchange: Exchange): number | undefined {
  const { operation, body } = message;
  const { tx } = exchange;
  tx.addNumber('ldap.responses.operation', operation, MAX_VALUES);
  const [first, second, third] = derChildren(d, body);
  const isEntry = operation === LDAP.ENTRY;
  const hasResult = !PARTIAL.has(operation);
  const code = hasResult ? derInteger(d, first && { ...first, tag: 2 }) : undefined;
  if (code !== undefined) tx.addNumber('ldap.responses.result_code', code, MAX_VALUES);
  const name = isEntry ? textOf(d, first) : hasResult ? textOf(d, second) : undefined;
  keep(exchange, 'ldap.responses.dn', name ?? NOTHING);
  keep(exchange, 'ldap.responses.message', (hasResult ? textOf(d, third) : undefined) ?? NOTHING);
  for (const type of isEntry ? attributeTypes(d, message) : []) keep(exchange, 'ldap.responses.attribute_type', type);
  return code;
}

function keep(exchange: Exchange, field: string, value: Uint8Array): void {
  const kept = value.subarray(0, exchange.room);
  exchange.room -= kept.length;
  exchange.tx.add(1, field, copy(kept), MAX_VALUES);
}
