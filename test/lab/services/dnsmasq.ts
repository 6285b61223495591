import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ADDRESS } from '../topology.js';
import type { StartService } from './index.js';
import { listening } from './ready.js';

/** Names that exist in the lab; everything else under lab.example does not. */
export const DNS_NAMES = ['www', 'mail', 'ftp', 'git', 'intranet', 'mirror', 'backup', 'video', 'printer', 'monitor'];

/** A name with a kilobyte of text. */
export const LONG_NAME = 'long.lab.example';

/** DNS for lab.example, with no upstream: nothing leaves the lab. */
export const startDnsmasq: StartService = async (host, dir) => {
  const config = join(dir, 'dnsmasq.conf');
  const lines = [
    // Not `no-daemon`: that answers TCP in the one process, which a client that is cut off in the middle would stop.
    'keep-in-foreground',
    'log-facility=-',
    'user=root',
    'no-resolv',
    'no-hosts',
    'pid-file=',
    'local=/lab.example/',
    ...DNS_NAMES.map((name) => `host-record=${name}.lab.example,${ADDRESS.victim.ip4},${ADDRESS.victim.ip6}`),
    // A domain whose every name is answered, as a tunnel's or a wildcard's is.
    `address=/tunnel.example/${ADDRESS.attacker.ip4}`,
    'txt-record=lab.example,v=spf1 -all',
    // A long answer to a short question, as reflectors give.
    `txt-record=${LONG_NAME},${Array.from({ length: 3 }, (_, i) => String(i).repeat(250)).join(',')}`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const dnsmasq = host.start('/usr/sbin/dnsmasq', [`--conf-file=${config}`], { logFile: join(dir, 'dnsmasq.log') });
  await listening(host, dnsmasq, 53, 'udp');
  return [dnsmasq];
};
