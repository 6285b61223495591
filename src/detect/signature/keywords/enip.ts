import { parseNumber } from '../parse/number.js';
import type { RuleBuilder } from './builder.js';
import { addNumber, equals } from './numbers.js';
import type { Keyword } from './payload.js';

const ENIP = ['enip'];
const MAX_SERVICE = 127;

/** `SERVICE[,CLASS[,[!]ATTRIBUTE]]`: a request of CIP; class and attribute of services that get or set attributes. */
function cipService(b: RuleBuilder, value: string): void {
  const parts = value.split(',').map((p) => p.trim());
  if (parts.length > 3) throw new Error('needs a service, and perhaps a class and an attribute');
  const service = parseNumber(parts[0]!, 0, MAX_SERVICE);
  const ofClass = parts[1] === undefined ? '' : `,${parseNumber(parts[1], 0, 65_535)}`;
  const key = `cip.service=${service}${ofClass}`;
  if (parts[2] === undefined) {
    addNumber(b, key, equals(1), ENIP);
    return;
  }
  const attribute = parseNumber(parts[2].replace(/^!\s*/, ''), 0, 65_535);
  if (parts[2].startsWith('!')) addNumber(b, `${key},last`, equals(attribute, true), ENIP);
  else addNumber(b, `${key},${attribute}`, equals(1), ENIP);
}

/** Keywords of EtherNet/IP and the Common Industrial Protocol in it. */
export const ENIP_KEYWORDS: Readonly<Record<string, Keyword>> = {
  enip_command: (b, value) => {
    addNumber(b, 'enip.command', equals(parseNumber(value, 0, 65_535)), ENIP);
  },
  cip_service: cipService,
};
