import type { AppParser } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { bytesOf } from '../http/bytes.js';
import { createMessageParser } from '../messages.js';
import type { AppLayerOptions } from '../options.js';
import type { FieldTransaction } from '../transaction.js';
import { readAttributes, readProposals, TRANSFORM, weaknesses } from './proposal.js';

const HEADER = 28;
const MAX_PAYLOADS = 64;
/** Flag of IKEv1: what follows is encrypted (RFC 2408 3.1). */
const ENCRYPTED_V1 = 1;
/** The first payload of IKEv2 that is encrypted (RFC 7296 3.14). */
const ENCRYPTED_V2 = new Set([46, 53]);

type Kind = 'sa' | 'key' | 'nonce' | 'vendor';
const V1: Readonly<Record<number, Kind>> = { 1: 'sa', 4: 'key', 10: 'nonce', 13: 'vendor' };
/** Suricata has keys and nonces of IKEv1 only. */
const V2: Readonly<Record<number, Kind>> = { 33: 'sa', 43: 'vendor' };

/** `ike.chosen_sa_attribute` by the attribute of IKEv1 (RFC 2409 appendix A). */
const ATTRIBUTES_V1: Readonly<Record<number, string>> = {
  1: 'alg_enc',
  2: 'alg_hash',
  3: 'alg_auth',
  4: 'alg_dh',
  5: 'sa_group_type',
  11: 'sa_life_type',
  12: 'sa_life_duration',
  13: 'alg_prf',
  14: 'sa_key_length',
  15: 'sa_field_size',
};
const ATTRIBUTES_V2: Readonly<Record<number, string>> = {
  [TRANSFORM.ENCRYPTION]: 'alg_enc',
  [TRANSFORM.PRF]: 'alg_prf',
  [TRANSFORM.INTEGRITY]: 'alg_auth',
  [TRANSFORM.DH]: 'alg_dh',
};
export const IKE_ATTRIBUTES: readonly string[] = Object.values(ATTRIBUTES_V1);

/** IKE version 1 and 2 (RFC 2408, 7296) as far as it is not encrypted; each message is a transaction. */
export function createIkeParser(options: AppLayerOptions): AppParser {
  return createMessageParser({
    proto: 'ike',
    options,
    transport: 'udp',
    reader: ({ open }) => ({
      message(datagram, direction) {
        // On port 4500 four zero bytes tell IKE from ESP (RFC 3948 2.2).
        const d = isMarked(datagram) ? datagram.subarray(4) : datagram;
        if (d.length < HEADER) return;
        const tx = open(direction);
        tx.finish();
        describe(d, tx, direction);
      },
    }),
  });
}

const isMarked = (d: Uint8Array): boolean => d.length > 4 && d[0] === 0 && d[1] === 0 && d[2] === 0 && d[3] === 0;
const hex = (d: Uint8Array): Uint8Array => bytesOf(Buffer.from(d).toString('hex'));

function describe(d: Uint8Array, tx: FieldTransaction, direction: Direction): void {
  const isV1 = d[17]! >> 4 === 1;
  const fields = tx.fields[direction];
  const numbers = tx.numbers[direction];
  fields.set('ike.init_spi', hex(d.subarray(0, 8)));
  fields.set('ike.resp_spi', hex(d.subarray(8, 16)));
  numbers.set('ike.exchtype', d[18]!);
  if (isV1 && (d[19]! & ENCRYPTED_V1) !== 0) return;
  let next = d[16]!;
  let at = HEADER;
  for (let n = 0; n < MAX_PAYLOADS && next !== 0 && at + 4 <= d.length; n++) {
    if (!isV1 && ENCRYPTED_V2.has(next)) return;
    const length = d[at + 2]! * 256 + d[at + 3]!;
    if (length < 4 || at + length > d.length) {
      tx.note('payload_extra_data');
      return;
    }
    const kind = (isV1 ? V1 : V2)[next];
    const body = d.subarray(at + 4, at + length);
    if (kind === 'sa') associate(body, isV1, tx, direction);
    else if (kind === 'vendor') tx.add(direction, 'ike.vendor', hex(body));
    else if (kind !== undefined) {
      const name = kind === 'key' ? 'ike.key_exchange_payload' : 'ike.nonce_payload';
      fields.set(name, hex(body));
      numbers.set(`${name}_length`, body.length);
    }
    next = d[at]!;
    at += length;
  }
}

function associate(body: Uint8Array, isV1: boolean, tx: FieldTransaction, direction: Direction): void {
  const proposals = isV1 ? [] : readProposals(body);
  for (const proposal of proposals) for (const event of weaknesses(proposal)) tx.note(event);
  if (direction === 0) return;
  // What the responder sends is what both use from here on.
  if (proposals.length > 1) tx.note('multiple_server_proposal');
  const chosen = isV1 ? readAttributes(body) : (proposals[0] ?? []);
  const names = isV1 ? ATTRIBUTES_V1 : ATTRIBUTES_V2;
  for (const { type, id } of chosen) {
    const name = names[type];
    if (name !== undefined) tx.numbers[1].set(`ike.sa.${name}`, id);
  }
}
