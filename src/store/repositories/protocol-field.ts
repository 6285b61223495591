import { PROTO } from '../../domain/packet.js';
import { numberField, type SearchField } from '../search.js';

/** `proto:tcp` or the IANA number. */
export function protocolField(column: string): SearchField {
  const byNumber = numberField(column);
  return (term, bind) => {
    const name = term.value.toUpperCase();
    const number = Object.hasOwn(PROTO, name) ? PROTO[name as keyof typeof PROTO] : undefined;
    return byNumber(number === undefined ? term : { ...term, value: String(number) }, bind);
  };
}
