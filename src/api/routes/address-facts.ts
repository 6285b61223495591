import type { addressFactOperations } from '../../contract/http.js';
import { canonicalAddress, parseIp } from '../../util/ip.js';
import type { AddressFactBook } from '../address-facts.js';
import { userError } from '../errors.js';
import type { Handlers } from '../request.js';

export function addressFactHandlers(facts: AddressFactBook): Pick<Handlers, keyof typeof addressFactOperations> {
  return {
    getAddressFacts({ params }) {
      const address = canonicalAddress(params.address);
      if (address === undefined || !parseIp(address)) {
        const message = `"${params.address}" is not an address.`;
        throw userError({ code: 'request.invalid', message, fix: 'Write one IPv4 or IPv6 address.' });
      }
      return facts.get(address);
    },
  };
}
