import { parseNumber, parseLooseRange } from '../parse/number.js';
import type { NumberRange } from '../rule.js';
import type { RuleBuilder } from './builder.js';
import { addNumber, addNumbers, equals } from './numbers.js';
import { own } from '../../../util/own.js';

const MODBUS = ['modbus'];
const REQUESTS = 0;
const ACCESS: Readonly<Record<string, number>> = { read: 1, write: 2 };
const TABLES: Readonly<Record<string, number>> = { discretes: 1, coils: 2, input: 4, holding: 8 };

const between = (from: number, to: number): NumberRange => ({ operator: '<>', a: from - 1, b: to + 1 });
const only = (...codes: number[]): NumberRange[] => codes.map((code) => equals(code));
/** Function codes by their kind (Modbus Application Protocol V1.1b3, 4.2 and annex A). */
const ASSIGNED = [between(1, 8), ...only(11, 12, 15, 16, 17), between(20, 24), equals(43)];
const USER = [between(65, 72), between(100, 110)];
const RESERVED = only(8, 9, 10, 13, 14, 41, 42, 90, 91, 125, 126, 127);
const KINDS: Readonly<Record<string, readonly NumberRange[]>> = {
  assigned: ASSIGNED,
  public: ASSIGNED,
  unassigned: [between(18, 19), between(25, 40), between(44, 64), between(73, 89), between(92, 99), between(111, 124)],
  user: USER,
  reserved: RESERVED,
  all: [between(0, 255)],
};

/** `unit 10, function 8, subfunction 4` or `access write holding, address 100, value >1000`. */
export function modbus(b: RuleBuilder, value: string): void {
  for (const part of value.split(',').map((p) => p.trim())) {
    const [name = '', ...words] = part.split(/\s+/);
    const argument = words.join(' ');
    switch (name) {
      case 'unit':
        addNumber(b, 'modbus.unit', parseLooseRange(argument, 255), MODBUS, REQUESTS);
        break;
      case 'function':
        functionCode(b, argument);
        break;
      case 'subfunction':
        addNumber(b, 'modbus.subfunction', equals(parseNumber(argument, 0, 65_535)), MODBUS, REQUESTS);
        break;
      case 'access':
        access(b, words);
        break;
      case 'address':
        addNumber(b, 'modbus.address', parseLooseRange(argument, 65_535), MODBUS, REQUESTS);
        break;
      case 'value':
        addNumber(b, 'modbus.value', parseLooseRange(argument, 65_535), MODBUS, REQUESTS);
        break;
      default:
        throw new Error(`"${part}" is not understood here`);
    }
  }
}

function functionCode(b: RuleBuilder, argument: string): void {
  const name = argument.replace(/^!/, '').trim().toLowerCase();
  const negated = argument.startsWith('!');
  const kind = own(KINDS, name);
  if (kind === undefined) addNumber(b, 'modbus.function', equals(parseNumber(name, 0, 127), negated), MODBUS, REQUESTS);
  else if (!negated) addNumbers(b, 'modbus.function', kind, MODBUS, REQUESTS);
  else
    for (const range of kind)
      addNumber(b, 'modbus.function', { ...range, operator: range.operator === '=' ? '!=' : '!<>' }, MODBUS, REQUESTS);
}

function access(b: RuleBuilder, words: readonly string[]): void {
  const how = own(ACCESS, words[0] ?? '');
  if (how === undefined) throw new Error('access is read or write');
  addNumber(b, `modbus.access&${how}`, equals(1), MODBUS, REQUESTS);
  const table = words[1];
  if (table === undefined) return;
  const kind = own(TABLES, table);
  if (kind === undefined) throw new Error(`"${table}" is none of ${Object.keys(TABLES).join(', ')}`);
  if (how === ACCESS['write'] && (table === 'discretes' || table === 'input'))
    throw new Error(`${table} are read only`);
  addNumber(b, 'modbus.table', equals(kind), MODBUS, REQUESTS);
}
