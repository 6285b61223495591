import type { AppParser } from '../../domain/app-layer.js';
import { derChildren, derElement, derInside, derInteger, type DerElement } from '../der.js';
import { copy } from '../http/bytes.js';
import { createMessageParser } from '../messages.js';
import type { AppLayerOptions } from '../options.js';
import type { FieldTransaction } from '../transaction.js';

/** Versions by the number in the message (RFC 3584 3.1): 0 is SNMPv1, 1 is SNMPv2c, 3 is SNMPv3. */
const VERSIONS: Readonly<Record<number, number>> = { 0: 1, 1: 2, 3: 3 };
const USM = 3;

/** SNMP version 1, 2c and 3 (RFC 1157, 3416, 3412): community, user and type of each message. */
export function createSnmpParser(options: AppLayerOptions): AppParser {
  return createMessageParser({
    proto: 'snmp',
    options,
    transport: 'udp',
    reader: ({ open }) => {
      let usual: number | undefined;
      return {
        message(d, direction) {
          const tx = open(direction);
          tx.finish();
          const outer = derElement(d, 0, d.length);
          const parts = outer ? derChildren(d, outer) : [];
          const version = VERSIONS[derInteger(d, parts[0]) ?? -1];
          if (version === undefined) {
            tx.note('malformed_data');
            return;
          }
          if (usual !== undefined && usual !== version) tx.note('version_mismatch');
          usual ??= version;
          tx.numbers[direction].set('snmp.version', version);
          const isRead = version === 3 ? version3(d, parts, tx, direction) : community(d, parts, tx, direction);
          if (!isRead) tx.note('malformed_data');
        },
      };
    },
  });
}

function setPduType(tx: FieldTransaction, direction: 0 | 1, pdu: DerElement): void {
  if ((pdu.tag & 0xe0) === 0xa0) tx.numbers[direction].set('snmp.pdu_type', pdu.tag & 0x1f);
}

function community(d: Uint8Array, parts: DerElement[], tx: FieldTransaction, direction: 0 | 1): boolean {
  const [, name, pdu] = parts;
  if (name?.tag !== 4 || pdu === undefined) return false;
  tx.fields[direction].set('snmp.community', copy(d.subarray(name.begin, name.end)));
  setPduType(tx, direction, pdu);
  return true;
}

/** Header data, security parameters of the user-based model (RFC 3414 2.4), and the PDU as far as it is not encrypted. */
function version3(d: Uint8Array, parts: DerElement[], tx: FieldTransaction, direction: 0 | 1): boolean {
  const [, header, security, scoped] = parts;
  if (header === undefined || security?.tag !== 4) return false;
  if (derInteger(d, derChildren(d, header)[3]) !== USM) {
    tx.note('unknown_security_model');
    return true;
  }
  const user = derChildren(d, derInside(d, security) ?? security)[3];
  if (user?.tag !== 4) return false;
  tx.fields[direction].set('snmp.usm', copy(d.subarray(user.begin, user.end)));
  const pdu = scoped?.tag === 0x30 ? derChildren(d, scoped)[2] : undefined;
  if (pdu) setPduType(tx, direction, pdu);
  return true;
}
