import { isIP } from 'node:net';

/** True for the host of a URL that is an address, brackets or not. */
export function isIpHost(host: string): boolean {
  return isIP(host.replace(/^\[|\]$/g, '')) !== 0;
}
