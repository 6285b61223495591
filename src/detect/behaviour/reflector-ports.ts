/** UDP services that answer a small forged question with much, by port (CISA TA14-017A). */
export const REFLECTOR_NAMES: Readonly<Record<number, string>> = {
  17: 'QOTD',
  19: 'chargen',
  53: 'DNS',
  69: 'TFTP',
  111: 'portmap',
  123: 'NTP',
  137: 'NetBIOS',
  161: 'SNMP',
  389: 'CLDAP',
  500: 'ISAKMP',
  520: 'RIP',
  1900: 'SSDP',
  3283: 'ARD',
  3702: 'WS-Discovery',
  5093: 'Sentinel',
  5353: 'mDNS',
  5683: 'CoAP',
  10001: 'Ubiquiti',
  11211: 'memcached',
};

const IS_REFLECTOR = new Uint8Array(65_536);
for (const port of Object.keys(REFLECTOR_NAMES)) IS_REFLECTOR[Number(port)] = 1;

export function isReflectorPort(port: number): boolean {
  return IS_REFLECTOR[port] === 1;
}
