import type { Host } from '../lab.js';
import type { LabProcess } from '../process.js';
import type { HostName } from '../topology.js';
import { startDnsmasq } from './dnsmasq.js';
import { startMailServers } from './mail.js';
import { startNginx } from './nginx.js';
import { startRsyslog } from './rsyslog.js';
import { startSshd } from './sshd.js';
import { startStream } from './stream.js';
import { startVsftpd } from './vsftpd.js';

export const SERVICES = ['web', 'ssh', 'ftp', 'dns', 'mail', 'stream', 'syslog'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** Starts a service and resolves when it answers. */
export type StartService = (host: Host, dir: string) => Promise<LabProcess[]>;

const START: Record<ServiceName, { host: HostName; start: StartService }> = {
  web: { host: 'victim', start: startNginx },
  ssh: { host: 'victim', start: startSshd },
  ftp: { host: 'victim', start: startVsftpd },
  dns: { host: 'victim', start: startDnsmasq },
  mail: { host: 'victim', start: startMailServers },
  stream: { host: 'victim', start: startStream },
  syslog: { host: 'siem', start: startRsyslog },
};

export interface Services {
  /** Processes of each service that was started. */
  processes: Map<ServiceName, LabProcess[]>;
}

export async function startServices(
  names: readonly ServiceName[],
  hosts: Record<HostName, Host>,
  dir: string,
): Promise<Services> {
  const started = names.map(async (name) => {
    const { host, start } = START[name];
    return [name, await start(hosts[host], dir)] as const;
  });
  return { processes: new Map(await Promise.all(started)) };
}
